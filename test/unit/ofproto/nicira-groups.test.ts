/** Groups of OpenFlow 1.0, which are Nicira's in 1.5's form. */
import { type ErrorMessage, errorName, type GroupProperty, type MessageOf, type Outgoing } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { ANY, Bed, output } from './bed.js';

const VERSION_10 = 1;
const method: GroupProperty = {
  ...{ type: 'selection_method', method: 'hash', parameter: 7n },
  fields: [{ field: 'ipv4_src', mask: new Uint8Array(4).fill(0xff) }],
};
const bucket = (bucketId: number, port = bucketId) => ({
  ...{ bucketId, weight: 1, watchPort: ANY, watchGroup: ANY },
  actions: [output(port)],
});
function groupMod(over: Partial<MessageOf<'group_mod'>> = {}): Outgoing<MessageOf<'group_mod'>> {
  const buckets = [bucket(2), bucket(3)];
  return { type: 'group_mod', command: 0, groupType: 1, groupId: 1, buckets, properties: [method], ...over };
}
const described = async (bed: Bed) => (await bed.stats({ type: 'group_desc' })).flatMap(({ entries }) => entries);
async function refusal(bed: Bed, message: Outgoing): Promise<string | undefined> {
  const [reply] = (await bed.say(message)) as ErrorMessage[];
  return reply && errorName(reply.errorType, reply.errorCode, reply.version, reply);
}

describe("1.0's groups", () => {
  it('are told with how they choose and with the numbers of their buckets', async () => {
    const bed = new Bed(VERSION_10);
    expect(await bed.say(groupMod())).toEqual([]);
    const [told] = await described(bed);
    expect(told).toMatchObject({ groupId: 1, groupType: 1, properties: [method] });
    expect(told!.buckets.map(({ bucketId }) => bucketId)).toEqual([2, 3]);
    expect((await bed.stats({ type: 'group', groupId: 1 }))[0]!.entries[0]).toMatchObject({ groupId: 1 });
    expect((await bed.stats({ type: 'group_features' }))[0]).toMatchObject({ types: 0b1111 });
  });

  it('take single buckets in and out', async () => {
    const bed = new Bed(VERSION_10);
    await bed.say(groupMod());
    await bed.say(groupMod({ command: 5, commandBucketId: 2, buckets: [], properties: [] }));
    await bed.say(groupMod({ command: 3, commandBucketId: 0xfffffffe, buckets: [bucket(9, 1)], properties: [] }));
    expect((await described(bed))[0]!.buckets.map(({ bucketId }) => bucketId)).toEqual([3, 9]);
  });

  it("are refused with Nicira's errors", async () => {
    const bed = new Bed(VERSION_10);
    await bed.say(groupMod());
    expect(await refusal(bed, groupMod())).toBe('OFPGMFC_GROUP_EXISTS');
    expect(await refusal(bed, groupMod({ groupId: 5, command: 1 }))).toBe('OFPGMFC_UNKNOWN_GROUP');
    const other = { ...method, method: 'other' } as GroupProperty;
    expect(await refusal(bed, groupMod({ groupId: 6, properties: [other] }))).toBe('OFPBPC_BAD_VALUE');
  });
});
