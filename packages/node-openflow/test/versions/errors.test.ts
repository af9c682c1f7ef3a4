/** One error by name, in the numbers of each version; and what decoding answers in versions before 1.3. */
import { describe, expect, it } from 'vitest';
import {
  encodeMessage,
  errorFor,
  errorName,
  type Message,
  neutralName,
  of10,
  supportedVersions,
} from '../../src/index.js';
import { failure, hex, toHex } from '../support/wire.js';

describe('errorFor', () => {
  const pair = (version: number, ...error: Parameters<typeof errorFor> extends [number, ...infer R] ? R : never) => {
    const { type, code, experimenter, prefix } = errorFor(version, ...error);
    return [type, code, experimenter, prefix === undefined ? undefined : toHex(prefix)].filter(
      (one) => one !== undefined,
    );
  };
  it.each([
    [
      'OFPFMFC_TABLE_FULL',
      [
        [3, 0],
        [5, 1],
        [5, 1],
        [5, 1],
        [5, 1],
        [5, 1],
      ],
    ],
    [
      'OFPBRC_BAD_MULTIPART',
      [
        [1, 2],
        [1, 2],
        [1, 2],
        [1, 2],
        [1, 2],
        [1, 2],
      ],
    ],
    [
      'OFPBRC_IS_SLAVE',
      [
        [1, 5],
        [1, 5],
        [1, 10],
        [1, 10],
        [1, 10],
        [1, 10],
      ],
    ],
    [
      'OFPPMFC_BAD_PORT',
      [
        [4, 0],
        [7, 0],
        [7, 0],
        [7, 0],
        [7, 0],
        [7, 0],
      ],
    ],
    ['OFPBIC_BAD_EXP_TYPE', [undefined, [3, 5], [3, 6], [3, 6], [3, 6], [3, 6]]],
    ['OFPBIC_DUP_INST', [undefined, undefined, [0xffff, 2600, 0x4f4e4600], [0xffff, 2600, 0x4f4e4600], [3, 9], [3, 9]]],
    ['OFPTFFC_BAD_TYPE', [undefined, undefined, [0xffff, 25, 0x2320], [13, 2], [14, 0], [14, 0]]],
    ['OFPBFC_MSG_FAILED', [undefined, undefined, [0xffff, 10, 0x2320], [0xffff, 2313, 0x4f4e4600], [17, 13], [17, 13]]],
  ] as const)('%s', (name, wanted) => {
    for (const [i, numbers] of wanted.entries()) if (numbers !== undefined) expect(pair(i + 1, name)).toEqual(numbers);
  });
  it('what 1.0 does not have is Nicira’s, as with Open vSwitch', () => {
    expect(pair(1, 'OFPBMC_BAD_PREREQ')).toEqual([0xb0c2, 0, '0000232000010104']);
    expect(pair(1, 'OFPMMFC_UNKNOWN')).toEqual([0xb0c2, 0, '0000232000010209']);
  });
  it('by neutral number', () => {
    expect(neutralName({ type: 5, code: 1 })).toBe('OFPFMFC_TABLE_FULL');
    expect(pair(1, { type: 5, code: 1 })).toEqual([3, 0]);
    expect(pair(1, { type: 99, code: 1 })).toEqual([99, 1]);
  });
  it('a standard one there is always, and it has a name', () => {
    for (const version of supportedVersions) {
      for (let type = 0; type < 18; type++) {
        for (let code = 0; code < 20; code++) {
          if (neutralName({ type, code }) === undefined) continue;
          const numbers = errorFor(version, { type, code }, { standard: true });
          expect(errorName(numbers.type, numbers.code, version)).toMatch(/^OFP[A-Z]+_[A-Z_]+$/);
        }
      }
    }
  });
});

describe('1.0 answers in its own numbers', () => {
  const message = (code: number, body: string) => {
    const bytes = hex(body);
    return new Uint8Array([1, code, 0, 8 + bytes.length, 0, 0, 0, 1, ...bytes]);
  };
  it.each([
    ['unknown message', message(22, ''), [1, 1]],
    ['unknown statistics', message(16, '0006 0000'), [1, of10.OFPBRC.BAD_STAT]],
    ['a match that is cut', message(14, '00000000'), [1, 6]],
    ['unknown action', message(13, 'ffffffff ffff 0008 000c 0008 00000000'), [2, 0]],
    ['an action that is too short', message(13, 'ffffffff ffff 0004 0000 0004'), [2, 1]],
    ['a TOS with ECN bits', message(13, 'ffffffff ffff 0008 0008 0008 01 000000'), [2, 5]],
  ])('%s', (_, bytes, wanted) => expect(failure(bytes)).toEqual(wanted));
});

describe('what a version has no form for', () => {
  const out = { type: 'packet_out', xid: 1, bufferId: 0, inPort: 1, data: new Uint8Array(0) } as const;
  it.each([
    ['a group', { ...out, version: 1, actions: [{ type: 'group', groupId: 1 }] }, /no action group in version 1/],
    ['a port above 16 bits', { ...out, version: 1, inPort: 0x10000, actions: [] }, /port 65536/],
    ['enqueue', { ...out, version: 4, actions: [{ type: 'enqueue', port: 1, queueId: 1 }] }, /no action enqueue/],
    ['a field', { ...out, version: 6, actions: [], match: [{ field: 'raw' }] }, /./],
    [
      'a meter',
      { version: 3, xid: 1, type: 'meter_mod', command: 0, flags: 0, meterId: 1, bands: [] },
      /no message meter_mod/,
    ],
  ])('%s', (_, message, wanted) => expect(() => encodeMessage(message as unknown as Message)).toThrow(wanted));
});
