/** ofp_packet_in (OpenFlow 1.3.5 §7.4.1). */
import { decodeMatch, encodeMatch } from '../../codec/match.js';
import type { MessageCodec } from '../../codec/protocol.js';
import type { PacketIn } from '../../types/message.js';

/** Puts the frame's IP header, behind 14 bytes of Ethernet, on a 4-byte boundary. */
const framePadding = 2;

export const packetIn: MessageCodec<PacketIn> = {
  code: 10,
  type: 'packet_in',
  decode(r, { version, xid }, ctx) {
    const bufferId = r.u32();
    const totalLen = r.u16();
    const reason = r.u8();
    const tableId = r.u8();
    const cookie = r.u64();
    const match = decodeMatch(r, ctx);
    r.skip(framePadding);
    return {
      version,
      xid,
      type: 'packet_in',
      bufferId,
      totalLen,
      reason,
      tableId,
      cookie,
      match,
      data: r.rest(),
    };
  },
  encode(w, message, ctx) {
    w.u32(message.bufferId);
    w.u16(message.totalLen);
    w.u8(message.reason);
    w.u8(message.tableId);
    w.u64(message.cookie);
    encodeMatch(w, message.match, ctx);
    w.zero(framePadding);
    w.bytes(message.data);
  },
};
