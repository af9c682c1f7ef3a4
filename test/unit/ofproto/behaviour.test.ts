import { decodeMessage, encodeMessage, type Message, type MessageOf, match } from 'node-openflow';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeMatch, RecordWriter } from '../../../src/datapath/records.js';
import { PacketBuffers } from '../../../src/ofproto/packet-buffers.js';
import { checkMatch, readMatch, writeMatch } from '../../../src/ofproto/translate-match.js';
import { tcp, tcpFrame } from '../../differential/frames.js';
import { ANY, apply, Bed, flowMod, NO_BUFFER, output, packetOut } from './bed.js';

const CONTROLLER = 0xfffffffd;
let bed: Bed;
beforeEach(() => {
  bed = new Bed();
});
const flowStats = {
  type: 'flow',
  tableId: 255,
  outPort: ANY,
  outGroup: ANY,
  cookie: 0n,
  cookieMask: 0n,
  match: [],
} as const;
const flows = async () => (await bed.stats(flowStats)).flatMap((part) => part.entries);
const packetIns = () => bed.asyncMessages.splice(0).filter((m): m is MessageOf<'packet_in'> => m.type === 'packet_in');

describe('matches', () => {
  it('come back as they were sent, in field order, whatever their width', () => {
    const sent = match({
      in_port: 3,
      metadata: { value: 0x10, mask: 0xff },
      eth_type: 0x86dd,
      ip_proto: 58,
      ipv6_src: 'fd00::/16',
      ipv6_flabel: { value: 0x12300, mask: 0xfff00 },
      icmpv6_type: 135,
      ipv6_nd_target: 'fe80::1',
      ipv6_exthdr: { value: 0x40, mask: 0x1c0 },
    });
    const writer = new RecordWriter();
    expect(checkMatch(sent)).toBeUndefined();
    writeMatch(writer, [...sent].reverse());
    expect(readMatch(writer.take())).toEqual(sent);
  });
  it('masks of all ones and of all zeros are left away', () => {
    const writer = new RecordWriter();
    writeMatch(writer, [
      { field: 'vlan_vid', value: Uint8Array.of(0x10, 5), mask: Uint8Array.of(0x1f, 0xff) },
      { field: 'eth_src', value: new Uint8Array(6), mask: new Uint8Array(6) },
    ]);
    expect(writer.take()).toEqual(encodeMatch([{ field: 6, value: 0x1005n, mask: undefined }]));
  });
});

describe('flow_mods', () => {
  it('are gathered, keep their order, and are in force after a barrier', async () => {
    const { ofproto, controller } = bed;
    const message = (over: Parameters<typeof flowMod>[0]) =>
      ({ ...flowMod(over), version: 4, xid: 1 }) as MessageOf<'flow_mod'>;
    ofproto.handle(controller, message({ instructions: [apply(output(2))] }));
    ofproto.handle(controller, message({ command: 3 }));
    ofproto.handle(controller, message({ priority: 7, instructions: [apply(output(3))] }));
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([]);
    ofproto.barrier();
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([3]);
    expect((await flows()).map(({ priority }) => priority)).toEqual([7]);
  });
  it('without a barrier are in force when the loop has turned', async () => {
    bed.ofproto.handle(bed.controller, { ...flowMod({ instructions: [apply(output(2))] }), version: 4, xid: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([2]);
  });
  it('a failed one in a batch gets its own error, the others go on', async () => {
    const { ofproto, controller } = bed;
    for (const [xid, groupId] of [
      [1, 0],
      [2, 5],
      [3, 0],
    ] as const) {
      const instructions = groupId === 0 ? [] : [apply({ type: 'group', groupId })];
      ofproto.handle(controller, { ...flowMod({ priority: xid, instructions }), version: 4, xid });
    }
    ofproto.barrier();
    expect(controller.received.map(({ xid }) => xid)).toEqual([2]);
    controller.received.length = 0;
    expect(await flows()).toHaveLength(2);
  });
  it('a dump gives back what was installed', async () => {
    const sent = flowMod({
      tableId: 5,
      priority: 9,
      cookie: 0xabcdn,
      idleTimeout: 3,
      hardTimeout: 4,
      flags: 1,
      match: { eth_type: 0x0800, ipv4_dst: '10.0.0.0/8' },
      instructions: [
        { type: 'apply_actions', actions: [{ type: 'dec_nw_ttl' }, output(CONTROLLER, 64)] },
        { type: 'write_metadata', metadata: 5n, metadataMask: 255n },
        { type: 'goto_table', tableId: 6 },
      ],
    });
    await bed.say(sent);
    const { tableId, priority, cookie, idleTimeout, hardTimeout, flags, instructions } = sent;
    expect(await flows()).toMatchObject([
      { tableId, priority, cookie, idleTimeout, hardTimeout, flags, match: sent.match, instructions },
    ]);
  });
  it('a long dump comes in several messages of one reply', async () => {
    for (let i = 0; i < 3000; i++) {
      bed.ofproto.handle(bed.controller, { ...flowMod({ priority: i, match: { in_port: 1 } }), version: 4, xid: 1 });
    }
    const replies = (await bed.say({
      type: 'multipart_request',
      flags: 0,
      body: flowStats,
    })) as MessageOf<'multipart_reply'>[];
    expect(replies.length).toBeGreaterThan(3);
    expect(replies.map(({ flags }) => flags)).toEqual([...replies.slice(1).map(() => 1), 0]);
    expect(replies.flatMap(({ body }) => (body.type === 'flow' ? body.entries : []))).toHaveLength(3000);
  });
  it('flow-removed', async () => {
    await bed.say(flowMod({ flags: 1, cookie: 7n, match: { in_port: 2 } }));
    bed.now = 1_500_000_000n;
    await bed.say(flowMod({ command: 3 }));
    expect(bed.asyncMessages).toMatchObject([
      {
        type: 'flow_removed',
        cookie: 7n,
        reason: 2,
        durationSec: 1,
        durationNsec: 500_000_000,
        match: match({ in_port: 2 }),
      },
    ]);
  });
});

describe('packet-in and packet-out', () => {
  const frame = tcpFrame({}, { l4: tcp(1, 2, new Array<number>(200).fill(7)) });
  it('max_len cuts and buffers; a packet-out sends the whole once', async () => {
    await bed.say(flowMod({ instructions: [apply(output(CONTROLLER, 64))] }));
    bed.inject(1, frame);
    const [packet] = packetIns();
    expect(packet).toMatchObject({ reason: 0, tableId: 0, totalLen: frame.length, match: match({ in_port: 1 }) });
    expect(packet!.data).toEqual(frame.slice(0, 64));
    expect(packet!.bufferId).not.toBe(NO_BUFFER);
    const out = packetOut({ bufferId: packet!.bufferId, inPort: 1, actions: [output(2)], data: new Uint8Array(0) });
    expect(await bed.error(out)).toBeUndefined();
    expect(bed.outputs).toEqual([{ port: 2, frame }]);
    expect(await bed.error(out)).toEqual([1, 7]);
  });
  it('OFPCML_NO_BUFFER sends the whole', async () => {
    await bed.say(flowMod({ priority: 1, cookie: 5n, instructions: [apply(output(CONTROLLER, 0xffff))] }));
    bed.inject(1, frame);
    expect(packetIns()).toMatchObject([{ bufferId: NO_BUFFER, data: frame, reason: 1, cookie: 5n }]);
  });
  it('an expired TTL goes up with miss_send_len', async () => {
    await bed.say({ type: 'set_config', flags: 0, missSendLen: 40 });
    await bed.say(flowMod({ match: { eth_type: 0x0800 }, instructions: [apply({ type: 'dec_nw_ttl' })] }));
    bed.inject(1, tcpFrame({}, { ttl: 1 }));
    const [packet] = packetIns();
    expect(packet).toMatchObject({ reason: 2 });
    expect(packet!.data).toHaveLength(40);
  });
  it('a flow_mod with a buffer sends the packet through the tables', async () => {
    await bed.say(flowMod({ instructions: [apply(output(CONTROLLER, 0))] }));
    bed.inject(1, frame);
    const { bufferId } = packetIns()[0]!;
    const add = flowMod({ priority: 5, bufferId, instructions: [apply(output(3))] });
    expect(await bed.error(add)).toBeUndefined();
    expect(bed.ports()).toEqual([3]);
    expect(await bed.error(add)).toEqual([1, 7]);
  });
  it('a flow_mod that is refused leaves its buffer as it is', async () => {
    await bed.say(flowMod({ priority: 1, instructions: [apply(output(CONTROLLER, 0))] }));
    bed.inject(1, frame);
    const { bufferId } = packetIns()[0]!;
    const add = (port: number) => flowMod({ bufferId, instructions: [apply(output(port))], priority: 5 });
    expect((await bed.say(add(0xffffff01))).map(({ type }) => type)).toEqual(['error']);
    expect(await bed.error(flowMod({ bufferId, flags: 2, priority: 1 }))).toEqual([5, 3]);
    expect(packetIns()).toEqual([]);
    expect(await bed.error(add(3))).toBeUndefined();
    expect(bed.ports()).toEqual([3]);
  });
  it('a packet that no message can hold is cut, and its rest kept', async () => {
    const huge = new Uint8Array(65535).fill(1);
    await bed.say(flowMod({ instructions: [apply(output(CONTROLLER, 0xffff))] }));
    await bed.say(flowMod({ priority: 1, match: { in_port: 2 }, instructions: [apply(output(CONTROLLER, 0xffe5))] }));
    for (const port of [1, 2]) bed.inject(port, huge);
    for (const packet of packetIns()) {
      expect(packet).toMatchObject({ totalLen: 65535 });
      const bytes = encodeMessage({ ...packet, version: 4, xid: 0 } as Message);
      expect(decodeMessage(bytes)).toMatchObject({ ok: true });
      const out = packetOut({ bufferId: packet.bufferId, actions: [output(3)], data: new Uint8Array(0) });
      expect(await bed.error(out)).toBeUndefined();
      const [sent] = bed.outputs.splice(0);
      expect([sent!.port, Buffer.compare(sent!.frame, huge)]).toEqual([3, 0]);
    }
  });
  it('output to TABLE', async () => {
    await bed.say(flowMod({ match: { in_port: 2 }, instructions: [apply(output(3))] }));
    expect(await bed.error(packetOut({ inPort: 2, data: frame, actions: [output(0xfffffff9)] }))).toBeUndefined();
    expect(bed.ports()).toEqual([3]);
  });
  it('buffers: 256, the oldest goes first', () => {
    const buffers = new PacketBuffers();
    const ids = Array.from({ length: 257 }, (_, i) => buffers.keep({ frame: Uint8Array.of(i), inPort: 1 }));
    expect(new Set(ids).size).toBe(257);
    expect(buffers.take(ids[0]!)).toBe('unknown');
    expect(buffers.take(ids[256]!)).toMatchObject({ inPort: 1 });
    expect(buffers.take(ids[256]!)).toBe('empty');
    expect(buffers.take(NO_BUFFER)).toBe('unknown');
  });
});

describe('ports', () => {
  it('come, change and go with a port-status', async () => {
    bed.ofproto.portAdded({ number: 9, name: 'xvif9', mac: '02:00:00:00:00:09' });
    const hwAddr = Uint8Array.of(2, 0, 0, 0, 0, 1);
    expect(await bed.error({ type: 'port_mod', portNo: 1, hwAddr, config: 1, mask: 1, advertise: 0 })).toBeUndefined();
    bed.ofproto.portRemoved(9);
    expect(bed.asyncMessages).toMatchObject([
      { type: 'port_status', reason: 0, port: { portNo: 9, name: 'xvif9' } },
      { type: 'port_status', reason: 2, port: { portNo: 1, config: 1, state: 0 } },
      { type: 'port_status', reason: 1, port: { portNo: 9 } },
    ]);
    const [desc] = await bed.stats({ type: 'port_desc' });
    expect(desc!.entries.map(({ portNo }) => portNo)).toEqual([1, 2, 3]);
  });
});

describe('answers', () => {
  it('features, configuration, description', async () => {
    expect(await bed.say({ type: 'features_request' })).toMatchObject([
      {
        type: 'features_reply',
        datapathId: 0x1122334455667788n,
        nBuffers: 256,
        nTables: 254,
        auxiliaryId: 0,
        capabilities: 15,
      },
    ]);
    await bed.say({ type: 'set_config', flags: 1, missSendLen: 99 });
    expect(await bed.say({ type: 'get_config_request' })).toMatchObject([{ flags: 1, missSendLen: 99 }]);
    expect(await bed.stats({ type: 'desc' })).toMatchObject([{ mfrDesc: 'm', dpDesc: 'br0' }]);
  });
  it('counters of flows, tables and ports', async () => {
    await bed.say(flowMod({ instructions: [apply(output(2))] }));
    bed.inject(1, tcpFrame());
    expect(await bed.stats({ ...flowStats, type: 'aggregate' })).toMatchObject([{ packetCount: 1n, flowCount: 1 }]);
    const [table] = await bed.stats({ type: 'table' });
    expect(table!.entries).toHaveLength(254);
    expect(table!.entries[0]).toEqual({ tableId: 0, activeCount: 1, lookupCount: 1n, matchedCount: 1n });
    const [port] = await bed.stats({ type: 'port_stats', portNo: 2 });
    expect(port!.entries).toMatchObject([{ portNo: 2, txPackets: 1n, rxPackets: 0n, collisions: 0xffffffffffffffffn }]);
  });
  it('groups and meters', async () => {
    const bucket = { weight: 0, watchPort: ANY, watchGroup: ANY, actions: [output(2)] };
    await bed.say({ type: 'group_mod', command: 0, groupType: 0, groupId: 4, buckets: [bucket] });
    const bands = [{ type: 'dscp_remark', rate: 5, burstSize: 6, precLevel: 1 }] as const;
    await bed.say({ type: 'meter_mod', command: 0, flags: 5, meterId: 3, bands });
    expect(await bed.stats({ type: 'group_desc' })).toMatchObject([
      { entries: [{ groupId: 4, groupType: 0, buckets: [bucket] }] },
    ]);
    expect(await bed.stats({ type: 'group', groupId: 4 })).toMatchObject([{ entries: [{ groupId: 4, refCount: 0 }] }]);
    expect(await bed.stats({ type: 'group', groupId: 5 })).toMatchObject([{ entries: [] }]);
    expect(await bed.stats({ type: 'meter_config', meterId: ANY })).toMatchObject([
      { entries: [{ meterId: 3, flags: 5, bands }] },
    ]);
    expect(await bed.stats({ type: 'meter', meterId: 3 })).toMatchObject([{ entries: [{ meterId: 3, flowCount: 0 }] }]);
    expect(await bed.stats({ type: 'group_features' })).toMatchObject([{ types: 15 }]);
    expect(await bed.stats({ type: 'meter_features' })).toMatchObject([{ bandTypes: 6, maxBands: 16 }]);
  });
  it('no queues', async () => {
    expect(await bed.stats({ type: 'queue', portNo: ANY, queueId: ANY })).toMatchObject([{ entries: [] }]);
    expect(await bed.say({ type: 'queue_get_config_request', port: 1 })).toMatchObject([{ port: 1, queues: [] }]);
  });
  it('table features of all 254 tables', async () => {
    const parts = await bed.stats({ type: 'table_features', entries: [] });
    const entries = parts.flatMap((part) => part.entries);
    expect(entries.map(({ tableId }) => tableId)).toEqual(Array.from({ length: 254 }, (_, i) => i));
    const next = entries[252]!.properties.find(({ type }) => type === 'next_tables');
    expect(next).toMatchObject({ ids: [253] });
  });
  it('fail-mode standalone switches everything, above and beside the controllers flows', async () => {
    await bed.say(flowMod({ priority: 100, instructions: [] }));
    bed.ofproto.standalone('above');
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([2, 3]);
    bed.ofproto.standalone('none');
    expect((await flows()).map(({ priority }) => priority)).toEqual([100]);
  });
  it('fail-mode standalone below all flows: those that tools add take precedence, and may take its place', async () => {
    bed.ofproto.standalone('above');
    bed.ofproto.standalone('below');
    expect((await flows()).map(({ priority }) => priority)).toEqual([0]);
    await bed.say(flowMod({ priority: 1, match: { in_port: 1 }, instructions: [apply(output(3))] }));
    for (const port of [1, 2]) bed.inject(port, tcpFrame());
    expect(bed.ports()).toEqual([3, 1, 3]);
    await bed.say(flowMod({ cookie: 7n, instructions: [] }));
    bed.ofproto.standalone('none');
    expect((await flows()).map(({ cookie }) => cookie).sort()).toEqual([0n, 7n]);
  });
});
