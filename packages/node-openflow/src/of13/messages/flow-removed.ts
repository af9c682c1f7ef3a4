/** ofp_flow_removed (OpenFlow 1.3.5 §7.4.2). */
import { decodeMatch, encodeMatch } from '../../codec/match.js';
import type { MessageCodec } from '../../codec/protocol.js';
import type { FlowRemoved } from '../../types/message.js';

export const flowRemoved: MessageCodec<FlowRemoved> = {
  code: 11,
  type: 'flow_removed',
  decode: (r, { version, xid }, ctx) => ({
    version,
    xid,
    type: 'flow_removed',
    cookie: r.u64(),
    priority: r.u16(),
    reason: r.u8(),
    tableId: r.u8(),
    durationSec: r.u32(),
    durationNsec: r.u32(),
    idleTimeout: r.u16(),
    hardTimeout: r.u16(),
    packetCount: r.u64(),
    byteCount: r.u64(),
    match: decodeMatch(r, ctx),
  }),
  encode(w, message, ctx) {
    w.u64(message.cookie);
    w.u16(message.priority);
    w.u8(message.reason);
    w.u8(message.tableId);
    w.u32(message.durationSec);
    w.u32(message.durationNsec);
    w.u16(message.idleTimeout);
    w.u16(message.hardTimeout);
    w.u64(message.packetCount);
    w.u64(message.byteCount);
    encodeMatch(w, message.match, ctx);
  },
};
