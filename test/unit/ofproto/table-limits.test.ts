/** What the operator sets of tables before any controller comes. */
import { describe, expect, it } from 'vitest';
import { ModelDatapath } from '../../../src/datapath/model.js';
import { FLOWS_PER_TABLE_MAX } from '../../../src/ofproto/index.js';
import { TableSettings } from '../../../src/ofproto/table-settings.js';
import { Bed, flowMod } from './bed.js';

const EVICTION = 4;
/** OFPET_FLOW_MOD_FAILED, OFPFMFC_TABLE_FULL */
const TABLE_FULL = [5, 1];

describe('limits of tables', () => {
  it('are those of the last that names the table', () => {
    const settings = new TableSettings(new ModelDatapath(), () => {}, [
      { tableId: undefined, maxEntries: 100, evicts: false },
      { tableId: 3, maxEntries: 5, evicts: true },
    ]);
    expect(settings.of(0)).toMatchObject({ maxEntries: 100, config: 0 });
    expect(settings.of(3)).toMatchObject({ maxEntries: 5, config: EVICTION });
    expect(new TableSettings(new ModelDatapath(), () => {}).of(0).maxEntries).toBe(FLOWS_PER_TABLE_MAX);
  });

  it('change while flows are there', async () => {
    const bed = new Bed(6);
    for (const cookie of [2n, 3n]) await bed.say(flowMod({ cookie, match: { eth_type: Number(cookie) + 0x9000 } }));
    const add = () => bed.error(flowMod({ cookie: 4n, match: { eth_type: 0x9004 } }));
    expect(bed.ofproto.setTable(0, { maxEntries: 2, name: 'acl' })).toEqual({
      maxEntries: 2,
      evicts: false,
      groups: [],
      name: 'acl',
    });
    expect(await add()).toEqual(TABLE_FULL);
    expect(bed.ofproto.setTable(0, { evicts: true })).toMatchObject({ maxEntries: 2, evicts: true });
    expect(await add()).toBeUndefined();
    const [features] = await bed.stats({ type: 'table_features', entries: [] });
    expect(features!.entries[0]).toMatchObject({ name: 'acl', maxEntries: 2 });
  });

  it('make room in the largest group', async () => {
    const bed = new Bed(6, [{ tableId: 0, maxEntries: 3, evicts: true }]);
    const add = (cookie: bigint, port: number) =>
      bed.say(flowMod({ cookie, match: { in_port: port, eth_type: Number(cookie) + 0x9000 } }));
    const groups = [{ field: 'nxm_of_in_port', offset: 0, bits: 16 }] as const;
    expect(bed.ofproto.setTable(0, { groups })).toMatchObject({ evicts: true, groups });
    for (const [cookie, port] of [
      [2n, 1],
      [3n, 2],
      [4n, 2],
      [5n, 3],
    ] as const)
      await add(cookie, port);
    const flows: bigint[] = [];
    for await (const flow of bed.ofproto.flows()) flows.push(flow.cookie);
    expect(flows.sort()).toEqual([2n, 4n, 5n]);
  });

  it.each([
    [false, [2n, 3n], TABLE_FULL],
    [true, [3n, 4n], undefined],
  ])('hold: evicts %s', async (evicts, cookies, error) => {
    const bed = new Bed(6, [{ tableId: 0, maxEntries: 2, evicts }]);
    for (const cookie of [2n, 3n]) await bed.say(flowMod({ cookie, match: { eth_type: Number(cookie) + 0x9000 } }));
    expect(await bed.error(flowMod({ cookie: 4n, match: { eth_type: 0x9004 } }))).toEqual(error);
    const flows: bigint[] = [];
    for await (const flow of bed.ofproto.flows()) flows.push(flow.cookie);
    expect(flows.sort()).toEqual(cookies);
  });
});
