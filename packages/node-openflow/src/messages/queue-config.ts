/** ofp_queue_get_config_request and _reply (OpenFlow 1.0.2 §5.3.4, 1.3.5 §7.3.6); since 1.4 a multipart. */
import { decodeQueueProperties, encodeQueueProperties } from '../codec/lists.js';
import type { MessageCodec, Structure } from '../codec/protocol.js';
import type { QueueGetConfigReply, QueueGetConfigRequest } from '../types/message.js';
import type { PacketQueue } from '../types/structures.js';

function request(code: number, padding: number): MessageCodec<QueueGetConfigRequest> {
  return {
    code,
    type: 'queue_get_config_request',
    decode(r, { version, xid }, ctx) {
      const port = ctx.protocol.portNumbers.decode(r);
      r.skip(padding);
      return { version, xid, type: 'queue_get_config_request', port };
    },
    encode(w, message, ctx) {
      ctx.protocol.portNumbers.encode(w, message.port);
      w.zero(padding);
    },
  };
}

/** A queue without its port, which the reply says (1.0 and 1.1). */
const shortQueue = (port: number): Structure<PacketQueue> => ({
  decode(r, ctx) {
    const queue = r.sized(4);
    const queueId = queue.u32();
    queue.skip(4);
    return { queueId, port, properties: decodeQueueProperties(queue, ctx) };
  },
  encode(w, queue, ctx) {
    const start = w.mark();
    w.u32(queue.queueId);
    w.zero(4);
    encodeQueueProperties(w, queue.properties, ctx);
    w.patchLength(start, 4);
  },
});

const queueLengthAt = 8;
const longQueue: Structure<PacketQueue> = {
  decode(r, ctx) {
    const queue = r.sized(queueLengthAt);
    const queueId = queue.u32();
    const port = queue.u32();
    queue.skip(8);
    return { queueId, port, properties: decodeQueueProperties(queue, ctx) };
  },
  encode(w, queue, ctx) {
    const start = w.mark();
    w.u32(queue.queueId);
    w.u32(queue.port);
    w.zero(8);
    encodeQueueProperties(w, queue.properties, ctx);
    w.patchLength(start, queueLengthAt);
  },
};

function reply(code: number, queueAt: (port: number) => Structure<PacketQueue>): MessageCodec<QueueGetConfigReply> {
  return {
    code,
    type: 'queue_get_config_reply',
    decode(r, { version, xid }, ctx) {
      const port = ctx.protocol.portNumbers.decode(r);
      r.skip(ctx.protocol.portNumbers.padding);
      const queues: PacketQueue[] = [];
      while (r.remaining > 0) queues.push(queueAt(port).decode(r, ctx));
      return { version, xid, type: 'queue_get_config_reply', port, queues };
    },
    encode(w, message, ctx) {
      ctx.protocol.portNumbers.encode(w, message.port);
      w.zero(ctx.protocol.portNumbers.padding);
      for (const queue of message.queues) queueAt(message.port).encode(w, queue, ctx);
    },
  };
}

export const queueGetConfigRequest10 = request(20, 2);
export const queueGetConfigReply10 = reply(21, shortQueue);
export const queueGetConfigRequest = request(22, 4);
export const queueGetConfigReply11 = reply(23, shortQueue);
export const queueGetConfigReply = reply(23, () => longQueue);
