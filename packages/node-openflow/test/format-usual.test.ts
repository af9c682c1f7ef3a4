/** The quick way to the text of usual matches says what the way of all matches says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyMatchText } from '../src/text/format-match.js';
import { usualMatchText } from '../src/text/format-usual.js';
import type { Match, OxmFieldName } from '../src/types/oxm.js';

const widths: readonly (readonly [OxmFieldName, number])[] = [
  ...([
    ['in_port', 4],
    ['eth_src', 6],
    ['eth_dst', 6],
    ['ipv4_src', 4],
    ['ipv4_dst', 4],
  ] as const),
  ...([
    ['tcp_src', 2],
    ['tcp_dst', 2],
    ['udp_src', 2],
    ['udp_dst', 2],
    ['metadata', 8],
  ] as const),
];
const bytes = (...values: number[]) => new Uint8Array(values);
const known: readonly Match[number][] = [
  ...[0x0800, 0x0806, 0x86dd, 0].map((type) => ({ field: 'eth_type' as const, value: bytes(type >> 8, type & 0xff) })),
  ...[6, 17, 132, 1, 0].map((protocol) => ({ field: 'ip_proto' as const, value: bytes(protocol) })),
  { field: 'in_port', value: bytes(0xff, 0xff, 0xff, 0xfe) },
];
const field = fc.oneof(
  fc.constantFrom(...known),
  ...widths.map(([name, length]) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((value) => ({ field: name, value })),
  ),
);
const match = fc.uniqueArray(field, { selector: (one) => one.field, maxLength: 8 });

const usual: Match = [
  { field: 'in_port', value: bytes(0, 0, 0, 5) },
  { field: 'eth_type', value: bytes(8, 0) },
  { field: 'ipv4_dst', value: bytes(10, 1, 2, 3) },
  { field: 'ip_proto', value: bytes(6) },
  { field: 'tcp_dst', value: bytes(0, 80) },
];

describe('usual matches', () => {
  it('are told quickly', () => {
    expect(usualMatchText(usual, {})).toBe('tcp,in_port=5,nw_dst=10.1.2.3,tp_dst=80');
    expect(usualMatchText([], {})).toBe('');
  });

  it('are told as all others are', () => {
    fc.assert(
      fc.property(match, fc.boolean(), (fields, named) => {
        const names = named ? { port: (number: number) => (number === 5 ? 'uplink' : undefined) } : {};
        for (const one of [
          fields,
          [...usual, ...fields.filter((each) => !usual.some((has) => has.field === each.field))],
        ]) {
          const quick = usualMatchText(one, names);
          if (quick !== undefined) expect(quick).toBe(anyMatchText(one, names));
        }
      }),
    );
  });

  it('are no others', () => {
    expect(usualMatchText([{ ...usual[2]!, mask: bytes(255, 255, 0, 0) } as Match[number]], {})).toBeUndefined();
    expect(usualMatchText([{ field: 'reg0', value: bytes(0, 0, 0, 1) }], {})).toBeUndefined();
    expect(usualMatchText([usual[2]!], {})).toBeUndefined();
    expect(usualMatchText([...usual, usual[0]!], {})).toBeUndefined();
  });
});
