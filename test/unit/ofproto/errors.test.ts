/** Every error that ofproto answers with, by the clause that asks for it (OpenFlow 1.3.5 §7.4.4). */
import { type Action, encodeMessage, errorName, type Message, type Outgoing, of13, oxm } from 'node-openflow';
import { beforeEach, describe, expect, it } from 'vitest';
import { ANY, apply, Bed, type FlowSpec, flowMod, output, packetOut } from './bed.js';

const { OFPET } = of13;
let bed: Bed;
beforeEach(() => {
  bed = new Bed();
});

async function name(message: Outgoing): Promise<string | undefined> {
  const error = await bed.error(message);
  return error && errorName(...error);
}
const setField = (...args: Parameters<typeof oxm>): Action => ({ type: 'set_field', oxm: oxm(...args) });
const raw = (field: number) =>
  ({ field: 'raw', oxmClass: 1, oxmField: field, hasMask: false, data: new Uint8Array(4) }) as const;

describe('flow_mod', () => {
  const cases: readonly (readonly [string, FlowSpec])[] = [
    ['OFPFMFC_BAD_COMMAND', { command: 5 }],
    ['OFPFMFC_BAD_FLAGS', { flags: 0x20 }],
    ['OFPFMFC_BAD_TABLE_ID', { tableId: 254 }],
    ['OFPFMFC_BAD_TABLE_ID', { tableId: 255 }],
    ['OFPFMFC_BAD_TABLE_ID', { tableId: 255, command: 1 }],
    ['OFPFMFC_BAD_TABLE_ID', { tableId: 254, command: 3 }],
    ['OFPBMC_BAD_PREREQ', { match: { ipv4_src: '10.0.0.1' } }],
    ['OFPBMC_BAD_PREREQ', { match: { eth_type: 0x0800, tcp_src: 1 } }],
    ['OFPBMC_BAD_PREREQ', { match: { eth_type: 0x0800, ip_proto: 17, tcp_src: 1 } }],
    ['OFPBMC_BAD_PREREQ', { match: { vlan_vid: 0, vlan_pcp: 1 } }],
    ['OFPBMC_BAD_VALUE', { match: { vlan_vid: 5 } }],
    ['OFPBMC_BAD_VALUE', { match: { in_port: 0 } }],
    ['OFPBMC_BAD_VALUE', { match: { in_port: ANY } }],
    ['OFPBIC_BAD_TABLE_ID', { tableId: 3, instructions: [{ type: 'goto_table', tableId: 3 }] }],
    ['OFPBIC_BAD_TABLE_ID', { instructions: [{ type: 'goto_table', tableId: 254 }] }],
    ['OFPBIC_UNSUP_INST', { instructions: [{ type: 'clear_actions' }, { type: 'clear_actions' }] }],
    ['OFPBIC_BAD_EXPERIMENTER', { instructions: [{ type: 'experimenter', experimenter: 7, data: new Uint8Array(0) }] }],
    ['OFPMMFC_INVALID_METER', { instructions: [{ type: 'meter', meterId: 0 }] }],
    ['OFPMMFC_UNKNOWN_METER', { instructions: [{ type: 'meter', meterId: 9 }] }],
    ['OFPBAC_BAD_OUT_PORT', { instructions: [apply(output(0))] }],
    ['OFPBAC_BAD_OUT_PORT', { instructions: [apply(output(ANY))] }],
    ['OFPBAC_BAD_OUT_PORT', { instructions: [apply(output(5000))] }],
    ['OFPBAC_BAD_OUT_PORT', { instructions: [apply(output(0xfffffff9))] }],
    ['OFPBAC_BAD_OUT_GROUP', { instructions: [apply({ type: 'group', groupId: 1 })] }],
    ['OFPBAC_BAD_OUT_GROUP', { instructions: [apply({ type: 'group', groupId: ANY })] }],
    ['OFPBAC_BAD_QUEUE', { instructions: [apply({ type: 'set_queue', queueId: ANY })] }],
    ['OFPBAC_BAD_ARGUMENT', { instructions: [apply({ type: 'push_pbb', ethertype: 0x88a8 })] }],
    ['OFPBAC_BAD_ARGUMENT', { instructions: [apply({ type: 'push_vlan', ethertype: 0x0800 })] }],
    ['OFPBAC_BAD_ARGUMENT', { instructions: [apply({ type: 'push_mpls', ethertype: 0x8100 })] }],
    [
      'OFPBAC_BAD_EXPERIMENTER',
      { instructions: [apply({ type: 'experimenter', experimenter: 1, data: new Uint8Array(0) })] },
    ],
    ['OFPBAC_MATCH_INCONSISTENT', { instructions: [apply(setField('ipv4_src', '10.0.0.1'))] }],
    [
      'OFPBAC_MATCH_INCONSISTENT',
      { match: { eth_type: 0x86dd }, instructions: [apply(setField('ipv4_src', '10.0.0.1'))] },
    ],
    ['OFPBAC_MATCH_INCONSISTENT', { instructions: [apply({ type: 'dec_nw_ttl' })] }],
    ['OFPBAC_MATCH_INCONSISTENT', { instructions: [apply({ type: 'pop_vlan' })] }],
    ['OFPBAC_MATCH_INCONSISTENT', { match: { eth_type: 0x0800 }, instructions: [apply({ type: 'pop_pbb' })] }],
    ['OFPBAC_MATCH_INCONSISTENT', { instructions: [apply(setField('pbb_isid', 1))] }],
    ['OFPBAC_MATCH_INCONSISTENT', { instructions: [apply(setField('vlan_vid', 0x1001))] }],
    ['OFPBAC_BAD_SET_ARGUMENT', { match: { vlan_vid: 0x1002 }, instructions: [apply(setField('vlan_vid', 1))] }],
    ['OFPBAC_BAD_SET_TYPE', { instructions: [apply(setField('metadata', 1))] }],
    ['OFPBAC_BAD_SET_TYPE', { instructions: [apply(setField('in_port', 1))] }],
    ['OFPBAC_BAD_SET_TYPE', { match: { eth_type: 0x86dd }, instructions: [apply(setField('ipv6_exthdr', 1))] }],
  ];
  it.each(cases)('%s: %j', async (expected, spec) => {
    expect(await name(flowMod(spec))).toBe(expected);
    expect((await bed.stats({ type: 'table' }))[0]!.entries[0]!.activeCount).toBe(0);
  });

  it('OFPBMC_BAD_FIELD for fields of another class', async () => {
    expect(await name({ ...flowMod(), match: [raw(105)] })).toBe('OFPBMC_BAD_FIELD');
  });
  it('OFPFMFC_OVERLAP', async () => {
    expect(await name(flowMod({ match: { in_port: 1 } }))).toBeUndefined();
    expect(await name(flowMod({ match: { eth_type: 0x0800 }, flags: 2 }))).toBe('OFPFMFC_OVERLAP');
  });
  it('pushes and earlier set_fields make what follows legal', async () => {
    const tag = apply({ type: 'push_vlan', ethertype: 0x8100 }, setField('vlan_vid', 0x1001));
    expect(await name(flowMod({ instructions: [tag] }))).toBeUndefined();
    const label = apply({ type: 'push_mpls', ethertype: 0x8847 }, setField('mpls_label', 5), { type: 'dec_mpls_ttl' });
    expect(await name(flowMod({ match: { eth_type: 0x0800 }, instructions: [label] }))).toBeUndefined();
    const popped = apply({ type: 'pop_mpls', ethertype: 0x0800 }, { type: 'dec_nw_ttl' });
    expect(await name(flowMod({ match: { eth_type: 0x8847 }, instructions: [popped] }))).toBeUndefined();
  });
  it('an error carries the first 64 bytes of the request and its xid', async () => {
    const message = flowMod({ tableId: 254, match: { eth_type: 0x0800, ipv4_src: '10.0.0.1' } });
    const [reply] = await bed.say(message);
    const bytes = encodeMessage({ ...message, version: 4, xid: reply!.xid } as Message);
    expect(reply).toMatchObject({ type: 'error', data: bytes.slice(0, 64) });
  });
  it('an action set is checked in the order in which it is carried out', async () => {
    const write = (...actions: Action[]) => flowMod({ instructions: [{ type: 'write_actions', actions }] });
    const tag: Action = { type: 'push_vlan', ethertype: 0x8100 };
    expect(await name(write(output(1), setField('vlan_vid', 0x1005), tag))).toBeUndefined();
    expect(await name(write(output(1), setField('vlan_vid', 0x1005)))).toBe('OFPBAC_MATCH_INCONSISTENT');
    expect(await name(flowMod({ instructions: [apply(setField('vlan_vid', 0x1005), tag)] }))).toBe(
      'OFPBAC_MATCH_INCONSISTENT',
    );
  });
  it('OFPBAC_TOO_MANY for what no dump could tell', async () => {
    const outputs = (count: number) => Array.from({ length: count }, () => output(1));
    expect(await name(flowMod({ instructions: [apply(...outputs(4091))] }))).toBe('OFPBAC_TOO_MANY');
    expect(await name(flowMod({ instructions: [apply(...outputs(3900))] }))).toBeUndefined();
    const group = (count: number): Outgoing => {
      const bucket = { weight: 0, watchPort: ANY, watchGroup: ANY, actions: outputs(count) };
      return { type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [bucket] };
    };
    expect(await name(group(4093))).toBe('OFPBAC_TOO_MANY');
    expect(await name(group(3900))).toBeUndefined();
    await bed.stats({ type: 'flow', tableId: 255, outPort: ANY, outGroup: ANY, cookie: 0n, cookieMask: 0n, match: [] });
    await bed.stats({ type: 'group_desc' });
  });
  it('deletes do not look at their instructions', async () => {
    expect(await name(flowMod({ command: 3, tableId: 255, instructions: [apply(output(0))] }))).toBeUndefined();
  });
});

describe('group_mod', () => {
  const bucket = (actions: Action[] = [output(1)], over = {}) => ({
    weight: 0,
    watchPort: ANY,
    watchGroup: ANY,
    actions,
    ...over,
  });
  const groupMod = (over: object) =>
    ({ type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [bucket()], ...over }) as Outgoing;
  it.each([
    ['OFPGMFC_BAD_COMMAND', { command: 3 }],
    ['OFPGMFC_BAD_TYPE', { groupType: 4 }],
    ['OFPGMFC_INVALID_GROUP', { groupId: 0xffffff01 }],
    ['OFPGMFC_INVALID_GROUP', { groupType: 2, buckets: [] }],
    ['OFPGMFC_UNKNOWN_GROUP', { command: 1 }],
    ['OFPGMFC_LOOP', { buckets: [bucket([{ type: 'group', groupId: 1 }])] }],
    ['OFPGMFC_BAD_WATCH', { groupType: 3, buckets: [bucket([output(1)], { watchPort: 0xfffffffd })] }],
    ['OFPGMFC_OUT_OF_BUCKETS', { buckets: Array.from({ length: 1025 }, () => bucket([])) }],
    ['OFPBAC_BAD_OUT_GROUP', { buckets: [bucket([{ type: 'group', groupId: 8 }])] }],
    ['OFPBAC_BAD_OUT_PORT', { buckets: [bucket([output(0xfffffff9)])] }],
    ['OFPBAC_BAD_ARGUMENT', { buckets: [bucket([{ type: 'push_vlan', ethertype: 1 }])] }],
  ])('%s', async (expected, over) => {
    expect(await name(groupMod(over))).toBe(expected);
  });
  it('GROUP_EXISTS, CHAINED_GROUP, and an unknown group in a modify', async () => {
    expect(await name(groupMod({}))).toBeUndefined();
    expect(await name(groupMod({}))).toBe('OFPGMFC_GROUP_EXISTS');
    expect(await name(groupMod({ groupId: 2, buckets: [bucket([{ type: 'group', groupId: 1 }])] }))).toBeUndefined();
    expect(await name(groupMod({ command: 2, groupId: 1 }))).toBe('OFPGMFC_CHAINED_GROUP');
    expect(await name(groupMod({ command: 1, buckets: [bucket([{ type: 'group', groupId: 9 }])] }))).toBe(
      'OFPBAC_BAD_OUT_GROUP',
    );
    expect(await name(groupMod({ command: 2, groupId: 0xfffffffc }))).toBeUndefined();
  });
});

describe('meter_mod', () => {
  const drop = { type: 'drop', rate: 10, burstSize: 0 };
  const meterMod = (over: object) =>
    ({ type: 'meter_mod', command: 0, flags: 1, meterId: 1, bands: [drop], ...over }) as Outgoing;
  it.each([
    ['OFPMMFC_BAD_COMMAND', { command: 3 }],
    ['OFPMMFC_INVALID_METER', { meterId: 0 }],
    ['OFPMMFC_INVALID_METER', { meterId: 0xffff0001 }],
    ['OFPMMFC_INVALID_METER', { meterId: 0xfffffffc }],
    ['OFPMMFC_BAD_FLAGS', { flags: 3 }],
    ['OFPMMFC_BAD_FLAGS', { flags: 0x11 }],
    ['OFPMMFC_BAD_RATE', { bands: [{ ...drop, rate: 0 }] }],
    ['OFPMMFC_BAD_BURST', { flags: 5 }],
    [
      'OFPMMFC_BAD_BAND',
      { bands: [{ type: 'experimenter', rate: 1, burstSize: 1, experimenter: 5, data: new Uint8Array(0) }] },
    ],
    ['OFPMMFC_BAD_BAND_VALUE', { bands: [{ type: 'dscp_remark', rate: 1, burstSize: 0, precLevel: 0 }] }],
    ['OFPMMFC_OUT_OF_BANDS', { bands: Array.from({ length: 17 }, () => drop) }],
    ['OFPMMFC_UNKNOWN_METER', { command: 1 }],
  ])('%s', async (expected, over) => {
    expect(await name(meterMod(over))).toBe(expected);
  });
  it('without a unit the rate is in kilobits', async () => {
    expect(await name(meterMod({ flags: 0 }))).toBeUndefined();
    expect(await name(meterMod({ flags: 8, command: 1 }))).toBeUndefined();
  });
  it('METER_EXISTS', async () => {
    expect(await name(meterMod({}))).toBeUndefined();
    expect(await name(meterMod({}))).toBe('OFPMMFC_METER_EXISTS');
  });
});

describe('the rest', () => {
  const portMod = (over: object) =>
    ({
      type: 'port_mod',
      portNo: 1,
      hwAddr: Uint8Array.of(2, 0, 0, 0, 0, 1),
      config: 0,
      mask: 0,
      advertise: 0,
      ...over,
    }) as Outgoing;
  const stats = (body: object) => ({ type: 'multipart_request', flags: 0, body }) as Outgoing;
  const flowStats = { type: 'flow', tableId: 255, outPort: ANY, outGroup: ANY, cookie: 0n, cookieMask: 0n, match: [] };
  it.each([
    ['OFPPMFC_BAD_PORT', portMod({ portNo: 9 })],
    ['OFPPMFC_BAD_HW_ADDR', portMod({ hwAddr: new Uint8Array(6) })],
    ['OFPPMFC_BAD_CONFIG', portMod({ config: 2, mask: 2 })],
    ['OFPPMFC_BAD_ADVERTISE', portMod({ advertise: 1 })],
    ['OFPTMFC_BAD_TABLE', { type: 'table_mod', tableId: 254, config: 0 }],
    ['OFPTMFC_BAD_CONFIG', { type: 'table_mod', tableId: 0, config: 4 }],
    ['OFPSCFC_BAD_FLAGS', { type: 'set_config', flags: 2, missSendLen: 128 }],
    ['OFPSCFC_BAD_FLAGS', { type: 'set_config', flags: 4, missSendLen: 128 }],
    ['OFPQOFC_BAD_PORT', { type: 'queue_get_config_request', port: 77 }],
    ['OFPQOFC_BAD_PORT', stats({ type: 'queue', portNo: 77, queueId: ANY })],
    ['OFPQOFC_BAD_QUEUE', stats({ type: 'queue', portNo: ANY, queueId: 1 })],
    ['OFPBRC_BAD_PORT', stats({ type: 'port_stats', portNo: 77 })],
    ['OFPBRC_BAD_TABLE_ID', stats({ ...flowStats, tableId: 254 })],
    ['OFPBMC_BAD_PREREQ', stats({ ...flowStats, match: [oxm('ipv4_src', '10.0.0.1')] })],
    ['OFPMMFC_UNKNOWN_METER', stats({ type: 'meter', meterId: 5 })],
    ['OFPBRC_BAD_EXPERIMENTER', stats({ type: 'experimenter', experimenter: 1, expType: 1, data: new Uint8Array(0) })],
    ['OFPBRC_BAD_EXPERIMENTER', { type: 'experimenter', experimenter: 1, expType: 1, data: new Uint8Array(0) }],
    ['OFPBRC_MULTIPART_BUFFER_OVERFLOW', { ...stats({ type: 'desc' }), flags: 1 } as Outgoing],
    [
      'OFPTFFC_EPERM',
      stats({
        type: 'table_features',
        entries: [
          { tableId: 1, name: 'x', metadataMatch: 0n, metadataWrite: 0n, config: 0, maxEntries: 1, properties: [] },
        ],
      }),
    ],
    ['OFPBRC_BAD_TYPE', { type: 'barrier_reply' }],
    ['OFPBRC_BAD_PORT', packetOut({ inPort: 0xfffffffb })],
    ['OFPBRC_BAD_PORT', packetOut({ inPort: 9 })],
    ['OFPBRC_BAD_PACKET', packetOut({ data: new Uint8Array(13) })],
    ['OFPBRC_BUFFER_UNKNOWN', packetOut({ bufferId: 3 })],
    ['OFPBAC_BAD_OUT_PORT', packetOut({ actions: [output(0)] })],
    ['OFPBAC_BAD_OUT_GROUP', packetOut({ actions: [{ type: 'group', groupId: 4 }] })],
  ] as readonly (readonly [string, Outgoing])[])('%s', async (expected, message) => {
    expect(await name(message)).toBe(expected);
  });
  it('error types are those of the specification', () => {
    expect(OFPET.METER_MOD_FAILED).toBe(12);
  });
});
