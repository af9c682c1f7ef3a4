/** Debian's ovs-ofctl as a second reader of the same bytes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMessage } from '../../src/index.js';

/** What `ovs-ofctl ofp-print` says about one message. Throws where ovs-ofctl is missing: that is a failure, not a skip. */
export function ofpPrint(bytes: Uint8Array): string {
  const text = execFileSync('ovs-ofctl', ['ofp-print', Buffer.from(bytes).toString('hex')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return clean(text);
}

const clean = (text: string): string => text.replace(/[ \t]+$/gm, '').trimEnd();

/**
 * What ovs-ofctl makes of flows in its own syntax: the message's bytes and the text it prints about them, one a flow.
 * Throws with ovs-ofctl's words when it refuses one.
 */
export function ovsFlows(flows: readonly string[], version = 'OpenFlow13'): { bytes: Uint8Array; text: string }[] {
  const folder = mkdtempSync(join(tmpdir(), 'parse-flows-'));
  try {
    const file = join(folder, 'flows');
    writeFileSync(file, `${flows.join('\n')}\n`);
    // Six times more verbose: with the bytes.
    const text = execFileSync('ovs-ofctl', ['-O', version, '-mmmmmm', 'parse-flows', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return withDumps(text);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Splits printed messages from the dump of bytes behind each. */
export function withDumps(text: string): { bytes: Uint8Array; text: string }[] {
  const found: { bytes: Uint8Array; text: string }[] = [];
  let printed: string[] = [];
  let dump = '';
  const end = (): void => {
    if (dump !== '') found.push({ bytes: new Uint8Array(Buffer.from(dump, 'hex')), text: printed.join('\n').trim() });
    if (dump !== '') printed = [];
    dump = '';
  };
  for (const line of text.split('\n')) {
    const hex = /^[0-9a-f]{8} {2}((?:[0-9a-f]{2}[ -]| {3})+)/.exec(line);
    if (hex !== null) {
      if (line.startsWith('00000000')) end();
      dump += hex[1]!.replace(/[^0-9a-f]/g, '');
    } else {
      if (dump !== '') end();
      printed.push(line);
    }
  }
  end();
  const noise = /^(usable protocols|chosen protocol):.*\n?/gm;
  return found.map((one) => ({ bytes: one.bytes, text: clean(one.text.replace(noise, '')) }));
}

/** The same for many messages in one run: a stream of them, each followed by a barrier reply that marks its end. */
export function ofpParse(messages: readonly Uint8Array[]): string[] {
  const firstMark = 0xfeed0000;
  const mark = (index: number): Uint8Array =>
    encodeMessage({ version: 4, xid: firstMark + index, type: 'barrier_reply' });
  const stream = Buffer.concat(messages.flatMap((bytes, index) => [bytes, mark(index)]));
  const folder = mkdtempSync(join(tmpdir(), 'ofp-parse-'));
  try {
    const file = join(folder, 'stream');
    writeFileSync(file, stream);
    const text = execFileSync('ovs-ofctl', ['ofp-parse', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const parts = text.split(/^OFPT_BARRIER_REPLY \(OF1\.3\) \(xid=0xfeed[0-9a-f]{4}\):.*\n/m);
    if (parts.length !== messages.length + 1) throw new Error(`${parts.length - 1} of ${messages.length} were read`);
    return parts.slice(0, -1).map(clean);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
