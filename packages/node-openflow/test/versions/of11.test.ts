/** OpenFlow 1.1 by bytes, as Xen Orchestra speaks it: fixed matches with inverted masks, and its ways with the rest. */
import { describe, expect, it } from 'vitest';
import { encodeMessage, errorFor, type Message, match, of13 } from '../../src/index.js';
import { decoded, failure, hex, testWire, toHex } from '../support/wire.js';

const head = { version: 2, xid: 1 };
const flow = {
  ...{ cookie: 0n, cookieMask: 0xffff_ffff_ffff_ffffn, tableId: 0, idleTimeout: 0, hardTimeout: 0 },
  ...{ bufferId: of13.OFP_NO_BUFFER, outPort: of13.OFPP.ANY, outGroup: of13.OFPG.ANY },
  ...{ flags: of13.OFPFF.SEND_FLOW_REM, priority: 0x8000 },
};
const fixed = 'ffffffff ffffffff ffffffff 0001 0000';
const allow = { type: 'apply_actions', actions: [{ type: 'output', port: of13.OFPP.NORMAL, maxLen: 0 }] } as const;

testWire(
  'a rule for one direction',
  {
    ...head,
    type: 'flow_mod',
    command: 0,
    ...flow,
    match: match({
      in_port: 4,
      eth_src: '0a:00:00:00:00:01',
      eth_type: 0x0800,
      ip_proto: 6,
      ipv4_dst: '10.1.0.0/16',
      tcp_src: 443,
    }),
    instructions: [allow],
  },
  hex(`
    02 0e 00a0 00000001
    0000000000000000 ffffffffffffffff 00 00 0000 0000 8000 ${fixed}
    0000 0058 00000004 00000396
    0a0000000001 000000000000   # dl_src, every bit of it
    000000000000 ffffffffffff   # dl_dst does not matter
    0000 00 00 0800 00 06
    00000000 ffffffff           # nw_src does not matter
    0a010000 0000ffff           # nw_dst: the lower half does not matter
    01bb 0000 00000000 00 000000
    0000000000000000 ffffffffffffffff
    0004 0018 00000000 0000 0010 fffffffa 0000 000000000000`),
);

describe('matches', () => {
  const withMatch = (fields: string) => {
    const body = hex(`0000000000000000 0000000000000000 00 03 0000 0000 8000 ${fixed} ${fields}`);
    return new Uint8Array([2, 14, 0, 8 + body.length, 0, 0, 0, 1, ...body]);
  };
  const standard = (type: string, length: string, wildcards: string, vlan = '0000 00 00', rest = '0000 00 00') =>
    `${type} ${length} 00000000 ${wildcards} ${'00'.repeat(6)} ${'ff'.repeat(6)} ${'00'.repeat(6)} ${'ff'.repeat(6)}
     ${vlan} ${rest} 00000000 ffffffff 00000000 ffffffff 0000 0000 00000000 00 000000 ${'00'.repeat(8)} ${'ff'.repeat(8)}`;
  const matchOf = (text: string) => {
    const message = decoded(withMatch(text), { unknown: 'refuse' });
    return message.type === 'flow_mod' ? message.match : [];
  };

  it('all wildcards', () => expect(matchOf(standard('0000', '0058', '000003ff'))).toEqual([]));
  it.each([
    ['any tag', 'fffe 00 00', '000003fd', { vlan_vid: '0x1000/0x1000' }],
    ['no tag', 'ffff 00 00', '000003fd', { vlan_vid: 0 }],
    ['a tag', '0005 03 00', '000003f9', { vlan_vid: 0x1005, vlan_pcp: 3 }],
    ['a priority', '0000 03 00', '000003fb', { vlan_vid: '0x1000/0x1000', vlan_pcp: 3 }],
  ])('%s', (_, vlan, wildcards, spec) => {
    expect(matchOf(standard('0000', '0058', wildcards, vlan))).toEqual(match(spec));
  });
  it('fields that mean nothing without their protocol are not there', () => {
    // nw_proto 6 without dl_type.
    expect(matchOf(standard('0000', '0058', '000003df', '0000 00 00', '0000 00 06'))).toEqual([]);
  });
  it.each([
    ['an OXM match', standard('0001', '0058', '000003ff'), [4, 0]],
    ['another length', standard('0000', '0050', '000003ff'), [4, 1]],
    ['a VLAN id of 13 bits', standard('0000', '0058', '000003fd', '1000 00 00'), [4, 7]],
    ['a VLAN priority of 4 bits', standard('0000', '0058', '000003f9', '0001 08 00'), [4, 7]],
  ])('refuses %s', (_, text, wanted) => expect(failure(withMatch(text))).toEqual(wanted));
});

describe('the rest of the conversation', () => {
  it('GET_CONFIG_REPLY has 12 bytes', () => {
    const reply: Message = { ...head, type: 'get_config_reply', flags: 0, missSendLen: 128 };
    expect(toHex(encodeMessage(reply))).toBe('0208000c0000000100000080');
  });
  it('an echo reply may be empty', () => {
    expect(decoded(hex('02 03 0008 00000009'))).toMatchObject({ type: 'echo_reply', xid: 9 });
  });
  it('FEATURES_REPLY lists the ports, whose names end with a NUL', () => {
    const speeds = { curr: 0, advertised: 0, supported: 0, peer: 0, currSpeed: 0, maxSpeed: 0 };
    const port = { portNo: 1, hwAddr: hex('0a0000000001'), name: 'vif1.0', config: 0, state: 0, ...speeds };
    const counts = { nBuffers: 0, nTables: 254, auxiliaryId: 0, capabilities: 0, reserved: 0 };
    const bytes = encodeMessage({ ...head, type: 'features_reply', datapathId: 5n, ...counts, ports: [port] });
    expect(bytes).toHaveLength(32 + 64);
    expect(toHex(bytes.subarray(32, 64))).toBe('00000001000000000a00000000010000766966312e3000000000000000000000');
  });
  it('errors in the version’s own numbers, where asked for', () => {
    for (const name of ['OFPBMC_BAD_PREREQ', 'OFPBIC_BAD_LEN', 'OFPFMFC_BAD_FLAGS', 'OFPMMFC_UNKNOWN'] as const) {
      const { type, experimenter, prefix } = errorFor(2, name, { standard: true });
      expect(type).toBeLessThanOrEqual(10);
      expect([experimenter, prefix]).toEqual([undefined, undefined]);
    }
  });
});
