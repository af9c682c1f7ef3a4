/** Port statistics and port descriptions (OpenFlow 1.3.5 §7.3.5.6, §7.3.5.7). */
import type { BodyCodec, MultipartCodec } from '../../codec/protocol.js';
import type { PortDescReply, PortStats, PortStatsReply, PortStatsRequest } from '../../types/multipart.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import { decodePort, encodePort } from '../structures.js';
import { emptyBody, listBody } from './body.js';

const request: BodyCodec<PortStatsRequest> = {
  decode(r) {
    const portNo = r.u32();
    r.skip(4);
    return { type: 'port_stats', portNo };
  },
  encode(w, body) {
    w.u32(body.portNo);
    w.zero(4);
  },
};

function decode(r: WireReader): PortStats {
  const portNo = r.u32();
  r.skip(4);
  return {
    portNo,
    rxPackets: r.u64(),
    txPackets: r.u64(),
    rxBytes: r.u64(),
    txBytes: r.u64(),
    rxDropped: r.u64(),
    txDropped: r.u64(),
    rxErrors: r.u64(),
    txErrors: r.u64(),
    rxFrameErr: r.u64(),
    rxOverErr: r.u64(),
    rxCrcErr: r.u64(),
    collisions: r.u64(),
    durationSec: r.u32(),
    durationNsec: r.u32(),
  };
}

function encode(w: WireWriter, port: PortStats): void {
  w.u32(port.portNo);
  w.zero(4);
  w.u64(port.rxPackets);
  w.u64(port.txPackets);
  w.u64(port.rxBytes);
  w.u64(port.txBytes);
  w.u64(port.rxDropped);
  w.u64(port.txDropped);
  w.u64(port.rxErrors);
  w.u64(port.txErrors);
  w.u64(port.rxFrameErr);
  w.u64(port.rxOverErr);
  w.u64(port.rxCrcErr);
  w.u64(port.collisions);
  w.u32(port.durationSec);
  w.u32(port.durationNsec);
}

export const portStats: MultipartCodec = {
  code: 4,
  type: 'port_stats',
  request,
  reply: listBody<PortStatsReply>('port_stats', decode, encode),
};

export const portDesc: MultipartCodec = {
  code: 13,
  type: 'port_desc',
  request: emptyBody('port_desc'),
  reply: listBody<PortDescReply>('port_desc', decodePort, encodePort),
};
