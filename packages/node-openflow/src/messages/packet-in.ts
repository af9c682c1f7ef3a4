/** ofp_packet_in (OpenFlow 1.0.2 §5.4.1, 1.1.0 §A.4.1, 1.2 §A.4.1, 1.3.5 §7.4.1). */
import { exact, numberOf } from '../codec/legacy-match.js';
import { decodeMatch, encodeMatch } from '../codec/match.js';
import { ports16 } from '../codec/port-numbers.js';
import type { MessageCodec } from '../codec/protocol.js';
import { OFPR } from '../of13/constants.js';
import type { PacketIn } from '../types/message.js';
import type { Match } from '../types/oxm.js';
import { EncodeError } from '../wire/error.js';

/** Puts the frame's IP header, behind 14 bytes of Ethernet, on a 4-byte boundary. */
const framePadding = 2;
/** "No cookie is known", for versions that do not say it (OpenFlow 1.3.5 §7.4.1). */
const noCookie = 0xffff_ffff_ffff_ffffn;

/** 1.4 tells four kinds of output actions apart, which are one before. */
const reasonUpTo = (last: number, reason: number): number => (reason > last ? OFPR.ACTION : reason);

function portIn(match: Match, field: 'in_port' | 'in_phy_port'): number | undefined {
  const tlv = match.find((candidate) => candidate.field === field);
  return tlv?.field === field ? numberOf(tlv.value) : undefined;
}

function inPortOf(message: PacketIn): number {
  const port = portIn(message.match, 'in_port');
  if (port === undefined) throw new EncodeError('a packet-in before OpenFlow 1.2 has an in_port');
  return port;
}

export const packetIn10: MessageCodec<PacketIn> = {
  code: 10,
  type: 'packet_in',
  decode(r, { version, xid }) {
    const bufferId = r.u32();
    const totalLen = r.u16();
    const match = [exact('in_port', ports16.decode(r), 4)];
    const reason = r.u8();
    r.skip(1);
    const head = { version, xid, type: 'packet_in', bufferId, totalLen, reason } as const;
    return { ...head, tableId: 0, cookie: noCookie, match, data: r.rest() };
  },
  encode(w, message) {
    w.u32(message.bufferId);
    w.u16(message.totalLen);
    ports16.encode(w, inPortOf(message));
    w.u8(reasonUpTo(OFPR.ACTION, message.reason));
    w.zero(1);
    w.bytes(message.data);
  },
};

export const packetIn11: MessageCodec<PacketIn> = {
  code: 10,
  type: 'packet_in',
  decode(r, { version, xid }) {
    const bufferId = r.u32();
    const [port, physical] = [r.u32(), r.u32()];
    const [totalLen, reason, tableId] = [r.u16(), r.u8(), r.u8()];
    const match = [exact('in_port', port, 4)];
    if (physical !== port) match.push(exact('in_phy_port', physical, 4));
    const head = { version, xid, type: 'packet_in', bufferId, totalLen, reason, tableId } as const;
    return { ...head, cookie: noCookie, match, data: r.rest() };
  },
  encode(w, message) {
    const port = inPortOf(message);
    w.u32(message.bufferId);
    w.u32(port);
    w.u32(portIn(message.match, 'in_phy_port') ?? port);
    w.u16(message.totalLen);
    w.u8(reasonUpTo(OFPR.ACTION, message.reason));
    w.u8(message.tableId);
    w.bytes(message.data);
  },
};

/** Since 1.2 with a match, since 1.3 with a cookie. */
function packetInOf(hasCookie: boolean, lastReason: number): MessageCodec<PacketIn> {
  return {
    code: 10,
    type: 'packet_in',
    decode(r, { version, xid }, ctx) {
      const bufferId = r.u32();
      const totalLen = r.u16();
      const reason = r.u8();
      const tableId = r.u8();
      const cookie = hasCookie ? r.u64() : noCookie;
      const match = decodeMatch(r, ctx);
      r.skip(framePadding);
      return { version, xid, type: 'packet_in', bufferId, totalLen, reason, tableId, cookie, match, data: r.rest() };
    },
    encode(w, message, ctx) {
      w.u32(message.bufferId);
      w.u16(message.totalLen);
      w.u8(reasonUpTo(lastReason, message.reason));
      w.u8(message.tableId);
      if (hasCookie) w.u64(message.cookie);
      encodeMatch(w, message.match, ctx);
      w.zero(framePadding);
      w.bytes(message.data);
    },
  };
}

const anyReason = 0xff;
export const packetIn12 = packetInOf(false, OFPR.INVALID_TTL);
export const packetIn = packetInOf(true, OFPR.INVALID_TTL);
export const packetIn14 = packetInOf(true, anyReason);
