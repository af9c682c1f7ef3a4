/** Queue statistics (OpenFlow 1.3.5 §7.3.5.8). */
import type { BodyCodec, MultipartCodec } from '../../codec/protocol.js';
import type { QueueReply, QueueStats, QueueStatsRequest } from '../../types/multipart.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import { listBody } from './body.js';

const request: BodyCodec<QueueStatsRequest> = {
  decode: (r) => ({ type: 'queue', portNo: r.u32(), queueId: r.u32() }),
  encode(w, body) {
    w.u32(body.portNo);
    w.u32(body.queueId);
  },
};

function decode(r: WireReader): QueueStats {
  return {
    portNo: r.u32(),
    queueId: r.u32(),
    txBytes: r.u64(),
    txPackets: r.u64(),
    txErrors: r.u64(),
    durationSec: r.u32(),
    durationNsec: r.u32(),
  };
}

function encode(w: WireWriter, queue: QueueStats): void {
  w.u32(queue.portNo);
  w.u32(queue.queueId);
  w.u64(queue.txBytes);
  w.u64(queue.txPackets);
  w.u64(queue.txErrors);
  w.u32(queue.durationSec);
  w.u32(queue.durationNsec);
}

export const queue: MultipartCodec = {
  code: 5,
  type: 'queue',
  request,
  reply: listBody<QueueReply>('queue', decode, encode),
};
