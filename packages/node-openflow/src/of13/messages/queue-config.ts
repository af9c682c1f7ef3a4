/** ofp_queue_get_config_request and _reply (OpenFlow 1.3.5 §7.3.6). */
import { decodeQueueProperties, encodeQueueProperties } from '../../codec/lists.js';
import type { Context, MessageCodec } from '../../codec/protocol.js';
import type { QueueGetConfigReply, QueueGetConfigRequest } from '../../types/message.js';
import type { PacketQueue } from '../../types/structures.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';

export const queueGetConfigRequest: MessageCodec<QueueGetConfigRequest> = {
  code: 22,
  type: 'queue_get_config_request',
  decode(r, { version, xid }) {
    const port = r.u32();
    r.skip(4);
    return { version, xid, type: 'queue_get_config_request', port };
  },
  encode(w, message) {
    w.u32(message.port);
    w.zero(4);
  },
};

const queueLengthAt = 8;

function decodeQueue(r: WireReader, ctx: Context): PacketQueue {
  const queue = r.sized(queueLengthAt);
  const queueId = queue.u32();
  const port = queue.u32();
  queue.skip(8);
  return { queueId, port, properties: decodeQueueProperties(queue, ctx) };
}

function encodeQueue(w: WireWriter, queue: PacketQueue, ctx: Context): void {
  const start = w.mark();
  w.u32(queue.queueId);
  w.u32(queue.port);
  w.u16(0);
  w.zero(6);
  encodeQueueProperties(w, queue.properties, ctx);
  w.patchLength(start, queueLengthAt);
}

export const queueGetConfigReply: MessageCodec<QueueGetConfigReply> = {
  code: 23,
  type: 'queue_get_config_reply',
  decode(r, { version, xid }, ctx) {
    const port = r.u32();
    r.skip(4);
    const queues: PacketQueue[] = [];
    while (r.remaining > 0) queues.push(decodeQueue(r, ctx));
    return { version, xid, type: 'queue_get_config_reply', port, queues };
  },
  encode(w, message, ctx) {
    w.u32(message.port);
    w.zero(4);
    for (const queue of message.queues) encodeQueue(w, queue, ctx);
  },
};
