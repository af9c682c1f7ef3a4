/** Nicira's actions and fields on the wire: bytes written by hand, random values, what is refused and with what. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Action,
  checkPrerequisites,
  decodeMessage,
  encodeMessage,
  type Message,
  match,
  nicira,
  of13,
  oxm,
} from '../src/index.js';
import { knownOxm } from './support/arbitraries.js';
import { niciraAction } from './support/nicira-arbitraries.js';
import { decoded, failure, hex, testWire, toHex } from './support/wire.js';

const { OFPBAC, OFPET } = of13;

const flowMod = (
  actions: readonly Action[],
  matched: Message extends never ? never : ReturnType<typeof match> = [],
): Message => ({
  version: 4,
  xid: 7,
  type: 'flow_mod',
  cookie: 0n,
  cookieMask: 0n,
  tableId: 0,
  command: 0,
  idleTimeout: 0,
  hardTimeout: 0,
  priority: 0,
  bufferId: of13.OFP_NO_BUFFER,
  outPort: of13.OFPP.ANY,
  outGroup: of13.OFPG.ANY,
  flags: 0,
  match: matched,
  instructions: [{ type: 'apply_actions', actions }],
});

/** A packet-out with one action of Nicira's, from what follows its length. */
function withAction(rest: string, vendor = '00002320'): Uint8Array {
  const body = hex(`${vendor} ${rest}`);
  const length = 4 + body.length;
  const action = [0xff, 0xff, length >> 8, length & 0xff, ...body];
  const head = hex('ffffffff fffffffd');
  return new Uint8Array([
    4,
    13,
    0,
    24 + length,
    0,
    0,
    0,
    7,
    ...head,
    length >> 8,
    length & 0xff,
    0,
    0,
    0,
    0,
    0,
    0,
    ...action,
  ]);
}
const packetOut = (...actions: Action[]): Message => ({
  version: 4,
  xid: 7,
  type: 'packet_out',
  bufferId: of13.OFP_NO_BUFFER,
  inPort: of13.OFPP.CONTROLLER,
  actions,
  data: new Uint8Array(0),
});

describe('actions, byte by byte', () => {
  testWire('resubmit', packetOut({ type: 'nx_resubmit', inPort: 5 }), withAction('0001 0005 00000000'));
  testWire(
    'resubmit_table',
    packetOut({ type: 'nx_resubmit_table', inPort: 0xfff8, tableId: 3 }),
    withAction('000e fff8 03 000000'),
  );
  testWire(
    'reg_load: 3 into bits 4 to 9 of reg2',
    packetOut({ type: 'nx_reg_load', destination: { field: 'reg2', offset: 4, bits: 6 }, value: 3n }),
    withAction('0007 0105 00010404 0000000000000003'),
  );
  testWire(
    'reg_move',
    packetOut({
      type: 'nx_reg_move',
      bits: 16,
      source: { field: 'reg0', offset: 0 },
      destination: { field: 'nxm_of_in_port', offset: 0 },
    }),
    withAction('0006 0010 0000 0000 00010004 00000002'),
  );
  testWire(
    'learn: a match on bits of the packet, one on a value, an output',
    packetOut({
      type: 'nx_learn',
      idleTimeout: 10,
      hardTimeout: 0,
      priority: 1,
      cookie: 0x55n,
      flags: 1,
      tableId: 2,
      finIdleTimeout: 0,
      finHardTimeout: 0,
      specs: [
        {
          type: 'match',
          bits: 12,
          source: { field: 'vlan_tci', offset: 0 },
          destination: { field: 'vlan_tci', offset: 0 },
        },
        { type: 'match', bits: 16, source: hex('0800'), destination: { field: 'nxm_of_eth_type', offset: 0 } },
        { type: 'output', bits: 16, source: { field: 'nxm_of_in_port', offset: 0 } },
      ],
    }),
    withAction(`0010 000a 0000 0001 0000000000000055 0001 02 00 0000 0000
      000c 00000802 0000 00000802 0000 # match
      2010 0800 00000602 0000          # match on a value
      1010 00000002 0000               # output`),
  );
  testWire(
    'ct: commit in a zone, with nat and a mark',
    packetOut({
      type: 'nx_ct',
      flags: 1,
      zone: 9,
      recircTable: 4,
      alg: 21,
      actions: [
        { type: 'nx_nat', flags: 1, range: { addressMin: hex('0a000001'), portMin: 80 } },
        { type: 'nx_reg_load', destination: { field: 'ct_mark', offset: 0, bits: 32 }, value: 7n },
      ],
    }),
    withAction(`0023 0001 00000000 0009 04 000000 0015
      ffff 0018 00002320 0024 0000 0001 0011 0a000001 0050 0000
      ffff 0018 00002320 0007 001f 0001d604 0000000000000007`),
  );
  testWire(
    'encap with the properties of an NSH header',
    packetOut({
      type: 'nx_encap',
      headerSize: 0,
      packetType: nicira.PT.NSH,
      properties: [
        { type: 'nsh_md_type', mdType: 2 },
        { type: 'nsh_tlv', tlvClass: 0x1000, tlvType: 10, data: hex('12345678') },
      ],
    }),
    withAction('002e 0000 0001894f 0004 01 05 02 000000 0004 02 10 1000 0a 04 12345678 00000000'),
  );
  testWire(
    'stack_push of an experimenter field',
    packetOut({ type: 'nx_stack_push', subfield: { field: 'nsh_spi', offset: 0, bits: 24 } }),
    withAction('001b 0000 ffff0808 005ad650 0018 0000'),
  );
});

describe('match fields', () => {
  for (const facts of nicira.oxmFields) {
    it(facts.name, () => {
      const arbitrary = knownOxm(facts as (typeof of13.oxmFields)[number]);
      const property = fc.property(arbitrary, (tlv) => {
        const message = flowMod([], [tlv]);
        expect(decoded(encodeMessage(message), { unknown: 'refuse' })).toEqual(message);
      });
      fc.assert(property, { numRuns: 10 });
    });
  }
  it('no number stands twice', () => {
    const keys = [...of13.oxmFields, ...nicira.oxmFields].map(
      (facts) => `${facts.oxmClass}/${(facts as { experimenter?: number }).experimenter ?? 0}/${facts.oxmField}`,
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(nicira.oxmFields.map(({ name }) => name)).size).toBe(nicira.oxmFields.length);
  });
  it('tunnel options are as wide as they are', () => {
    for (const bytes of ['00015002 1234', '00015104 1234ffff', '00015100']) {
      const body = hex(bytes);
      const length = 4 + body.length;
      const rest = [0, 1, 0, length, ...body, ...new Array(-length & 7).fill(0)];
      const whole = new Uint8Array([4, 14, 0, 48 + rest.length, 0, 0, 0, 7, ...hex('00'.repeat(40)), ...rest]);
      expect(toHex(encodeMessage(decoded(whole)))).toBe(toHex(whole));
    }
  });
  it('a field and its twin are the same field twice', () => {
    const twice = flowMod([], [...match({ eth_dst: '02:00:00:00:00:01' }), oxm('nxm_of_eth_dst', '02:00:00:00:00:01')]);
    expect(failure(encodeMessage(twice))).toEqual([OFPET.BAD_MATCH, of13.OFPBMC.DUP_FIELD]);
  });
  it('a prerequisite is met by a twin', () => {
    expect(checkPrerequisites([oxm('nxm_of_eth_type', 0x0800), oxm('ip_ttl', 64)])).toBeUndefined();
    expect(checkPrerequisites([oxm('ip_ttl', 64)])?.code).toBe(of13.OFPBMC.BAD_PREREQ);
  });
});

describe('random actions', () => {
  it('decode ∘ encode is the identity', () => {
    const property = fc.property(fc.array(niciraAction, { maxLength: 4 }), (actions) => {
      const message = flowMod(actions);
      const bytes = encodeMessage(message);
      expect(decoded(bytes, { unknown: 'refuse' })).toEqual(message);
      expect(toHex(encodeMessage(decoded(bytes)))).toBe(toHex(bytes));
    });
    fc.assert(property, { numRuns: 600 });
  });
  it('mutated ones never throw, and what decodes encodes again', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const property = fc.property(niciraAction, changes, (action, edits) => {
      const bytes = encodeMessage(packetOut(action)).slice();
      for (const [at, value] of edits) bytes[28 + (at % (bytes.length - 28))] = value;
      for (const unknown of ['refuse', 'keep'] as const) {
        const result = decodeMessage(bytes, { unknown });
        if (!result.ok) continue;
        const canonical = encodeMessage(decoded(encodeMessage(result.message), { unknown }));
        expect(toHex(encodeMessage(decoded(canonical, { unknown })))).toBe(toHex(canonical));
      }
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

describe('what is refused', () => {
  it.each([
    ['an unknown subtype', '03e7 0000 00000000', OFPBAC.BAD_EXP_TYPE],
    ['one of OpenFlow 1.0 only', '0004 0000 00000001', OFPBAC.BAD_EXP_TYPE],
    ['no room for the subtype', '', OFPBAC.BAD_LEN],
    ['load into an unknown field', '0007 001f 0001fe04 0000000000000001', OFPBAC.BAD_SET_TYPE],
    ['load into a field that is read only', '0007 000f 0001d402 0000000000000001', OFPBAC.BAD_SET_ARGUMENT],
    ['load of a value that is too large', '0007 0000 00010004 0000000000000002', OFPBAC.BAD_ARGUMENT],
    ['bits outside of the field', '0007 07df 00010004 0000000000000001', OFPBAC.BAD_SET_LEN],
    ['ct with force and without commit', '0023 0002 00000000 0000 ff 000000 0000', OFPBAC.BAD_ARGUMENT],
    ['a clause that there is not', '0022 02 02 00000001', OFPBAC.BAD_ARGUMENT],
    ['padding that is not zero', '000e 0001 02 000001', OFPBAC.BAD_ARGUMENT],
  ])('%s', (_, rest, code) => {
    expect(failure(withAction(rest))).toEqual([OFPET.BAD_ACTION, code]);
  });
  it('where unknown things are kept, an unknown subtype and an unknown field stay bytes', () => {
    for (const rest of ['03e7 0000 00000000', '0007 001f 0001fe04 0000000000000001']) {
      const bytes = withAction(rest);
      const message = decoded(bytes) as Extract<Message, { type: 'packet_out' }>;
      expect(message.actions).toEqual([{ type: 'experimenter', experimenter: 0x2320, data: hex(rest) }]);
      expect(toHex(encodeMessage(message))).toBe(toHex(bytes));
    }
  });
  it('actions nested too deeply', () => {
    let action: Action = { type: 'nx_exit' };
    for (let i = 0; i < 70; i++) action = { type: 'nx_clone', actions: [action] };
    expect(failure(encodeMessage(packetOut(action)))).toEqual([OFPET.BAD_ACTION, OFPBAC.TOO_MANY]);
  });
});
