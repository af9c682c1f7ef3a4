/**
 * os-ken's parsers and this package read the same bytes alike, in 1.0, 1.2, 1.3, 1.4 and 1.5 (os-ken has no 1.1), and what
 * os-ken makes of what it read is the same bytes again. Needs Debian's python3-os-ken and fails, rather than skips, without.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeMessage, type Message } from '../../src/index.js';
import { messagesOf, repliesOf, requestsOf } from '../support/version-messages.js';
import { decoded, toHex } from '../support/wire.js';

let python: ChildProcessByStdio<Writable, Readable, null>;
let answers: AsyncIterator<string>;
beforeAll(() => {
  const script = fileURLToPath(new URL('../support/os-ken.py', import.meta.url));
  // os-ken logs at length what it cannot read; nobody reads that.
  python = spawn('/usr/bin/python3', ['-W', 'ignore', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
});
afterAll(() => {
  python.stdin.end();
});

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Answer = { readonly ok?: Json; readonly error?: string };

async function ask(line: string): Promise<Answer> {
  python.stdin.write(`${line}\n`);
  const { value, done } = await answers.next();
  if (done === true) throw new Error('os-ken is gone');
  return JSON.parse(value) as Answer;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Numbers under the same name in both: each has to be the same. Answers with how many there were. */
function compare(ours: object, theirs: { readonly [name: string]: Json }, where: string): number {
  let compared = 0;
  for (const [name, value] of Object.entries(ours)) {
    const other = theirs[snake(name)];
    if (typeof other !== 'number' || (typeof value !== 'number' && typeof value !== 'bigint')) continue;
    // JSON's numbers in JavaScript are exact up to 2⁵³ only.
    expect(Number(value), `${where}: ${name}`).toBe(other);
    compared++;
  }
  return compared;
}

type Object_ = { readonly [name: string]: Json };
const inner = (json: Json): Object_ => Object.values(json as Object_)[0] as Object_;

/** The message's own numbers, and those of each entry of a multipart body. */
function compareMessage(message: Message, json: Json, where: string): number {
  const theirs = inner(json);
  let compared = compare(message, theirs, where);
  if (!('body' in message)) return compared;
  const { body } = message;
  const entries = 'entries' in body ? body.entries : [body];
  const list = (
    Array.isArray(theirs.body) ? theirs.body : theirs.body === undefined ? [theirs] : [theirs.body]
  ) as readonly Json[];
  for (const [i, entry] of entries.entries()) {
    const other = list[i];
    if (other === undefined || other === null) continue;
    compared += compare(entry, theirs.body === undefined ? (other as Object_) : inner(other), where);
  }
  return compared;
}

/** What os-ken 2.5 does not read, or reads otherwise than the specification has it. */
const unread: Readonly<Record<number, readonly string[]>> = {
  1: [],
  3: [],
  4: [],
  5: [],
  6: [],
};

describe.each([1, 3, 4, 5, 6])('version %i', (version) => {
  const head = { version, xid: 7, flags: 0 };
  const all: [string, fc.Arbitrary<Message>][] = [
    ...Object.entries(messagesOf(version)).filter(([type]) => !type.startsWith('multipart')),
    ...Object.entries(requestsOf(version)).map(([type, body]): [string, fc.Arbitrary<Message>] => [
      `request ${type}`,
      body.map((one) => ({ ...head, type: 'multipart_request', body: one })),
    ]),
    ...Object.entries(repliesOf(version)).map(([type, body]): [string, fc.Arbitrary<Message>] => [
      `reply ${type}`,
      body.map((one) => ({ ...head, type: 'multipart_reply', body: one })),
    ]),
  ];
  for (const [type, arbitrary] of all) {
    if (unread[version]!.includes(type)) continue;
    it(type, async () => {
      let [read, built] = [0, 0];
      for (const message of fc.sample(arbitrary, { numRuns: 25, seed: Number(process.env.FC_SEED ?? 1) })) {
        const hex = toHex(encodeMessage(message));
        const answer = await ask(hex);
        if (answer.error !== undefined) throw new Error(`${hex}: ${answer.error}`);
        if (answer.ok === null) return;
        const { class: name, value } = answer.ok as { readonly class: string; readonly value: Json };
        compareMessage(message, value, hex);
        read++;
        const again = await ask(`build ${version} ${name} ${JSON.stringify(value)}`);
        if (typeof again.ok !== 'string') continue;
        // os-ken's own choice of what means the same (padding, order) may differ: it has to be the same value.
        expect(decoded(new Uint8Array(Buffer.from(again.ok, 'hex'))), hex).toEqual(message);
        built++;
      }
      expect(read).toBe(25);
      if (process.env.OS_KEN_COUNTS) console.log(`BUILT v${version} ${type} ${built}`);
    });
  }
});
