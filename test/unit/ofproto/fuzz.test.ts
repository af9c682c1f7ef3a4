/** Nothing that a controller sends makes ofproto throw: valid messages with bytes changed, cut and put in. */
import { decodeMessage, encodeMessage, type Instruction, type Message, type Outgoing, oxm } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { Random } from '../../differential/random.js';
import { ANY, apply, Bed, FakeController, flowMod, output, packetOut } from './bed.js';

const bucket = { weight: 0, watchPort: ANY, watchGroup: ANY, actions: [output(1)] };
const every: readonly Instruction[] = [
  { type: 'meter', meterId: 1 },
  apply(
    { type: 'push_vlan', ethertype: 0x8100 },
    { type: 'set_field', oxm: oxm('vlan_vid', 0x1005) },
    { type: 'set_field', oxm: oxm('ipv4_dst', '10.0.0.1') },
    { type: 'dec_nw_ttl' },
    { type: 'group', groupId: 1 },
    output(0xfffffffd, 64),
  ),
  { type: 'write_actions', actions: [{ type: 'pop_vlan' }, output(0xfffffffb)] },
  { type: 'write_metadata', metadata: 1n, metadataMask: 3n },
  { type: 'goto_table', tableId: 3 },
];
const table = { tableId: 0, name: 'x', metadataMatch: 0n, metadataWrite: 0n, config: 0, maxEntries: 1 };
const stats = (body: object) => ({ type: 'multipart_request', flags: 0, body }) as Outgoing;
const flowStats = {
  tableId: 255,
  outPort: ANY,
  outGroup: ANY,
  cookie: 0n,
  cookieMask: 0n,
  match: [oxm('eth_type', 0x800)],
};

const corpus: readonly Outgoing[] = [
  flowMod({ match: { eth_type: 0x0800, ip_proto: 6, ipv4_src: '10.0.0.0/8', tcp_dst: 80 }, instructions: every }),
  flowMod({
    match: { in_port: 1, vlan_vid: 0x1001, eth_type: 0x86dd, ipv6_src: 'fd00::/64' },
    instructions: [apply(output(2))],
  }),
  flowMod({ command: 3, tableId: 255 }),
  packetOut({ actions: [output(0xfffffff9)], inPort: 1 }),
  { type: 'group_mod', command: 0, groupType: 1, groupId: 1, buckets: [bucket, bucket] },
  { type: 'meter_mod', command: 0, flags: 5, meterId: 1, bands: [{ type: 'drop', rate: 5, burstSize: 6 }] },
  { type: 'port_mod', portNo: 1, hwAddr: Uint8Array.of(2, 0, 0, 0, 0, 1), config: 1, mask: 1, advertise: 0 },
  { type: 'table_mod', tableId: 1, config: 0 },
  { type: 'set_config', flags: 0, missSendLen: 128 },
  { type: 'get_config_request' },
  { type: 'features_request' },
  { type: 'queue_get_config_request', port: 1 },
  { type: 'experimenter', experimenter: 1, expType: 2, data: new Uint8Array(4) },
  stats({ type: 'flow', ...flowStats }),
  stats({ type: 'aggregate', ...flowStats }),
  stats({ type: 'group', groupId: ANY }),
  stats({ type: 'meter', meterId: ANY }),
  stats({ type: 'port_stats', portNo: ANY }),
  stats({ type: 'queue', portNo: ANY, queueId: ANY }),
  stats({
    type: 'table_features',
    entries: [
      {
        ...table,
        properties: [
          { type: 'next_tables', ids: [1, 2] },
          { type: 'match', ids: [{ field: 'eth_type', hasMask: false }] },
        ],
      },
    ],
  }),
];

const masked = { field: 'ipv4_dst', value: Uint8Array.of(0, 9, 0, 7), mask: Uint8Array.of(0, 255, 0, 255) } as const;
const copy = { field: 'ipv4_src', hasMask: false } as const;
const corpus15: readonly Outgoing[] = [
  flowMod({
    match: { eth_type: 0x0800, actset_output: 2 },
    instructions: [
      apply(
        output(2),
        { type: 'meter', meterId: 1 },
        { type: 'set_field', oxm: masked },
        { type: 'copy_field', nBits: 8, srcOffset: 0, dstOffset: 3, src: copy, dst: copy },
      ),
      { type: 'stat_trigger', flags: 1, thresholds: [{ field: 'packet_count', count: 3n }] },
    ],
  }),
  { type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [bucket, bucket] },
  {
    type: 'group_mod',
    command: 3,
    groupType: 0,
    groupId: 1,
    commandBucketId: 1,
    buckets: [{ ...bucket, bucketId: 9 }],
  },
  { type: 'group_mod', command: 5, groupType: 0, groupId: 1, commandBucketId: 1, buckets: [] },
  { type: 'meter_mod', command: 0, flags: 5, meterId: 1, bands: [{ type: 'drop', rate: 5, burstSize: 6 }] },
  stats({ type: 'flow_stats', ...flowStats }),
  stats({ type: 'group_desc', groupId: 1 }),
];

function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  let copy = bytes.slice();
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = 4 + random.below(copy.length - 4);
    switch (random.below(5)) {
      case 0:
        copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 1:
        copy = Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + 8 * random.below(3))]);
        break;
      case 2:
        copy = Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at - (at % 8), at), ...copy.subarray(at)]);
        break;
      default:
        copy[at]! ^= 1 << random.below(8);
    }
    if (copy.length < 9) return bytes;
  }
  copy[2] = copy.length >> 8;
  copy[3] = copy.length & 0xff;
  return copy;
}

describe('mutated messages', () => {
  it.each([
    [4, 1],
    [4, 2],
    [4, 3],
    [4, 4],
    [6, 5],
    [6, 6],
  ])('wire version %i, seed %i', async (version, seed) => {
    const random = new Random(seed);
    const bed = new Bed(version);
    const controller = new FakeController(version);
    const messages = (version === 4 ? corpus : corpus15).map((message) =>
      encodeMessage({ ...message, version, xid: 7 } as Message),
    );
    const rounds = version === 4 ? 4000 : 1000;
    let handled = 0;
    for (let i = 0; i < rounds; i++) {
      const bytes = mutated(random, random.pick(messages));
      const decoded = decodeMessage(bytes, { version, unknown: 'refuse' });
      if (!decoded.ok) continue;
      handled++;
      await bed.ofproto.handle(controller, decoded.message);
      if (i % 100 === 0) bed.ofproto.barrier();
      controller.received.length = 0;
    }
    bed.ofproto.barrier();
    expect(handled).toBeGreaterThan(rounds / 4);
    expect(await bed.say({ type: 'features_request' })).toMatchObject([{ type: 'features_reply' }]);
  });
});
