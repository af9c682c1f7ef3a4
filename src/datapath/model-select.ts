/** Which bucket of a select group a packet takes (OpenFlow 1.3.5 §5.6.1). */
import type { Bucket } from './model-groups.js';
import { hasField } from './model-nicira.js';
import { fieldId } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import type { SelectionRecord } from './records-selection.js';
import { SelectionMethod } from './schema.gen.js';

/** A select group spreads flows by weight; all packets of a flow take the same bucket. */
export function selected(live: readonly Bucket[], hash: number): readonly Bucket[] {
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
