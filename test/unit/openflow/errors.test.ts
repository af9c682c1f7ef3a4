/**
 * Every error of every version, provoked by bytes that were written by hand, or said why it cannot be; and the table of
 * them in docs/openflow-errors.md (brought up to date by `npx vitest run test/unit/openflow/errors.test.ts -u`).
 */
import { errorTables, type MessageOf, nicira, of14 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { HandClock } from '../../lab/hand-clock.js';
import { Controller, is, start } from './bed.js';
import { errorOf } from './client.js';
import { message, ONF, XID } from './errors/bytes.js';
import type { ErrorCase } from './errors/case.js';
import { flowCases } from './errors/flows.js';
import { impossible } from './errors/impossible.js';
import { NOW_S, newerCases, niciraCases } from './errors/newer.js';
import { requestCases } from './errors/requests.js';
import { tableErrorCases } from './errors/tables.js';

const names = ['1.0', '1.1', '1.2', '1.3', '1.4', '1.5'];
const standardCases = [...requestCases, ...flowCases, ...tableErrorCases, ...newerCases];
const TICK_MS = 100;
/** Long messages take their time on a busy machine. */
const PATIENCE_MS = 15_000;
const OF10 = 1;
const OF13 = 4;

const FIRST_ONF_BUNDLE_CODE = 2300;
/** OFPBFC_* as ONF extension 230 says them in 1.3. */
const onfBundleCodes: ReadonlyMap<string, number> = new Map(
  Object.entries(of14.OFPBFC).map(([name, code]) => [`OFPBFC_${name}`, FIRST_ONF_BUNDLE_CODE + code]),
);

/** 'type/code' as the version's own specification has it. */
function numberOf(version: number, error: string): string | undefined {
  for (const { type, prefix, codes } of errorTables.get(version)!) {
    const code = error.startsWith(`${prefix}_`) ? codes[error.slice(prefix.length + 1)] : undefined;
    if (code !== undefined) return `${type}/${code}`;
  }
  const onf = version === OF13 ? onfBundleCodes.get(error) : undefined;
  return onf === undefined ? undefined : `ONF ${onf}`;
}

function niciraNumber(version: number, error: string): string | undefined {
  const facts: { readonly code: number; readonly vendor?: readonly [number, number] } | undefined =
    nicira.NX_ERRORS[error as nicira.NxErrorName];
  if (facts === undefined) return undefined;
  return version > 2 ? `NX ${facts.code}` : facts.vendor && `NX ${facts.vendor.join('/')}`;
}

/** The numbers that came. */
function numbersIn(error: MessageOf<'error'>): string {
  if (error.experimenter === ONF) return `ONF ${error.errorCode}`;
  if (error.experimenter === nicira.NX_VENDOR_ID) return `NX ${error.errorCode}`;
  if (error.errorType !== nicira.NXET_VENDOR) return `${error.errorType}/${error.errorCode}`;
  const { type, code } = nicira.readVendorError(error.data)!;
  return `NX ${type}/${code}`;
}

async function provoke(one: ErrorCase, version: number): Promise<MessageOf<'error'>> {
  const clock = new HandClock();
  const bed = await start({ versions: [version], clock, wallMs: () => NOW_S * 1000 + clock.nowMs() });
  one.before?.(bed);
  if (one.other !== undefined) {
    const other = await Controller.connect(bed.address, message(version, 0));
    other.write(one.other(version));
    await other.next(({ xid }) => xid === XID);
  }
  const controller = await Controller.open(bed.address);
  controller.write(one.hello?.(version) ?? message(version, 0));
  await controller.next(is('hello'));
  const said = one.say(version);
  for (const bytes of said instanceof Uint8Array ? [said] : said) controller.write(bytes);
  if (one.hello === undefined) controller.write(message(version, version === 1 ? 18 : 20, [], 1));
  if (one.passMs !== undefined) {
    await controller.next(is('barrier_reply'));
    clock.advance(one.passMs);
    for (let ms = 0; ms <= one.passMs; ms += TICK_MS) bed.ofproto.tick();
  }
  const own = (reply: { type: string; xid: number }) => reply.type === 'error' && reply.xid === XID;
  let error = (await controller.next(own, PATIENCE_MS)) as MessageOf<'error'>;
  // What is wrong inside a bundle is said before.
  if (one.error === 'OFPBFC_MSG_FAILED') error = (await controller.next(own, PATIENCE_MS)) as MessageOf<'error'>;
  if (one.hello !== undefined) {
    await controller.closed;
    return error;
  }
  // The connection stays, and nothing else was refused.
  controller.write(message(version, 2, [], 2));
  await controller.next(is('echo_reply'));
  expect(controller.messages.filter(is('error')).map(errorOf)).toEqual([]);
  return error;
}

/** '1.0, 1.3 to 1.5' */
function ranges(list: readonly number[]): string {
  const runs: number[][] = [];
  for (const version of list) {
    const run = runs.at(-1);
    if (run?.at(-1) === version - 1) run.push(version);
    else runs.push([version]);
  }
  const nameOf = (version: number) => names[version - OF10];
  return runs
    .map((run) => (run.length === 1 ? nameOf(run[0]!) : `${nameOf(run[0]!)} to ${nameOf(run.at(-1)!)}`))
    .join(', ');
}

/** All versions at once. */
async function numbersOf(one: ErrorCase): Promise<readonly (readonly [number, string])[]> {
  return Promise.all(one.versions.map(async (version) => [version, numbersIn(await provoke(one, version))] as const));
}

describe.each([
  ['of the specifications', standardCases, numberOf],
  ["of Nicira's", niciraCases, niciraNumber],
] as const)('errors %s', (_, cases, numberIn) => {
  it.each(cases.map((one) => [one.error, ranges(one.versions), one.when, one] as const))(
    '%s, %s: %s',
    async (error, _versions, _when, one) => {
      expect(await numbersOf(one)).toEqual(one.versions.map((version) => [version, numberIn(version, error)]));
    },
  );
});

// ---- the table

const versions = [1, 2, 3, 4, 5, 6];
type NumberIn = (version: number, error: string) => string | undefined;

/** Lines of the table for one error: its cases, and the versions in which it cannot be. */
function linesOf(error: string, cases: readonly ErrorCase[], numberIn: NumberIn): string[] {
  const having = versions.filter((version) => numberIn(version, error) !== undefined);
  const numbers = (list: readonly number[]) => [...new Set(list.map((version) => numberIn(version, error)))].join(', ');
  const provoked = cases.filter((one) => one.error === error);
  const left = having.filter((version) => !provoked.some((one) => one.versions.includes(version)));
  const lines = provoked.map(
    ({ versions: list, when }) => `| ${error} | ${numbers(list)} | ${ranges(list)} | ${when} | yes |`,
  );
  for (const { error: name, versions: list = left, why } of impossible) {
    if (name !== error) continue;
    const these = left.filter((version) => list.includes(version));
    if (these.length > 0) lines.push(`| ${error} | ${numbers(these)} | ${ranges(these)} | never: ${why} | |`);
  }
  return lines;
}

const allErrors = [
  ...new Set(
    versions.flatMap((version) =>
      errorTables.get(version)!.flatMap(({ prefix, codes }) => Object.keys(codes).map((name) => `${prefix}_${name}`)),
    ),
  ),
];
const niciraErrors = Object.keys(nicira.NX_ERRORS);
/** Of Nicira's, 1.4 and 1.5 have these in their own specification. */
const niciraNumberIn: NumberIn = (version, error) =>
  error.startsWith('OFPMOFC') && version > OF13 ? undefined : niciraNumber(version, error);

describe('the table of errors', () => {
  const lacking = (error: string, cases: readonly ErrorCase[], numberIn: NumberIn) => {
    const said = [...cases, ...impossible].filter((one) => one.error === error);
    const isSaid = (version: number) => said.some((one) => one.versions?.includes(version) ?? true);
    return versions.filter((version) => numberIn(version, error) !== undefined && !isSaid(version));
  };

  it('says of every error in every version when it comes, or why never', () => {
    const gaps = [
      ...allErrors.map((error) => [error, lacking(error, standardCases, numberOf)] as const),
      ...niciraErrors.map((error) => [error, lacking(error, niciraCases, niciraNumberIn)] as const),
    ];
    // Nicira's are asked for in each version where messages of hers can provoke them; one is enough.
    const named = new Set(niciraCases.map(({ error }) => error));
    expect(gaps.filter(([error, list]) => list.length > 0 && !named.has(error))).toEqual([]);
  });

  it('says nothing of errors that there are not, and of none that it is both provoked and impossible', () => {
    const known = new Set([...allErrors, ...niciraErrors]);
    const wrong = [...standardCases, ...niciraCases, ...impossible].filter(({ error }) => !known.has(error));
    expect(wrong.map(({ error }) => error)).toEqual([]);
    const numberless = standardCases.filter((one) => one.versions.some((v) => numberOf(v, one.error) === undefined));
    expect(numberless.map(({ error }) => error)).toEqual([]);
    const both = impossible.filter((one) => {
      const cases = [...standardCases, ...niciraCases].filter(({ error }) => error === one.error);
      return (
        cases.length > 0 &&
        (one.versions === undefined || cases.some((c) => c.versions.some((v) => one.versions!.includes(v))))
      );
    });
    expect(both.map(({ error }) => error)).toEqual([]);
  });

  it('is that of docs/openflow-errors.md', async () => {
    const head = ['| error | type/code | versions | when | provoked |', '| --- | --- | --- | --- | --- |'];
    const text = [
      '# Errors of OpenFlow',
      '',
      'Every error that OpenFlow 1.0 to 1.5 and the extensions define, and when this switch answers with it. Each line that',
      'says *yes* is a test of that name in `test/unit/openflow/errors.test.ts`, which provokes the error over a socket with',
      'bytes written by hand, in every version that the line names. The table is generated from those tests',
      '(`npx vitest run test/unit/openflow/errors.test.ts -u`), and a code without a line makes them fail. `ONF` and `NX` are',
      "codes of experimenter errors (ONF's 0x4f4e4600, Nicira's 0x2320); before 1.2 Nicira's have a type and a code of their",
      'own, in an error of type 0xb0c2. To messages of 1.0 and 1.1 other than those of Nicira the switch answers with no error',
      "but those of the version's own specification: what it has no code for is said by the nearest that it has.",
      '',
      '## Of the specifications',
      '',
      ...head,
      ...allErrors.flatMap((error) => linesOf(error, standardCases, numberOf)),
      '',
      "## Nicira's",
      '',
      ...head,
      ...niciraErrors.flatMap((error) => linesOf(error, niciraCases, niciraNumberIn)),
      '',
    ];
    await expect(text.join('\n')).toMatchFileSnapshot('../../../docs/openflow-errors.md');
  });
});
