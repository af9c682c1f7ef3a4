/** What differs between the versions of OpenFlow, seen by controllers of each. */
import { type MessageOf, of10 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { ANY, apply, Bed, type FlowSpec, flowMod, output } from './bed.js';

const versions = [1, 2, 3, 4, 5, 6] as const;
const CONTROLLER = 0xfffffffd;
const all = { type: 'flow', tableId: 255, outPort: ANY, outGroup: ANY, cookie: 0n, cookieMask: 0n, match: [] } as const;
const flowsOf = async (bed: Bed) => (await bed.stats(all)).flatMap((part) => part.entries);
const MODIFY = 1;

describe.each(versions)('wire version %i', (version) => {
  it('describes itself', async () => {
    const bed = new Bed(version);
    const [reply] = (await bed.say({ type: 'features_request' })) as MessageOf<'features_reply'>[];
    expect(reply).toMatchObject({ type: 'features_reply', datapathId: 0x1122334455667788n });
    expect(reply!.ports?.map(({ name }) => name)).toEqual(version <= 3 ? ['p1', 'p2', 'p3'] : undefined);
    expect(reply!.actions).toBe(version === 1 ? 0xfff : undefined);
    expect(reply!.capabilities).toBe(version === 1 ? 0x87 : version === 6 ? 0x60f : 0xf);
    const [tables] = await bed.stats({ type: 'table' });
    expect(tables!.entries[0]!.name).toBe(version <= 3 ? 'table0' : undefined);
    expect((await bed.stats({ type: 'port_stats', portNo: ANY }))[0]!.entries).toHaveLength(3);
    expect((await bed.stats({ type: 'desc' }))[0]).toMatchObject({ mfrDesc: 'm' });
  });

  it('adds, lists and deletes flows', async () => {
    const bed = new Bed(version);
    await bed.say(flowMod({ match: { eth_type: 0x0800 }, cookie: 7n, instructions: [apply(output(2))] }));
    const [flow] = await flowsOf(bed);
    expect(flow).toMatchObject({ cookie: 7n, instructions: [apply(output(2))] });
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([2]);
    await bed.say(flowMod({ command: 3, tableId: 255 }));
    expect(await flowsOf(bed)).toEqual([]);
  });

  it('modifies what is there; before 1.2 it adds what is not', async () => {
    const bed = new Bed(version);
    await bed.say(flowMod({ command: MODIFY, priority: 5, instructions: [apply(output(2))] }));
    expect(await flowsOf(bed)).toHaveLength(version <= 2 ? 1 : 0);
    await bed.say(flowMod({ command: MODIFY, priority: 6, instructions: [apply(output(3))] }));
    const flows = await flowsOf(bed);
    expect(flows.map(({ priority, instructions }) => [priority, instructions])).toEqual(
      version <= 2 ? [[5, [apply(output(3))]]] : [],
    );
    await bed.say(flowMod({ command: 2, priority: 6, instructions: [apply(output(3))] }));
    expect(await flowsOf(bed)).toHaveLength(version <= 2 ? 2 : 0);
  });

  it('adding again clears counters before 1.2', async () => {
    const bed = new Bed(version);
    await bed.say(flowMod({ instructions: [apply(output(2))] }));
    bed.inject(1, tcpFrame());
    await bed.say(flowMod({ instructions: [apply(output(2))] }));
    expect((await flowsOf(bed))[0]!.packetCount).toBe(version <= 2 ? 0n : 1n);
  });

  it('a removed flow is told with a reason that the version has', async () => {
    const bed = new Bed(version);
    await bed.say(flowMod({ flags: 1 }));
    await bed.say(flowMod({ command: 3, tableId: 255 }));
    expect(bed.asyncMessages).toMatchObject([{ type: 'flow_removed', reason: 2 }]);
  });

  it('errors have numbers of the version', async () => {
    const bed = new Bed(version);
    const bad = (over: FlowSpec) => bed.error(flowMod(over));
    expect(await bad({ instructions: [apply(output(4999))] })).toEqual([2, 4]);
    expect(await bad({ command: 9 })).toEqual(version === 1 ? [3, 4] : [5, 6]);
    await bad({ match: { in_port: 1 } });
    expect(await bad({ match: { eth_type: 0x0800 }, flags: 2 })).toEqual(version === 1 ? [3, 1] : [5, 3]);
  });
});

describe.each([4, 5, 6])('wire version %i', (version) => {
  it('lists what its tables can do', async () => {
    const bed = new Bed(version);
    const entries = (await bed.stats({ type: 'table_features', entries: [] })).flatMap((part) => part.entries);
    expect(entries).toHaveLength(254);
    const types = JSON.stringify(entries[0]!.properties.find(({ type }) => type === 'instructions'));
    expect(types.includes('meter')).toBe(version < 6);
  });

  it('meters packets, by instruction or, in 1.5, by action', async () => {
    const bed = new Bed(version);
    await bed.say({
      type: 'meter_mod',
      command: 0,
      flags: 1,
      meterId: 1,
      bands: [{ type: 'drop', rate: 1000, burstSize: 0 }],
    });
    const instructions = [{ type: 'meter', meterId: 1 } as const, apply(output(2))];
    expect(await bed.error(flowMod({ instructions }))).toBeUndefined();
    bed.inject(1, tcpFrame());
    expect((await bed.stats({ type: 'meter', meterId: 1 }))[0]!.entries[0]!.packetInCount).toBe(1n);
    expect(await flowsOf(bed)).toHaveLength(1);
  });
});

describe('1.0', () => {
  it('set_vlan_vid and set_vlan_pcp add a tag where there is none, and come back as they were', async () => {
    const bed = new Bed(1);
    const actions = [{ type: 'set_vlan_vid', vlanVid: 5 }, { type: 'set_vlan_pcp', vlanPcp: 3 }, output(2)] as const;
    await bed.say(flowMod({ instructions: [apply(...actions)] }));
    const frame = tcpFrame();
    bed.inject(1, frame);
    const [out] = bed.outputs;
    expect(Buffer.from(out!.frame.subarray(12, 16)).toString('hex')).toBe('81006005');
    bed.inject(1, out!.frame);
    expect(bed.outputs[1]!.frame).toEqual(out!.frame);
    expect((await flowsOf(bed))[0]!.instructions).toEqual([apply(...actions)]);
  });

  it('an action without its header does nothing, and is no error', async () => {
    const bed = new Bed(1);
    expect(await bed.error(flowMod({ instructions: [apply({ type: 'pop_vlan' }, output(2))] }))).toBeUndefined();
    bed.inject(1, tcpFrame());
    expect(bed.outputs[0]!.frame.subarray(0, tcpFrame().length)).toEqual(tcpFrame());
  });

  it('enqueue is an output, set_tp_dst sets the port of whatever protocol it is', async () => {
    const bed = new Bed(1);
    const actions = [
      { type: 'set_tp_dst', port: 0x1234 },
      { type: 'enqueue', port: 2, queueId: 1 },
    ] as const;
    expect(await bed.error(flowMod({ instructions: [apply(...actions)] }))).toBeUndefined();
    bed.inject(1, tcpFrame());
    expect(bed.outputs.map(({ port, frame }) => [port, Buffer.from(frame).readUInt16BE(36)])).toEqual([[2, 0x1234]]);
  });

  it('nw_proto and tp_dst match IPv6 too', async () => {
    const bed = new Bed(1);
    const match = { eth_type: 0x86dd, ip_dscp: 8, ip_proto: 6, tcp_dst: 80 };
    expect(await bed.error(flowMod({ match, instructions: [apply(output(2))] }))).toBeUndefined();
    const [flow] = await flowsOf(bed);
    expect(flow!.match.map(({ field }) => field)).toEqual(Object.keys(match));
  });

  it('emergency flows have no table', async () => {
    const bed = new Bed(1);
    expect(await bed.error(flowMod({ flags: of10.OFPFF.EMERG }))).toEqual([3, 0]);
  });

  it('flows that it cannot say are left out of its answers', async () => {
    const bed = new Bed(1);
    const mod = { ...flowMod({ match: { eth_type: 0x86dd, ipv6_src: 'fd00::1' } }), version: 4, xid: 1 };
    bed.ofproto.handle(bed.controller, mod as MessageOf<'flow_mod'>);
    await bed.say(flowMod({ cookie: 9n }));
    expect((await flowsOf(bed)).map(({ cookie }) => cookie)).toEqual([9n]);
  });
});

describe('packets that no flow matches', () => {
  const packetIns = (bed: Bed) =>
    bed.asyncMessages.splice(0).filter((m): m is MessageOf<'packet_in'> => m.type === 'packet_in');

  it('go up while a controller of an older version is there', () => {
    const bed = new Bed();
    bed.inject(1, tcpFrame());
    expect(packetIns(bed)).toEqual([]);
    bed.ofproto.controllersChanged(true, true);
    bed.inject(1, tcpFrame());
    expect(packetIns(bed)).toMatchObject([{ reason: 0, tableId: 0, cookie: 0xffffffffffffffffn }]);
    bed.ofproto.controllersChanged(true, false);
    bed.inject(1, tcpFrame());
    expect(packetIns(bed)).toEqual([]);
  });

  it('a table-miss flow has precedence', async () => {
    const bed = new Bed();
    bed.ofproto.controllersChanged(true, true);
    await bed.say(flowMod({ cookie: 3n, instructions: [apply(output(CONTROLLER, 0xffff))] }));
    bed.inject(1, tcpFrame());
    expect(packetIns(bed)).toMatchObject([{ reason: 0, cookie: 3n }]);
  });
});
