/** NXT_FLOW_MOD, NXT_FLOW_REMOVED, NXT_PACKET_IN: OpenFlow 1.0's messages with an nx_match. */
import { decodeActions, decodeInstructions, encodeActions, encodeInstructions } from '../../codec/lists.js';
import type { Context } from '../../codec/protocol.js';
import type { NxFlowMod, NxFlowRemoved, NxPacketIn } from '../message-types.js';
import { decodeNxMatch, encodeNxMatch } from '../nx-match.js';
import type { NiciraMessageCodec } from './codec.js';

/** 1.0 has none. */
const hasInstructions = ({ protocol }: Context): boolean => protocol.version > 1;

const flowMod: NiciraMessageCodec<NxFlowMod> = {
  subtype: 13,
  type: 'nx_flow_mod',
  decode(r, { version, xid }, ctx) {
    const cookie = r.u64();
    const [command, idleTimeout, hardTimeout, priority] = [r.u16(), r.u16(), r.u16(), r.u16()];
    const bufferId = r.u32();
    const [outPort, flags, length] = [r.u16(), r.u16(), r.u16()];
    r.skip(6);
    const match = decodeNxMatch(r, length, ctx);
    const done = hasInstructions(ctx)
      ? { actions: [], instructions: decodeInstructions(r, ctx) }
      : { actions: decodeActions(r, ctx) };
    const head = { version, xid, type: 'nx_flow_mod' as const, cookie, command, idleTimeout, hardTimeout, priority };
    return { ...head, bufferId, outPort, flags, match, ...done };
  },
  encode(w, message, ctx) {
    w.u64(message.cookie);
    w.u16(message.command);
    w.u16(message.idleTimeout);
    w.u16(message.hardTimeout);
    w.u16(message.priority);
    w.u32(message.bufferId);
    w.u16(message.outPort);
    w.u16(message.flags);
    const lengthAt = w.mark();
    w.zero(8);
    encodeNxMatch(w, message.match, lengthAt, ctx);
    if (hasInstructions(ctx)) encodeInstructions(w, message.instructions ?? [], ctx);
    else encodeActions(w, message.actions, ctx);
  },
};

const flowRemoved: NiciraMessageCodec<NxFlowRemoved> = {
  subtype: 14,
  type: 'nx_flow_removed',
  decode(r, { version, xid }, ctx) {
    const cookie = r.u64();
    const [priority, reason, tableIdPlusOne] = [r.u16(), r.u8(), r.u8()];
    const [durationSec, durationNsec, idleTimeout, length] = [r.u32(), r.u32(), r.u16(), r.u16()];
    const [packetCount, byteCount] = [r.u64(), r.u64()];
    const match = decodeNxMatch(r, length, ctx);
    const head = { version, xid, type: 'nx_flow_removed' as const, cookie, priority, reason, tableIdPlusOne };
    return { ...head, durationSec, durationNsec, idleTimeout, packetCount, byteCount, match };
  },
  encode(w, message, ctx) {
    w.u64(message.cookie);
    w.u16(message.priority);
    w.u8(message.reason);
    w.u8(message.tableIdPlusOne);
    w.u32(message.durationSec);
    w.u32(message.durationNsec);
    w.u16(message.idleTimeout);
    const lengthAt = w.mark();
    w.u16(0);
    w.u64(message.packetCount);
    w.u64(message.byteCount);
    encodeNxMatch(w, message.match, lengthAt, ctx);
  },
};

const packetIn: NiciraMessageCodec<NxPacketIn> = {
  subtype: 17,
  type: 'nx_packet_in',
  decode(r, { version, xid }, ctx) {
    const bufferId = r.u32();
    const [totalLen, reason, tableId] = [r.u16(), r.u8(), r.u8()];
    const cookie = r.u64();
    const length = r.u16();
    r.skip(6);
    const match = decodeNxMatch(r, length, ctx);
    // Two bytes that bring the IP header behind the Ethernet header to a multiple of 4.
    r.skip(2);
    return { version, xid, type: 'nx_packet_in', bufferId, totalLen, reason, tableId, cookie, match, data: r.rest() };
  },
  encode(w, message, ctx) {
    w.u32(message.bufferId);
    w.u16(message.totalLen);
    w.u8(message.reason);
    w.u8(message.tableId);
    w.u64(message.cookie);
    const lengthAt = w.mark();
    w.zero(8);
    encodeNxMatch(w, message.match, lengthAt, ctx);
    w.zero(2);
    w.bytes(message.data);
  },
};

export const flowMessages: readonly NiciraMessageCodec[] = [
  flowMod,
  flowRemoved,
  packetIn,
] as readonly NiciraMessageCodec[];
