/** Group statistics, descriptions and features (OpenFlow 1.3.5 §7.3.5.9 to §7.3.5.11, 1.5.1 §7.3.5.10 and on). */
import type { BodyCodec, Context, MultipartCodec } from '../codec/protocol.js';
import { OFPG } from '../of13/constants.js';
import { refuseOther, refuseProperties } from '../structures/expressible.js';
import { groupProperties } from '../structures/group-properties.js';
import { present } from '../structures/properties.js';
import type {
  GroupDesc,
  GroupDescReply,
  GroupDescRequest,
  GroupFeaturesReply,
  GroupReply,
  GroupStats,
  GroupStatsRequest,
  PacketByteCount,
} from '../types/multipart.js';
import { EncodeError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { emptyBody, listBody } from './body.js';

function requestOf<Body extends GroupStatsRequest | GroupDescRequest>(type: Body['type']): BodyCodec<Body> {
  return {
    decode(r) {
      const groupId = r.u32();
      r.skip(4);
      return { type, groupId } as Body;
    },
    encode(w, body) {
      w.u32(body.groupId ?? OFPG.ALL);
      w.zero(4);
    },
  };
}
const request = requestOf<GroupStatsRequest>('group');
const unknownTime = { durationSec: 0xffffffff, durationNsec: 0xffffffff };

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

/** Until 1.2 without a duration. */
function decodeStats(r: WireReader, hasDuration: boolean): GroupStats {
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
    ...(hasDuration ? { durationSec: stats.u32(), durationNsec: stats.u32() } : unknownTime),
    buckets: decodeCounts(stats),
  };
}

function encodeStats(w: WireWriter, stats: GroupStats, hasDuration: boolean): void {
  const start = w.mark();
  w.u16(0);
  w.zero(2);
  w.u32(stats.groupId);
  w.u32(stats.refCount);
  w.zero(4);
  w.u64(stats.packetCount);
  w.u64(stats.byteCount);
  if (hasDuration) {
    w.u32(stats.durationSec);
    w.u32(stats.durationNsec);
  }
  encodeCounts(w, stats.buckets);
  w.patchLength(start, 0);
}

function decodeDesc(r: WireReader, ctx: Context): GroupDesc {
  const desc = r.sized(0);
  desc.skip(2);
  const groupType = desc.u8();
  desc.skip(1);
  return { groupType, groupId: desc.u32(), buckets: ctx.protocol.buckets.decode(desc, groupType, ctx) };
}

function encodeDesc(w: WireWriter, desc: GroupDesc, ctx: Context): void {
  refuseProperties(desc.properties, ctx, 'group property');
  const start = w.mark();
  w.u16(0);
  w.u8(desc.groupType);
  w.zero(1);
  w.u32(desc.groupId);
  ctx.protocol.buckets.encode(w, desc.buckets, desc.groupType, ctx);
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

function groupOf(hasDuration: boolean): MultipartCodec {
  return {
    code: 6,
    type: 'group',
    request,
    reply: listBody<GroupReply>(
      'group',
      (r) => decodeStats(r, hasDuration),
      (w, stats) => encodeStats(w, stats, hasDuration),
    ),
  };
}

export const group11 = groupOf(false);
export const group = groupOf(true);

export const groupDesc: MultipartCodec = {
  code: 7,
  type: 'group_desc',
  request: {
    decode: () => ({ type: 'group_desc' }),
    encode: (_, body, ctx) => refuseOther((body as GroupDescRequest).groupId, OFPG.ALL, 'request for one group', ctx),
  },
  reply: listBody<GroupDescReply>('group_desc', decodeDesc, encodeDesc),
};

export const groupFeatures: MultipartCodec = {
  code: 8,
  type: 'group_features',
  request: emptyBody('group_features'),
  reply: features,
};

function decodeDesc15(r: WireReader, ctx: Context): GroupDesc {
  const desc = r.sized(0);
  desc.skip(2);
  const groupType = desc.u8();
  desc.skip(1);
  const groupId = desc.u32();
  const length = desc.u16();
  desc.skip(6);
  const buckets = ctx.protocol.buckets.decode(desc.sub(length), groupType, ctx);
  return { groupType, groupId, buckets, ...present(groupProperties.decode(desc, ctx)) };
}

function encodeDesc15(w: WireWriter, desc: GroupDesc, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u8(desc.groupType);
  w.zero(1);
  w.u32(desc.groupId);
  const lengthAt = w.mark();
  w.zero(8);
  const bucketsStart = w.mark();
  ctx.protocol.buckets.encode(w, desc.buckets, desc.groupType, ctx);
  const length = w.mark() - bucketsStart;
  if (length > 0xffff) throw new EncodeError(`${length} bytes of buckets`);
  w.patchU16(lengthAt, length);
  groupProperties.encode(w, desc.properties, ctx);
  w.patchLength(start, 0);
}

export const groupDesc15: MultipartCodec = {
  code: 7,
  type: 'group_desc',
  request: requestOf<GroupDescRequest>('group_desc'),
  reply: listBody<GroupDescReply>('group_desc', decodeDesc15, encodeDesc15),
};
