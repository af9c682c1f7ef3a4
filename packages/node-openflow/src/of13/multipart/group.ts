/** Group statistics, descriptions and features (OpenFlow 1.3.5 §7.3.5.9 to §7.3.5.11). */
import type { BodyCodec, Context, MultipartCodec } from '../../codec/protocol.js';
import type {
  GroupDesc,
  GroupDescReply,
  GroupFeaturesReply,
  GroupReply,
  GroupStats,
  GroupStatsRequest,
  PacketByteCount,
} from '../../types/multipart.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import { decodeBuckets, encodeBuckets } from '../structures.js';
import { emptyBody, listBody } from './body.js';

const request: BodyCodec<GroupStatsRequest> = {
  decode(r) {
    const groupId = r.u32();
    r.skip(4);
    return { type: 'group', groupId };
  },
  encode(w, body) {
    w.u32(body.groupId);
    w.zero(4);
  },
};

/** Packet and byte counters of buckets or bands, until the reader's end. */
export function decodeCounts(r: WireReader): readonly PacketByteCount[] {
  const counts: PacketByteCount[] = [];
  while (r.remaining > 0) counts.push({ packetCount: r.u64(), byteCount: r.u64() });
  return counts;
}

export function encodeCounts(w: WireWriter, counts: readonly PacketByteCount[]): void {
  for (const count of counts) {
    w.u64(count.packetCount);
    w.u64(count.byteCount);
  }
}

function decodeStats(r: WireReader): GroupStats {
  const stats = r.sized(0);
  stats.skip(4);
  const groupId = stats.u32();
  const refCount = stats.u32();
  stats.skip(4);
  return {
    groupId,
    refCount,
    packetCount: stats.u64(),
    byteCount: stats.u64(),
    durationSec: stats.u32(),
    durationNsec: stats.u32(),
    buckets: decodeCounts(stats),
  };
}

function encodeStats(w: WireWriter, stats: GroupStats): void {
  const start = w.mark();
  w.u16(0);
  w.zero(2);
  w.u32(stats.groupId);
  w.u32(stats.refCount);
  w.zero(4);
  w.u64(stats.packetCount);
  w.u64(stats.byteCount);
  w.u32(stats.durationSec);
  w.u32(stats.durationNsec);
  encodeCounts(w, stats.buckets);
  w.patchLength(start, 0);
}

function decodeDesc(r: WireReader, ctx: Context): GroupDesc {
  const desc = r.sized(0);
  desc.skip(2);
  const groupType = desc.u8();
  desc.skip(1);
  return { groupType, groupId: desc.u32(), buckets: decodeBuckets(desc, ctx) };
}

function encodeDesc(w: WireWriter, desc: GroupDesc, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u8(desc.groupType);
  w.zero(1);
  w.u32(desc.groupId);
  encodeBuckets(w, desc.buckets, ctx);
  w.patchLength(start, 0);
}

const features: BodyCodec<GroupFeaturesReply> = {
  decode: (r) => ({
    type: 'group_features',
    types: r.u32(),
    capabilities: r.u32(),
    maxGroups: [r.u32(), r.u32(), r.u32(), r.u32()],
    actions: [r.u32(), r.u32(), r.u32(), r.u32()],
  }),
  encode(w, body) {
    w.u32(body.types);
    w.u32(body.capabilities);
    for (const count of body.maxGroups) w.u32(count);
    for (const bits of body.actions) w.u32(bits);
  },
};

export const group: MultipartCodec = {
  code: 6,
  type: 'group',
  request,
  reply: listBody<GroupReply>('group', decodeStats, encodeStats),
};

export const groupDesc: MultipartCodec = {
  code: 7,
  type: 'group_desc',
  request: emptyBody('group_desc'),
  reply: listBody<GroupDescReply>('group_desc', decodeDesc, encodeDesc),
};

export const groupFeatures: MultipartCodec = {
  code: 8,
  type: 'group_features',
  request: emptyBody('group_features'),
  reply: features,
};
