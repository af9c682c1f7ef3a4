/** The tables hold all that OpenFlow 1.3.5 numbers: nothing is missing, nothing stands twice. */
import { describe, expect, it } from 'vitest';
import type { Table } from '../src/codec/protocol.js';
import { of13, supportedVersions } from '../src/index.js';
import { protocol13 } from '../src/of13/protocol.js';
import { messages, replyBodies, requestBodies } from './support/messages.js';

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

function codes(table: Table<{ readonly code: number; readonly type: string }>): number[] {
  expect(table.byType.size).toBe(table.list.length);
  const own = table.list.filter(({ type }) => !/^(nx|onf)_/.test(type));
  expect(table.byCode.size).toBe(own.length);
  return own.map((entry) => entry.code).sort((a, b) => a - b);
}

/** The types that are OpenFlow's own. */
const own = (byType: ReadonlyMap<string, unknown>): string[] =>
  [...byType.keys()].filter((type) => !type.startsWith('nx_')).sort();

describe('§7: OpenFlow 1.3', () => {
  it.each([
    ['messages', protocol13.messages, range(0, 29)],
    ['multiparts', protocol13.multiparts, [...range(0, 13), 0xffff]],
    ['actions', protocol13.actions, [0, 11, 12, ...range(15, 27), 0xffff]],
    ['instructions', protocol13.instructions, [...range(1, 6), 0xffff]],
    ['bands', protocol13.bands, [1, 2, 0xffff]],
    ['queue properties', protocol13.queueProperties, [1, 2, 0xffff]],
    [
      'table feature properties',
      protocol13.tableFeatureProperties,
      [...range(0, 8), 10, ...range(12, 15), 0xfffe, 0xffff],
    ],
  ])('%s', (_, table, wanted) => expect(codes(table)).toEqual(wanted));

  it('OXM fields', () => {
    expect(of13.oxmFields.map((facts) => facts.oxmField)).toEqual(range(0, 39));
    for (const facts of of13.oxmFields) expect(facts.bits).toBeLessThanOrEqual(8 * facts.bytes);
    // §7.2.3.7, table 11: the fields whose column "mask" says yes.
    const maskable = of13.oxmFields.filter((facts) => facts.maskable).map((facts) => facts.oxmField);
    expect(maskable).toEqual([2, 3, 4, 6, 11, 12, 22, 23, 24, 25, 26, 27, 28, 37, 38, 39]);
  });
  it('error codes count up from 0', () => {
    for (const { codes: table } of of13.errorTable13) {
      const numbers = Object.values(table);
      expect(numbers).toEqual(range(0, numbers.length - 1));
    }
    expect(of13.errorTable13.map((family) => family.type)).toEqual(range(0, 13));
  });
  it('every message and multipart has its random values in the tests', () => {
    expect(Object.keys(messages).sort()).toEqual(own(protocol13.messages.byType));
    expect(Object.keys(requestBodies).sort()).toEqual(own(protocol13.multiparts.byType));
    expect(Object.keys(replyBodies).sort()).toEqual(own(protocol13.multiparts.byType));
    expect(supportedVersions).toEqual([4]);
  });
});
