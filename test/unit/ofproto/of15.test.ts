/** What OpenFlow 1.5 adds to what packets go through: meters as actions, single buckets, masks, stat triggers. */
import type { Action, Instruction, MessageOf, MeterBand, MultipartRequestBody, Outgoing, OxmTlv } from 'node-openflow';
import { decodeMessage, encodeMessage, type Message, of13, of15 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { ANY, apply, Bed, FakeController, type FlowSpec, flowMod, output, packetOut } from './bed.js';

const { OFPET, OFPBAC, OFPBIC, OFPBMC, OFPMMFC, OFPGMFC, OFPP } = of13;
const ALL_BUCKETS = 0xffffffff;
const FIRST = 0xfffffffd;
const LAST = 0xfffffffe;
const METER_CONTROLLER = 0xfffffffe;
const SECOND = 1_000_000_000n;

const flows = {
  type: 'flow',
  tableId: 255,
  outPort: ANY,
  outGroup: ANY,
  cookie: 0n,
  cookieMask: 0n,
  match: [],
} as const;
const flowsOf = async (bed: Bed) => (await bed.stats(flows)).flatMap((part) => part.entries);
const groupsOf = async (bed: Bed) => (await bed.stats({ type: 'group_desc' })).flatMap((part) => part.entries);

const meter = (meterId: number): Action => ({ type: 'meter', meterId });
/** One packet passes in the first second; `remark`: the others get a higher drop precedence. */
function meterMod(
  meterId: number,
  over: Partial<Outgoing<MessageOf<'meter_mod'>>> = {},
  remark = false,
): Outgoing<MessageOf<'meter_mod'>> {
  const rates = { rate: 1, burstSize: 1 };
  const band: MeterBand = remark ? { type: 'dscp_remark', precLevel: 1, ...rates } : { type: 'drop', ...rates };
  return { type: 'meter_mod', command: 0, flags: 2 | 4, meterId, bands: [band], ...over };
}

function groupMod(over: Partial<Outgoing<MessageOf<'group_mod'>>>): Outgoing<MessageOf<'group_mod'>> {
  return { type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [], ...over };
}
const bucket = (bucketId: number, port: number, weight = 0, ...before: Action[]) => ({
  ...{ bucketId, weight, watchPort: ANY, watchGroup: ANY },
  actions: [...before, output(port)],
});

/** AF11, whose drop precedence can be raised. */
function af11(): Uint8Array {
  const frame = tcpFrame();
  frame[15] = 10 << 2;
  return frame;
}

describe('meters', () => {
  it.each([
    ['between outputs', [apply(output(2), meter(1), output(3))], [2, 3, 2]],
    ['twice', [apply(meter(1), output(2), meter(2), output(3))], [2, 3]],
    ['in an action set', [{ type: 'write_actions', actions: [output(2), meter(1)] }], [2]],
  ] as const)('%s', async (_, instructions, ports) => {
    const bed = new Bed(6);
    for (const id of [1, 2]) await bed.say(meterMod(id));
    expect(await bed.error(flowMod({ instructions: instructions as unknown as Instruction[] }))).toBeUndefined();
    for (let i = 0; i < 2; i++) bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual(ports);
    expect((await flowsOf(bed))[0]!.instructions).toEqual(instructions);
    const [stats] = (await bed.stats({ type: 'meter', meterId: 1 }))[0]!.entries;
    expect(stats).toMatchObject({ flowCount: 1, packetInCount: 2n, bands: [{ packetCount: 1n }] });
  });

  it('in a bucket, and remarking', async () => {
    const bed = new Bed(6);
    await bed.say(meterMod(1, {}, true));
    expect(await bed.error(groupMod({ buckets: [bucket(0, 2, 0, meter(1)), bucket(1, 3)] }))).toBeUndefined();
    await bed.say(flowMod({ instructions: [apply({ type: 'group', groupId: 1 })] }));
    for (let i = 0; i < 2; i++) bed.inject(1, af11());
    // AF11 and AF12; the other bucket sees the packet as it was.
    expect(bed.outputs.map(({ port, frame }) => [port, frame[15]! >> 2])).toEqual([
      [2, 10],
      [3, 10],
      [2, 12],
      [3, 10],
    ]);
  });

  it('that are not there are a bad action in 1.5, and were a bad meter', async () => {
    const metered = (...instructions: Instruction[]) => flowMod({ instructions });
    const bed = new Bed(6);
    const badMeter = [OFPET.BAD_ACTION, of15.OFPBAC.BAD_METER];
    expect(await bed.error(metered(apply(meter(9))))).toEqual(badMeter);
    expect(await bed.error(metered(apply(output(2), meter(9))))).toEqual(badMeter);
    expect(await bed.error(metered(apply(meter(0))))).toEqual(badMeter);
    expect(await bed.error(metered(apply(meter(METER_CONTROLLER))))).toEqual(badMeter);
    expect(await bed.error(groupMod({ buckets: [bucket(0, 2, 0, meter(9))] }))).toEqual(badMeter);
    expect(await bed.error(packetOut({ actions: [meter(9)] }))).toEqual(badMeter);
    const older = await new Bed(4).error(metered({ type: 'meter', meterId: 9 }));
    expect(older).toEqual([OFPET.METER_MOD_FAILED, OFPMMFC.UNKNOWN_METER]);
  });

  it('take their flows along, and keep their counts when modified', async () => {
    const bed = new Bed(6);
    await bed.say(meterMod(1));
    await bed.say(flowMod({ instructions: [apply(output(2), meter(1))] }));
    bed.inject(1, tcpFrame());
    bed.now += SECOND;
    await bed.say(meterMod(1, { command: 1 }));
    const [stats] = (await bed.stats({ type: 'meter', meterId: 1 }))[0]!.entries;
    expect(stats).toMatchObject({ packetInCount: 1n, durationSec: 1 });
    await bed.say(meterMod(1, { command: 2 }));
    expect(await flowsOf(bed)).toEqual([]);
  });

  it('may stand anywhere, say the features of 1.5', async () => {
    expect((await new Bed(6).stats({ type: 'meter_features' }))[0]).toMatchObject({ features: 7, bandTypes: 6 });
    expect((await new Bed(4).stats({ type: 'meter_features' }))[0]!.features).toBeUndefined();
  });

  it('are left out of what 1.3 is told of flows and groups, where it has no words', async () => {
    const bed = new Bed(6);
    await bed.say(meterMod(1));
    await bed.say(groupMod({ buckets: [bucket(0, 2, 0, meter(1))] }));
    await bed.say(groupMod({ groupId: 2, buckets: [bucket(0, 2)] }));
    await bed.say(flowMod({ priority: 1, instructions: [apply(output(2), meter(1))] }));
    await bed.say(flowMod({ priority: 2, instructions: [apply(meter(1), output(2))] }));
    const old = new FakeController(4);
    const ask = async (body: MultipartRequestBody) => {
      await bed.ofproto.handle(old, { version: 4, xid: 1, type: 'multipart_request', flags: 0, body });
      const replies = old.received.splice(0) as MessageOf<'multipart_reply'>[];
      return replies.flatMap((reply) => ('entries' in reply.body ? [...reply.body.entries] : []));
    };
    expect(await ask(flows)).toMatchObject([
      { priority: 2, instructions: [{ type: 'meter', meterId: 1 }, apply(output(2))] },
    ]);
    expect(await ask({ type: 'group_desc' })).toMatchObject([{ groupId: 2 }]);
  });

  it('limit what goes up to controllers', async () => {
    const bed = new Bed(6);
    await bed.say(flowMod({ instructions: [apply(output(OFPP.CONTROLLER, 0xffff), output(2))] }));
    expect(await bed.error(meterMod(METER_CONTROLLER))).toBeUndefined();
    for (let i = 0; i < 3; i++) bed.inject(1, tcpFrame());
    const told = bed.asyncMessages.map(({ type }) => type).filter((type) => type !== 'requestforward');
    expect(told).toEqual(['packet_in']);
    expect(bed.ports()).toEqual([2, 2, 2]);
    const [stats] = (await bed.stats({ type: 'meter', meterId: METER_CONTROLLER }))[0]!.entries;
    expect(stats).toMatchObject({ packetInCount: 3n, bands: [{ packetCount: 2n }] });
    await bed.say(meterMod(METER_CONTROLLER, { command: 2 }));
    bed.inject(1, tcpFrame());
    expect(bed.asyncMessages.filter(({ type }) => type === 'packet_in')).toHaveLength(2);
  });

  it('that remark for controllers leave the packet as it is', async () => {
    const bed = new Bed(6);
    await bed.say(flowMod({ instructions: [apply(output(OFPP.CONTROLLER, 0xffff), output(2))] }));
    await bed.say(meterMod(METER_CONTROLLER, {}, true));
    for (let i = 0; i < 2; i++) bed.inject(1, af11());
    const told = bed.asyncMessages.flatMap((message) => (message.type === 'packet_in' ? message.data[15]! >> 2 : []));
    expect(told).toEqual([10, 12]);
    expect(bed.outputs.map(({ frame }) => frame[15]! >> 2)).toEqual([10, 10]);
  });

  it('of numbers beyond are refused, but for that of the slow path', async () => {
    const bed = new Bed(6);
    const invalid = [OFPET.METER_MOD_FAILED, OFPMMFC.INVALID_METER];
    expect(await bed.error(meterMod(0xfffffffd))).toBeUndefined();
    expect(await bed.error(meterMod(0xfffffffc))).toEqual(invalid);
    expect(await bed.error(meterMod(0xffff0001))).toEqual(invalid);
    expect(await bed.error(meterMod(0))).toEqual(invalid);
  });
});

describe('single buckets', () => {
  const failed = (code: number) => [OFPET.GROUP_MOD_FAILED, code];
  async function three(groupType = 0): Promise<Bed> {
    const bed = new Bed(6);
    await bed.say(groupMod({ groupType, buckets: [bucket(5, 1), bucket(7, 2), bucket(9, 3)] }));
    return bed;
  }
  const ids = async (bed: Bed) => (await groupsOf(bed))[0]!.buckets.map(({ bucketId }) => bucketId);
  const insert = (place: number, ...which: number[]) =>
    groupMod({ command: 3, commandBucketId: place, buckets: which.map((id) => bucket(id, 2)) });
  const remove = (place: number) => groupMod({ command: 5, commandBucketId: place });

  it.each([
    ['first', FIRST, [1, 2, 5, 7, 9]],
    ['last', LAST, [5, 7, 9, 1, 2]],
    ['behind another', 7, [5, 7, 1, 2, 9]],
    ['behind the last', 9, [5, 7, 9, 1, 2]],
  ])('are inserted %s', async (_, place, order) => {
    const bed = await three();
    expect(await bed.error(insert(place, 1, 2))).toBeUndefined();
    expect(await ids(bed)).toEqual(order);
  });

  it.each([
    ['the first', FIRST, [7, 9]],
    ['the last', LAST, [5, 7]],
    ['one', 7, [5, 9]],
    ['all', ALL_BUCKETS, []],
  ])('are removed: %s', async (_, place, left) => {
    const bed = await three();
    expect(await bed.error(remove(place))).toBeUndefined();
    expect(await ids(bed)).toEqual(left);
  });

  it('are refused where they make no sense', async () => {
    const bed = await three();
    expect(await bed.error(insert(8, 1))).toEqual(failed(of15.OFPGMFC.UNKNOWN_BUCKET));
    expect(await bed.error(remove(8))).toEqual(failed(of15.OFPGMFC.UNKNOWN_BUCKET));
    expect(await bed.error(insert(FIRST, 9))).toEqual(failed(of15.OFPGMFC.BUCKET_EXISTS));
    expect(await bed.error(insert(FIRST, 1, 1))).toEqual(failed(of15.OFPGMFC.BUCKET_EXISTS));
    expect(await bed.error(insert(ALL_BUCKETS, 1))).toEqual(failed(OFPGMFC.BAD_BUCKET));
    expect(await bed.error({ ...insert(FIRST, 1), command: 5 })).toEqual(failed(OFPGMFC.BAD_BUCKET));
    // No other command has a use for it.
    expect(await bed.error(groupMod({ groupId: 4, commandBucketId: 5 }))).toBeUndefined();
    expect(await bed.error(groupMod({ groupId: 2, buckets: [bucket(3, 1), bucket(3, 2)] }))).toEqual(
      failed(of15.OFPGMFC.BUCKET_EXISTS),
    );
    expect(await bed.error(groupMod({ groupId: 2, buckets: [bucket(0xffffff01, 1)] }))).toEqual(
      failed(OFPGMFC.BAD_BUCKET),
    );
    expect(await bed.error({ ...insert(FIRST, 1), groupId: 3 })).toEqual(failed(OFPGMFC.UNKNOWN_GROUP));
    expect(await bed.error({ ...remove(FIRST), groupId: 3 })).toEqual(failed(OFPGMFC.UNKNOWN_GROUP));
    expect(await bed.error(groupMod({ command: 4 }))).toEqual(failed(OFPGMFC.BAD_COMMAND));
    expect(await ids(bed)).toEqual([5, 7, 9]);
    const chain = [{ ...bucket(1, 2), actions: [{ type: 'group', groupId: 1 } as const] }];
    expect(await bed.error({ ...insert(FIRST), buckets: chain })).toEqual(failed(OFPGMFC.LOOP));
    const older = { type: 'group_mod', command: 3, groupType: 0, groupId: 1, buckets: [] } as const;
    expect(await new Bed(5).error(older)).toEqual(failed(OFPGMFC.BAD_COMMAND));
  });

  it('that stay keep their counts, and so does the group', async () => {
    const bed = await three();
    await bed.say(flowMod({ instructions: [apply({ type: 'group', groupId: 1 })] }));
    bed.inject(1, tcpFrame());
    await bed.say(insert(FIRST, 1));
    await bed.say(remove(7));
    const counts = async () => {
      const [group] = (await bed.stats({ type: 'group', groupId: 1 }))[0]!.entries;
      return [group!.packetCount, group!.buckets.map(({ packetCount }) => packetCount)];
    };
    expect(await counts()).toEqual([1n, [0n, 1n, 1n]]);
    bed.inject(1, tcpFrame());
    expect(await counts()).toEqual([2n, [1n, 2n, 2n]]);
    await bed.say(groupMod({ command: 1, buckets: [bucket(5, 1)] }));
    expect(await counts()).toEqual([2n, [0n]]);
  });

  it('without a weight weigh 1 in a group that selects', async () => {
    const bed = await three(1);
    await bed.say(insert(LAST, 1));
    expect((await groupsOf(bed))[0]!.buckets.map(({ weight }) => weight)).toEqual([0, 0, 0, 1]);
  });

  it('have the numbers of their order before 1.5', async () => {
    const bed = new Bed(4);
    await bed.say(groupMod({ buckets: [bucket(5, 1), bucket(7, 2)] }));
    expect((await groupsOf(bed))[0]!.buckets).toHaveLength(2);
  });
});

describe('set_field of some bits', () => {
  const masked = (field: 'ipv4_dst' | 'vlan_vid', value: number[], mask: number[]): Action => {
    return { type: 'set_field', oxm: { field, value: Uint8Array.from(value), mask: Uint8Array.from(mask) } as OxmTlv };
  };
  const part = masked('ipv4_dst', [0, 9, 0, 7], [0, 255, 0, 255]);
  const ip: FlowSpec = { match: { eth_type: 0x0800 } };

  it.each([
    ['in apply_actions', [apply(part, output(2))]],
    ['in write_actions', [{ type: 'write_actions', actions: [output(2), part] } as Instruction]],
  ])('%s', async (_, instructions) => {
    const bed = new Bed(6);
    expect(await bed.error(flowMod({ ...ip, instructions }))).toBeUndefined();
    const frame = tcpFrame();
    bed.inject(1, frame);
    const [out] = bed.outputs;
    expect([...out!.frame.subarray(30, 34)]).toEqual([frame[30], 9, frame[32], 7]);
    expect((await flowsOf(bed))[0]!.instructions).toEqual(instructions);
  });

  it('needs the header, and the bit that says that there is a tag', async () => {
    const bed = new Bed(6);
    const wrong = (code: number) => [OFPET.BAD_ACTION, code];
    expect(await bed.error(flowMod({ instructions: [apply(part)] }))).toEqual(wrong(OFPBAC.MATCH_INCONSISTENT));
    const tagged: FlowSpec = { match: { vlan_vid: 0x1005 } };
    const vid = (value: number[], mask: number[]) =>
      bed.error(flowMod({ ...tagged, instructions: [apply(masked('vlan_vid', value, mask))] }));
    expect(await vid([0, 3], [0, 15])).toEqual(wrong(OFPBAC.BAD_SET_ARGUMENT));
    expect(await vid([0x10, 3], [0x10, 15])).toBeUndefined();
  });
});

describe('copy_field', () => {
  const copy = (over: Partial<Extract<Action, { readonly type: 'copy_field' }>> = {}): Action => ({
    type: 'copy_field',
    nBits: 32,
    srcOffset: 0,
    dstOffset: 0,
    src: { field: 'ipv4_src', hasMask: false },
    dst: { field: 'ipv4_dst', hasMask: false },
    ...over,
  });
  const ip: FlowSpec = { match: { eth_type: 0x0800 } };

  it('copies, and comes back as it was', async () => {
    const bed = new Bed(6);
    await bed.say(flowMod({ ...ip, instructions: [apply(copy(), output(2))] }));
    const frame = tcpFrame();
    bed.inject(1, frame);
    expect(bed.outputs[0]!.frame.subarray(30, 34)).toEqual(frame.slice(26, 30));
    expect((await flowsOf(bed))[0]!.instructions).toEqual([apply(copy(), output(2))]);
  });

  it('may stand in an action set, once for each field that is written', async () => {
    const bed = new Bed(6);
    const write: Instruction = { type: 'write_actions', actions: [output(2), copy({ nBits: 8 }), copy()] };
    expect(await bed.error(flowMod({ ...ip, instructions: [write] }))).toBeUndefined();
    const frame = tcpFrame();
    bed.inject(1, frame);
    expect(bed.outputs[0]!.frame.subarray(30, 34)).toEqual(frame.slice(26, 30));
  });

  it.each([4, 5])('is an extension of ONF in wire version %i, told as reg_move', async (version) => {
    const bed = new Bed(version);
    expect(await bed.error(flowMod({ ...ip, instructions: [apply(copy(), output(2))] }))).toBeUndefined();
    expect((await flowsOf(bed))[0]!.instructions).toMatchObject([{ actions: [{ type: 'nx_reg_move' }, output(2)] }]);
  });

  it('is refused where a field is not there, too small, or cannot be written', async () => {
    const bed = new Bed(6);
    const error = (action: Action, spec: FlowSpec = ip) =>
      bed.error(flowMod({ ...spec, instructions: [apply(action)] }));
    const wrong = (code: number) => [OFPET.BAD_ACTION, code];
    expect(await error(copy(), {})).toEqual(wrong(OFPBAC.MATCH_INCONSISTENT));
    expect(await error(copy({ nBits: 33 }))).toEqual(wrong(OFPBAC.BAD_SET_LEN));
    expect(await error(copy({ srcOffset: 1 }))).toEqual(wrong(OFPBAC.BAD_SET_LEN));
    expect(await error(copy({ nBits: 0 }))).toEqual(wrong(OFPBAC.BAD_SET_LEN));
    expect(await error(copy({ dst: { field: 'ipv6_exthdr', hasMask: false }, nBits: 9 }))).toEqual(
      wrong(OFPBAC.MATCH_INCONSISTENT),
    );
    expect(await error(copy({ dst: { field: 'in_phy_port', hasMask: false } }))).toEqual(wrong(OFPBAC.BAD_SET_TYPE));
  });
});

describe('stat triggers', () => {
  const trigger = (flags: number, ...thresholds: Extract<Instruction, { type: 'stat_trigger' }>['thresholds']) =>
    ({ type: 'stat_trigger', flags, thresholds }) as const satisfies Instruction;
  const packets = (count: bigint) => ({ field: 'packet_count', count }) as const;

  it('tell of a flow that passed a threshold, with the reason', async () => {
    const bed = new Bed(6);
    const instructions = [apply(output(2)), trigger(1, packets(2n), { field: 'idle_time', sec: 5, nsec: 1 })];
    await bed.say(flowMod({ match: { eth_type: 0x0800 }, priority: 7, instructions }));
    expect((await flowsOf(bed))[0]!.instructions).toEqual(instructions);
    const told = () => {
      bed.datapath.tick();
      return bed.asyncMessages.splice(0);
    };
    bed.inject(1, tcpFrame());
    expect(told()).toEqual([]);
    bed.inject(1, tcpFrame());
    const [message] = told();
    expect(message).toMatchObject({
      type: 'multipart_reply',
      body: { type: 'flow_stats', entries: [{ reason: 1, priority: 7, packetCount: 2n, tableId: 0 }] },
    });
    bed.now += 6n * SECOND;
    expect(told()).toMatchObject([{ body: { entries: [{ stats: [{ field: 'idle_time', sec: 6 }] }] } }]);
  });

  it('are refused where they make no sense, and are no secret to older versions', async () => {
    const bed = new Bed(6);
    const unsupported = [OFPET.BAD_INSTRUCTION, OFPBIC.UNSUP_INST];
    const error = (...instructions: Instruction[]) => bed.error(flowMod({ instructions }));
    expect(await error(trigger(0, packets(0n)))).toEqual(unsupported);
    expect(await error(trigger(4, packets(1n)))).toEqual(unsupported);
    expect(await error(trigger(0, { field: 'flow_count', count: 1 }))).toEqual(unsupported);
    expect(await error(trigger(0, packets(1n), packets(2n)))).toEqual(unsupported);
    const twice = await error(trigger(0, packets(1n)), trigger(0, packets(2n)));
    expect(twice).toEqual([OFPET.BAD_INSTRUCTION, 9]);
  });

  it('statistics of 1.5 have the idle time', async () => {
    const bed = new Bed(6);
    await bed.say(flowMod({ instructions: [apply(output(2))] }));
    bed.now += 3n * SECOND;
    const [flow] = (await bed.stats({ ...flows, type: 'flow_stats' }))[0]!.entries;
    expect(flow).toMatchObject({ reason: 0, durationSec: 3, stats: [{ field: 'idle_time', sec: 3, nsec: 0 }] });
    expect((await flowsOf(bed))[0]).toMatchObject({ stats: [{ field: 'idle_time', sec: 3 }] });
  });
});

describe('fields of the pipeline', () => {
  it('actset_output is the port of the action set, unless there is a group', async () => {
    const bed = new Bed(6);
    await bed.say(groupMod({ buckets: [bucket(0, 3)] }));
    const write = (...actions: Action[]): Instruction => ({ type: 'write_actions', actions });
    const goto = (tableId: number): Instruction => ({ type: 'goto_table', tableId });
    await bed.say(flowMod({ match: { in_port: 1 }, instructions: [write(output(2)), goto(1)] }));
    await bed.say(
      flowMod({ match: { in_port: 2 }, instructions: [write(output(3), { type: 'group', groupId: 1 }), goto(1)] }),
    );
    await bed.say(flowMod({ match: { in_port: 3 }, instructions: [goto(1)] }));
    const unset = 0xfffffff7;
    const to2 = { match: { actset_output: 2 }, tableId: 1, instructions: [apply(output(OFPP.IN_PORT))] };
    const toNone = { match: { actset_output: unset }, tableId: 1, instructions: [apply(output(2))] };
    for (const spec of [to2, toNone]) expect(await bed.error(flowMod(spec))).toBeUndefined();
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([1, 2]);
    bed.inject(3, tcpFrame());
    expect(bed.ports()).toEqual([2]);
    bed.inject(2, tcpFrame());
    expect(bed.ports()).toEqual([3]);
  });

  it('packet_type is Ethernet, or what an ethertype says', async () => {
    const bed = new Bed(6);
    const typed = (value: number[]) =>
      bed.error({
        ...flowMod({ instructions: [apply(output(2))] }),
        match: [{ field: 'packet_type', value: Uint8Array.from(value) }],
      });
    expect(await typed([0, 0, 0, 1])).toEqual([OFPET.BAD_MATCH, OFPBMC.BAD_VALUE]);
    expect(await typed([0, 2, 8, 0])).toEqual([OFPET.BAD_MATCH, OFPBMC.BAD_VALUE]);
    expect(await typed([0, 1, 8, 0])).toBeUndefined();
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([]);
    expect(await typed([0, 0, 0, 0])).toBeUndefined();
    bed.inject(1, tcpFrame());
    expect(bed.ports()).toEqual([2]);
  });
});

it('loads of parts of fields, which older versions have, are said as set_field', async () => {
  const bed = new Bed(6);
  const load = { type: 'nx_reg_load', destination: { field: 'reg1', offset: 4, bits: 8 }, value: 5n } as const;
  const bytes = encodeMessage({ ...flowMod({ instructions: [apply(load)] }), version: 4, xid: 1 } as Message);
  const sent = decodeMessage(bytes);
  if (sent.ok) bed.ofproto.handle(new FakeController(4), sent.message);
  bed.ofproto.barrier();
  const oxm = { field: 'reg1', value: Uint8Array.of(0, 0, 0, 0x50), mask: Uint8Array.of(0, 0, 0x0f, 0xf0) };
  expect(await flowsOf(bed)).toMatchObject([{ instructions: [apply({ type: 'set_field', oxm } as Action)] }]);
});
