/** What a packet is chosen for: buckets of a group (OpenFlow 1.3.5 §5.6.1), samples. */
import type { Bucket, Group } from './model-groups.js';
import { hasField } from './model-nicira.js';
import { fieldId } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import type { ModelState } from './model-state.js';
import type { SampleRecord } from './records-learn.js';
import type { SelectionRecord } from './records-selection.js';
import { GroupType, SelectionMethod } from './schema.gen.js';

export function isLive({ groups, ports }: ModelState, bucket: Bucket): boolean {
  return groups.isLive(bucket, (port) => ports.get(port)?.live ?? false);
}

/** The buckets of a group that a packet takes. */
export function chosenBuckets(state: ModelState, group: Group, packet: ModelPacket): readonly Bucket[] {
  const { type, buckets } = group;
  if (type !== GroupType.select && type !== GroupType.ff) return buckets;
  const live = buckets.filter((bucket) => isLive(state, bucket));
  return type === GroupType.select ? selected(live, selectionHash(group.selection, packet)) : live.slice(0, 1);
}

/** Probability of a sample that is taken of every packet. */
const SAMPLE_ALWAYS = 0xffff;

export function countSample(state: ModelState, packet: ModelPacket, sample: SampleRecord): void {
  const count = state.samples.get(sample.collectorSet);
  if (count === undefined) return;
  if (sample.probability < SAMPLE_ALWAYS && Math.random() * (SAMPLE_ALWAYS + 1) >= sample.probability) return;
  count.packets++;
  count.bytes += BigInt(packet.frame.length);
}

/** A select group spreads flows by weight; all packets of a flow take the same bucket. */
function selected(live: readonly Bucket[], hash: number): readonly Bucket[] {
  const total = live.reduce((sum, { record }) => sum + record.weight, 0);
  if (total === 0) return [];
  let point = hash % total;
  for (const bucket of live) {
    point -= bucket.record.weight;
    if (point < 0) return [bucket];
  }
  return [];
}

const hashed = [
  'eth_src',
  'eth_dst',
  'eth_type',
  'ip_proto',
  'ipv4_src',
  'ipv4_dst',
  'ipv6_src',
  'ipv6_dst',
  'arp_spa',
  'arp_tpa',
  'tcp_src',
  'tcp_dst',
  'udp_src',
  'udp_dst',
  'sctp_src',
  'sctp_dst',
] as const;

/** What makes a flow. Which bucket a flow takes may differ from the native datapath. */
export function flowHash(packet: ModelPacket): number {
  return hashOf(hashed.map((name) => packet.field(fieldId[name])));
}

/** What the group says counts; a field that the packet does not have does not. */
export function selectionHash({ method, parameter, fields }: SelectionRecord, packet: ModelPacket): number {
  if (method === SelectionMethod.default) return flowHash(packet);
  if (fields.length === 0) return hashOf([parameter, BigInt(flowHash(packet))]);
  const values = fields
    .filter(({ field }) => hasField(packet, field))
    .map(({ field, mask }) => packet.field(field) & mask);
  return hashOf([parameter, ...values]);
}

/** FNV-1a. */
function hashOf(values: readonly bigint[]): number {
  let hash = 0xcbf29ce484222325n;
  for (const value of values) hash = ((hash ^ value) * 0x100000001b3n) & 0xffffffffffffffffn;
  return Number((hash ^ (hash >> 32n)) & 0x7fffffffn);
}
