/** Queue statistics and descriptions (OpenFlow 1.0.2 §5.3.5, 1.3.5 §7.3.5.8, 1.4.1 §7.3.5.8, §7.3.5.10). */
import type { BodyCodec, Codec, Context, MultipartCodec } from '../codec/protocol.js';
import { experimenterProperty, present, propertyList, vendorProperties } from '../structures/properties.js';
import type {
  QueueDescReply,
  QueueDescRequest,
  QueueReply,
  QueueStats,
  QueueStatsRequest,
} from '../types/multipart.js';
import type { PacketQueue, QueueProperty, RateQueueProperty } from '../types/structures.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { listBody } from './body.js';

/** 1.0's port of 16 bits has two bytes of padding behind it. */
const portPadding = (ctx: Context): number => ctx.protocol.portNumbers.padding - 4;

function requestOf<Body extends QueueStatsRequest | QueueDescRequest>(type: Body['type']): BodyCodec<Body> {
  return {
    decode(r, ctx) {
      const portNo = ctx.protocol.portNumbers.decode(r);
      r.skip(portPadding(ctx));
      return { type, portNo, queueId: r.u32() } as Body;
    },
    encode(w, body, ctx) {
      ctx.protocol.portNumbers.encode(w, body.portNo);
      w.zero(portPadding(ctx));
      w.u32(body.queueId);
    },
  };
}

const request = requestOf<QueueStatsRequest>('queue');
const unknownTime = { durationSec: 0xffffffff, durationNsec: 0xffffffff };

/** Until 1.2 without a duration. */
function statsOf(hasDuration: boolean): MultipartCodec {
  const decode = (r: WireReader, ctx: Context): QueueStats => {
    const portNo = ctx.protocol.portNumbers.decode(r);
    r.skip(portPadding(ctx));
    return {
      portNo,
      queueId: r.u32(),
      txBytes: r.u64(),
      txPackets: r.u64(),
      txErrors: r.u64(),
      ...(hasDuration ? { durationSec: r.u32(), durationNsec: r.u32() } : unknownTime),
    };
  };
  const encode = (w: WireWriter, queue: QueueStats, ctx: Context): void => {
    ctx.protocol.portNumbers.encode(w, queue.portNo);
    w.zero(portPadding(ctx));
    w.u32(queue.queueId);
    w.u64(queue.txBytes);
    w.u64(queue.txPackets);
    w.u64(queue.txErrors);
    if (!hasDuration) return;
    w.u32(queue.durationSec);
    w.u32(queue.durationNsec);
  };
  return { code: 5, type: 'queue', request, reply: listBody<QueueReply>('queue', decode, encode) };
}

export const queue10 = statsOf(false);
export const queue = statsOf(true);

const statsProperties = vendorProperties('queue statistics');

function decode14(whole: WireReader, ctx: Context): QueueStats {
  const r = whole.sized(0);
  r.skip(8);
  const [portNo, queueId] = [r.u32(), r.u32()];
  const [txBytes, txPackets, txErrors] = [r.u64(), r.u64(), r.u64()];
  const duration = { durationSec: r.u32(), durationNsec: r.u32() };
  return { portNo, queueId, txBytes, txPackets, txErrors, ...duration, ...present(statsProperties.decode(r, ctx)) };
}

function encode14(w: WireWriter, stats: QueueStats, ctx: Context): void {
  const start = w.mark();
  w.zero(8);
  w.u32(stats.portNo);
  w.u32(stats.queueId);
  w.u64(stats.txBytes);
  w.u64(stats.txPackets);
  w.u64(stats.txErrors);
  w.u32(stats.durationSec);
  w.u32(stats.durationNsec);
  statsProperties.encode(w, stats.properties, ctx);
  w.patchLength(start, 0);
}

export const queue14: MultipartCodec = {
  code: 5,
  type: 'queue',
  request,
  reply: listBody<QueueReply>('queue', decode14, encode14),
};

function rate(code: number, type: RateQueueProperty['type']): Codec<RateQueueProperty> {
  return {
    code,
    type,
    decode(r) {
      const value = r.u16();
      r.skip(2);
      return { type, rate: value };
    },
    encode(w, property) {
      w.u16(property.rate);
      w.zero(2);
    },
  };
}

const descProperties = propertyList<QueueProperty>('queue', [
  rate(1, 'min_rate'),
  rate(2, 'max_rate'),
  experimenterProperty,
] as Codec<QueueProperty>[]);

const descLengthAt = 8;

function decodeDesc(whole: WireReader, ctx: Context): PacketQueue {
  const r = whole.sized(descLengthAt);
  const [port, queueId] = [r.u32(), r.u32()];
  r.skip(8);
  return { queueId, port, properties: descProperties.decode(r, ctx) };
}

function encodeDesc(w: WireWriter, desc: PacketQueue, ctx: Context): void {
  const start = w.mark();
  w.u32(desc.port);
  w.u32(desc.queueId);
  w.zero(8);
  // The property of an experimenter has a type of its own since 1.4.
  const properties = desc.properties.map((one) => (one.type === 'experimenter' ? { expType: 0, ...one } : one));
  descProperties.encode(w, properties, ctx);
  w.patchLength(start, descLengthAt);
}

export const queueDesc: MultipartCodec = {
  code: 15,
  type: 'queue_desc',
  request: requestOf<QueueDescRequest>('queue_desc'),
  reply: listBody<QueueDescReply>('queue_desc', decodeDesc, encodeDesc),
};
