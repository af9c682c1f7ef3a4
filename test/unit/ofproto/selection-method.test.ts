/** How a select group chooses a bucket: Netronome's group property, as Open vSwitch has it. */
import type { GroupProperty, MessageOf, Outgoing } from 'node-openflow';
import { of14 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { tcp, tcpFrame } from '../../differential/frames.js';
import { ANY, apply, Bed, flowMod, output } from './bed.js';

const { OFPBPC, OFPET } = of14;
const VERSION_15 = 6;
const bucket = (bucketId: number) => ({
  ...{ bucketId, weight: 1, watchPort: ANY, watchGroup: ANY },
  actions: [output(bucketId)],
});
const full = (bytes: number) => new Uint8Array(bytes).fill(0xff);
const source = { field: 'ipv4_src', mask: full(4) } as const;

function method(over: object = {}): GroupProperty {
  return { type: 'selection_method', method: 'hash', parameter: 0n, fields: [source], ...over } as GroupProperty;
}
function groupMod(properties: GroupProperty[], over: object = {}): Outgoing<MessageOf<'group_mod'>> {
  const buckets = [bucket(2), bucket(3)];
  return { type: 'group_mod', command: 0, groupType: 1, groupId: 1, buckets, properties, ...over };
}
const described = async (bed: Bed) => (await bed.stats({ type: 'group_desc' })).flatMap((part) => part.entries);

describe('the selection method of a group', () => {
  it.each([
    ['all that makes a flow', method({ fields: [], parameter: 7n })],
    ['a hash of the switch', method({ method: 'dp_hash', fields: [], parameter: 1n << 40n })],
    ['fields', method({ fields: [{ field: 'eth_dst', mask: full(6) }, source] })],
    ['some bits of fields', method({ fields: [{ field: 'vlan_vid', mask: Uint8Array.of(0x0f, 0xf0) }, source] })],
  ])('is told as it was asked for: %s', async (_, property) => {
    const bed = new Bed(VERSION_15);
    expect(await bed.error(groupMod([property]))).toBeUndefined();
    expect((await described(bed))[0]?.properties).toEqual([property]);
  });

  it('is not told where there is none, and goes with a modify that names none', async () => {
    const bed = new Bed(VERSION_15);
    await bed.say(groupMod([method()]));
    await bed.say(groupMod([], { command: 1 }));
    expect((await described(bed))[0]?.properties).toBeUndefined();
  });

  it('stays when buckets come and go', async () => {
    const bed = new Bed(VERSION_15);
    await bed.say(groupMod([method()]));
    await bed.say(groupMod([], { command: 5, commandBucketId: 2, buckets: [] }));
    expect((await described(bed))[0]).toMatchObject({ properties: [method()], buckets: [{ bucketId: 3 }] });
  });

  it('with a name that is no text is refused as any other that is not known', async () => {
    const bed = new Bed(VERSION_15);
    expect(await bed.error(groupMod([method({ method: '\xff'.repeat(15) })]))).toEqual([
      OFPET.BAD_PROPERTY,
      OFPBPC.BAD_VALUE,
    ]);
  });

  it('leaves out of the choice what it does not name', async () => {
    const bed = new Bed(VERSION_15);
    await bed.say(groupMod([method()]));
    await bed.say(flowMod({ instructions: [apply({ type: 'group', groupId: 1 })] }));
    for (let port = 0; port < 32; port++) bed.inject(1, tcpFrame({}, { l4: tcp(1000 + port, 80) }));
    const counts = (await bed.stats({ type: 'group', groupId: 1 }))[0]!.entries[0]!.buckets;
    expect(counts.map(({ packetCount }) => packetCount).sort()).toEqual([0n, 32n]);
  });

  it.each([
    ['another name', [method({ method: 'round_robin' })], {}, OFPBPC.BAD_VALUE],
    ['fields for dp_hash', [method({ method: 'dp_hash' })], {}, OFPBPC.BAD_VALUE],
    ['a field twice', [method({ fields: [source, source] })], {}, OFPBPC.BAD_VALUE],
    ['no bit of a field', [method({ fields: [{ ...source, mask: new Uint8Array(4) }] })], {}, OFPBPC.BAD_VALUE],
    ['another type of group', [method()], { groupType: 0, buckets: [] }, OFPBPC.BAD_VALUE],
    ['a bucket that comes', [method()], { command: 3, commandBucketId: 0xfffffffe }, OFPBPC.BAD_VALUE],
    ['two', [method(), method()], {}, OFPBPC.DUP_TYPE],
    [
      'another property of the same vendor',
      [{ type: 'experimenter', experimenter: 0x154d, expType: 2, data: full(4) }],
      {},
      OFPBPC.BAD_EXP_TYPE,
    ],
    [
      "another vendor's",
      [{ type: 'experimenter', experimenter: 1, expType: 1, data: full(4) }],
      {},
      OFPBPC.BAD_EXPERIMENTER,
    ],
  ] as [string, GroupProperty[], object, number][])('%s is refused', async (_, properties, over, code) => {
    const bed = new Bed(VERSION_15);
    expect(await bed.error(groupMod(properties, over))).toEqual([OFPET.BAD_PROPERTY, code]);
    expect(await described(bed)).toEqual([]);
  });
});
