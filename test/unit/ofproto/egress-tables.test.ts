/** Egress tables of OpenFlow 1.5 (1.5.1 §5.1), as controllers set them.  */
import type { Action, Instruction, MessageOf, Outgoing, TableFeatures } from 'node-openflow';
import { of13, of15 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { FLOWS_PER_TABLE_MAX } from '../../../src/ofproto/limits.js';
import { tcpFrame } from '../../differential/frames.js';
import { ANY, apply, Bed, flowMod, output, packetOut } from './bed.js';

const { OFPET, OFPBAC, OFPBIC, OFPP } = of13;

function groupMod(over: Partial<Outgoing<MessageOf<'group_mod'>>>): Outgoing<MessageOf<'group_mod'>> {
  return { type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [], ...over };
}
const bucket = (bucketId: number, port: number, weight = 0, ...before: Action[]) => ({
  ...{ bucketId, weight, watchPort: ANY, watchGroup: ANY },
  actions: [...before, output(port)],
});

describe('egress tables', () => {
  const FIRST = of15.OFPTFF.FIRST_EGRESS;
  const features = {
    config: 0,
    maxEntries: FLOWS_PER_TABLE_MAX,
    metadataMatch: 0n,
    metadataWrite: 0n,
    properties: [],
    name: '',
  };
  type Entry = TableFeatures;
  const table = (tableId: number, flags: number, over: Partial<Entry> = {}): Entry => {
    return { ...features, tableId, features: flags, command: of15.OFPTFC.MODIFY, ...over };
  };
  const ask = (bed: Bed, ...entries: Entry[]) =>
    bed.say({ type: 'multipart_request', flags: 0, body: { type: 'table_features', entries } });
  async function withEgress(first = 5): Promise<Bed> {
    const bed = new Bed(6);
    const replies = await ask(bed, table(first, FIRST));
    expect(replies.map(({ type }) => type)).not.toContain('error');
    return bed;
  }
  const flagsOf = async (bed: Bed) => {
    const parts = await bed.stats({ type: 'table_features', entries: [] });
    return parts.flatMap(({ entries }) => entries).map((entry) => entry.features);
  };
  const clear: Instruction = { type: 'clear_actions' };
  const goto = (tableId: number): Instruction => ({ type: 'goto_table', tableId });
  const vlan = (vid: number): Action => ({
    type: 'set_field',
    oxm: { field: 'vlan_vid', value: Uint8Array.from([0x10, vid]) },
  });

  it('are named by table features', async () => {
    const bed = await withEgress();
    const { INGRESS_TABLE, EGRESS_TABLE } = of15.OFPTFF;
    expect((await flagsOf(bed)).slice(3, 7)).toEqual([
      INGRESS_TABLE,
      INGRESS_TABLE,
      EGRESS_TABLE | FIRST,
      EGRESS_TABLE,
    ]);
    const parts = await bed.stats({ type: 'table_features', entries: [] });
    const able = new Map(parts.flatMap(({ entries }) => entries).map((entry) => [entry.tableId, entry.properties]));
    const ids = (tableId: number, type: string) => {
      const found = able.get(tableId)!.find((property) => property.type === type);
      return found !== undefined && 'ids' in found ? found.ids : [];
    };
    expect([ids(2, 'next_tables'), ids(4, 'next_tables')]).toEqual([[3, 4], []]);
    expect(ids(252, 'next_tables')).toEqual([253]);
    const moves = (tableId: number, type: string) =>
      ids(tableId, type).filter(
        (id) => 'type' in Object(id) && ['output', 'group'].includes((id as { type: string }).type),
      ).length;
    expect([moves(4, 'write_actions'), moves(5, 'write_actions'), moves(5, 'apply_actions')]).toEqual([2, 0, 2]);
    expect(ids(4, 'instructions')).not.toContainEqual({ type: 'goto_table' });
    await ask(bed, table(5, 0));
    expect((await flagsOf(bed)).slice(0, 2)).toEqual([INGRESS_TABLE, INGRESS_TABLE | EGRESS_TABLE]);
    bed.inject(1, tcpFrame());
  });

  it.each([
    ['is disabled', 3, [5]],
    ['is left out of all', 0, Array.from({ length: 5 }, (_, id) => id)],
  ])('are none when the first %s', async (_, command, ids) => {
    const bed = await withEgress();
    await ask(bed, ...ids.map((id) => table(id, 0, { command })));
    await bed.say(packetOut({ actions: [output(2)], data: tcpFrame() }));
    expect(bed.ports()).toEqual([2]);
  });

  it('as they were told, features can be sent back', async () => {
    const bed = new Bed(6);
    const parts = await bed.stats({ type: 'table_features', entries: [] });
    const [first] = parts.flatMap(({ entries }) => entries).filter(({ tableId }) => tableId === 9);
    const replies = await ask(bed, { ...first!, command: of15.OFPTFC.MODIFY, features: FIRST });
    expect(replies.map(({ type }) => type)).not.toContain('error');
    expect((await flagsOf(bed))[9]).toBe(of15.OFPTFF.EGRESS_TABLE | FIRST);
  });

  it.each([
    ['no table of ours', [table(254, FIRST)], of15.OFPTFFC.BAD_TABLE],
    ['table 0', [table(0, FIRST)], of15.OFPTFFC.BAD_FEATURES],
    ['two of them', [table(5, FIRST), table(6, FIRST)], of15.OFPTFFC.BAD_FEATURES],
    ['unknown flags', [table(5, 1 << 9)], of15.OFPTFFC.BAD_FEATURES],
    ['an unknown command', [table(5, FIRST, { command: 4 })], of15.OFPTFFC.BAD_COMMAND],
    ['a pipeline of one table', [table(5, FIRST, { command: 0 })], of15.OFPTFFC.EPERM],
  ])('refuse %s', async (_, entries, code) => {
    const [reply] = await ask(new Bed(6), ...entries);
    expect(reply).toMatchObject({ type: 'error', errorType: OFPET.TABLE_FEATURES_FAILED, errorCode: code });
  });

  it('are passed by each copy with its port', async () => {
    const bed = await withEgress();
    await bed.say(flowMod({ instructions: [apply(output(2), output(3), output(OFPP.IN_PORT))] }));
    const to = (port: number, ...instructions: Instruction[]) =>
      bed.say(flowMod({ tableId: 5, priority: 1, match: { actset_output: port }, instructions }));
    await to(2, apply({ type: 'push_vlan', ethertype: 0x8100 }, vlan(7)));
    await to(3, goto(6));
    await to(1, clear);
    await bed.say(
      flowMod({
        tableId: 6,
        instructions: [{ type: 'write_actions', actions: [{ type: 'set_nw_ttl', ttl: 9 }] }],
        match: { eth_type: 0x0800 },
      }),
    );
    const frame = tcpFrame();
    bed.inject(1, frame);
    expect(bed.outputs.map(({ port }) => port)).toEqual([2, 3]);
    const [tagged, other] = bed.outputs.map((out) => out.frame);
    expect([...tagged!.subarray(12, 16)]).toEqual([0x81, 0, 0, 7]);
    expect([other![12], other![22]]).toEqual([8, 9]);
  });

  it('drop what no flow matches, whoever sent it', async () => {
    const bed = await withEgress();
    const toAll = packetOut({ actions: [output(OFPP.ALL)], data: tcpFrame() });
    await bed.say(toAll);
    expect(bed.ports()).toEqual([]);
    await bed.say(flowMod({ tableId: 5, match: { actset_output: 3 } }));
    await bed.say(toAll);
    expect(bed.ports()).toEqual([3]);
    await ask(bed, table(5, 0));
    await bed.say(toAll);
    expect(bed.ports()).toEqual([1, 2, 3]);
  });

  it('send copies to further ports, which pass them too', async () => {
    const bed = await withEgress();
    await bed.say(groupMod({ buckets: [bucket(0, 3)] }));
    await bed.say(flowMod({ instructions: [apply(output(2))] }));
    const to = (port: number, ...instructions: Instruction[]) =>
      bed.say(flowMod({ tableId: 5, priority: 1, match: { actset_output: port }, instructions }));
    await to(2, apply({ type: 'group', groupId: 1 }, output(2)));
    await to(3, apply({ type: 'push_vlan', ethertype: 0x8100 }, vlan(7), output(2)));
    bed.inject(1, tcpFrame());
    expect(bed.outputs.map(({ port }) => port)).toEqual([3, 2]);
    expect(bed.outputs.map(({ frame }) => frame[12])).toEqual([0x81, 8]);
  });

  it('take no flows that would lead elsewhere', async () => {
    const bed = await withEgress();
    const wrong = (tableId: number, ...instructions: Instruction[]) => bed.error(flowMod({ tableId, instructions }));
    const badPort = [OFPET.BAD_ACTION, OFPBAC.BAD_OUT_PORT];
    expect(await wrong(6, { type: 'write_actions', actions: [output(2)] })).toEqual(badPort);
    expect(await wrong(5, { type: 'write_actions', actions: [output(OFPP.CONTROLLER)] })).toEqual(badPort);
    const group: Action = { type: 'group', groupId: 1 };
    await bed.say(groupMod({ buckets: [bucket(0, 2)] }));
    expect(await wrong(5, { type: 'write_actions', actions: [group] })).toEqual([
      OFPET.BAD_ACTION,
      OFPBAC.BAD_OUT_GROUP,
    ]);
    expect(await wrong(5, apply(output(OFPP.CONTROLLER), output(2), group))).toBeUndefined();
    expect(await wrong(4, goto(5))).toEqual([OFPET.BAD_INSTRUCTION, OFPBIC.BAD_TABLE_ID]);
    expect(await wrong(3, goto(4))).toBeUndefined();
    expect(await wrong(5, goto(6))).toBeUndefined();
  });

  it.each<[string, number, Instruction]>([
    ['a flow leads across', 4, goto(5)],
    ['a flow of theirs writes an output', 5, { type: 'write_actions', actions: [output(2)] }],
    ['a flow of theirs writes a group', 7, { type: 'write_actions', actions: [{ type: 'group', groupId: 1 }] }],
    [
      'a flow of theirs pauses packets',
      6,
      apply({ type: 'nx_clone', actions: [{ type: 'nx_controller2', pause: true }] }),
    ],
  ])('are not named while %s', async (_, tableId, instruction) => {
    const bed = new Bed(6);
    await bed.say(groupMod({ buckets: [bucket(0, 2)] }));
    expect(await bed.error(flowMod({ tableId, instructions: [instruction] }))).toBeUndefined();
    const [refused] = await ask(bed, table(5, FIRST), table(8, 0, { maxEntries: 9 }));
    expect(refused).toMatchObject({
      errorType: OFPET.TABLE_FEATURES_FAILED,
      errorCode: of15.OFPTFFC.BAD_FEATURES,
    });
    // Nothing of the request was carried out.
    expect((await flagsOf(bed))[5]).toBe(of15.OFPTFF.INGRESS_TABLE | of15.OFPTFF.EGRESS_TABLE);
    const entries = (await bed.stats({ type: 'table_features', entries: [] })).flatMap((part) => part.entries);
    expect(entries[8]!.maxEntries).toBe(FLOWS_PER_TABLE_MAX);
    expect(await bed.error(flowMod({ tableId, command: 3 }))).toBeUndefined();
    const [taken] = await ask(bed, table(5, FIRST));
    expect(taken).toMatchObject({ type: 'multipart_reply' });
  });

  it('are named where the flows in the way go with what the table was', async () => {
    const bed = new Bed(6);
    await bed.say(flowMod({ tableId: 5, instructions: [{ type: 'write_actions', actions: [output(2)] }] }));
    expect((await ask(bed, table(5, FIRST, { maxEntries: 9 })))[0]).toMatchObject({ type: 'multipart_reply' });
  });

  it('can be others while the flows suit', async () => {
    const bed = await withEgress(5);
    await bed.say(flowMod({ tableId: 5, instructions: [goto(6)] }));
    const [refused] = await ask(bed, table(6, FIRST), table(5, 0));
    expect(refused).toMatchObject({ type: 'error', errorCode: of15.OFPTFFC.BAD_FEATURES });
    expect((await ask(bed, table(4, FIRST), table(5, 0)))[0]).toMatchObject({ type: 'multipart_reply' });
    // Of a table that goes the flows go, too.
    const rest = Array.from({ length: 8 }, (_, id) => id).filter((id) => id !== 5);
    const replace = rest.map((id) => table(id, id === 6 ? FIRST : 0, { command: of15.OFPTFC.REPLACE }));
    expect((await ask(bed, ...replace))[0]).toMatchObject({ type: 'multipart_reply' });
    expect((await flagsOf(bed)).at(-2)).toBe(of15.OFPTFF.EGRESS_TABLE | FIRST);
  });
});
