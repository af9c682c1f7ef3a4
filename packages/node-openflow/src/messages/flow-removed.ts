/** ofp_flow_removed (OpenFlow 1.0.2 §5.4.2, 1.1.0 §A.4.2, 1.3.5 §7.4.2, 1.5.1 §7.4.2). */
import { decodeMatch, encodeMatch } from '../codec/match.js';
import type { MessageCodec } from '../codec/protocol.js';
import { OFPRR } from '../of13/constants.js';
import { decodeFlowCounters, encodeFlowCounters } from '../structures/stats.js';
import type { FlowRemoved } from '../types/message.js';

/** Reasons of later versions are "deleted" in one that does not have them, as in Open vSwitch. */
const reasonUpTo = (last: number, reason: number): number => (reason > last ? OFPRR.DELETE : reason);

export const flowRemoved10: MessageCodec<FlowRemoved> = {
  code: 11,
  type: 'flow_removed',
  decode(r, { version, xid }, ctx) {
    const match = decodeMatch(r, ctx);
    const cookie = r.u64();
    const priority = r.u16();
    const reason = r.u8();
    r.skip(1);
    const [durationSec, durationNsec, idleTimeout] = [r.u32(), r.u32(), r.u16()];
    r.skip(2);
    const [packetCount, byteCount] = [r.u64(), r.u64()];
    const duration = { durationSec, durationNsec, idleTimeout, hardTimeout: 0 };
    const counts = { packetCount, byteCount };
    return { version, xid, type: 'flow_removed', cookie, priority, reason, tableId: 0, ...duration, ...counts, match };
  },
  encode(w, message, ctx) {
    encodeMatch(w, message.match, ctx);
    w.u64(message.cookie);
    w.u16(message.priority);
    w.u8(reasonUpTo(OFPRR.DELETE, message.reason));
    w.zero(1);
    w.u32(message.durationSec);
    w.u32(message.durationNsec);
    w.u16(message.idleTimeout);
    w.zero(2);
    w.u64(message.packetCount);
    w.u64(message.byteCount);
  },
};

/** 1.1 has padding where later versions have the hard timeout. */
function flowRemovedOf(hasHardTimeout: boolean, lastReason: number): MessageCodec<FlowRemoved> {
  return {
    code: 11,
    type: 'flow_removed',
    decode(r, { version, xid }, ctx) {
      const cookie = r.u64();
      const priority = r.u16();
      const reason = r.u8();
      const tableId = r.u8();
      const [durationSec, durationNsec, idleTimeout] = [r.u32(), r.u32(), r.u16()];
      const hard = r.u16();
      return {
        version,
        xid,
        type: 'flow_removed',
        cookie,
        priority,
        reason,
        tableId,
        durationSec,
        durationNsec,
        idleTimeout,
        hardTimeout: hasHardTimeout ? hard : 0,
        packetCount: r.u64(),
        byteCount: r.u64(),
        match: decodeMatch(r, ctx),
      };
    },
    encode(w, message, ctx) {
      w.u64(message.cookie);
      w.u16(message.priority);
      w.u8(reasonUpTo(lastReason, message.reason));
      w.u8(message.tableId);
      w.u32(message.durationSec);
      w.u32(message.durationNsec);
      w.u16(message.idleTimeout);
      w.u16(hasHardTimeout ? message.hardTimeout : 0);
      w.u64(message.packetCount);
      w.u64(message.byteCount);
      encodeMatch(w, message.match, ctx);
    },
  };
}

const anyReason = 0xff;
export const flowRemoved11 = flowRemovedOf(false, OFPRR.GROUP_DELETE);
export const flowRemoved = flowRemovedOf(true, OFPRR.GROUP_DELETE);
export const flowRemoved14 = flowRemovedOf(true, anyReason);

export const flowRemoved15: MessageCodec<FlowRemoved> = {
  code: 11,
  type: 'flow_removed',
  decode(r, { version, xid }, ctx) {
    const [tableId, reason, priority] = [r.u8(), r.u8(), r.u16()];
    const [idleTimeout, hardTimeout, cookie] = [r.u16(), r.u16(), r.u64()];
    const match = decodeMatch(r, ctx);
    const head = { version, xid, type: 'flow_removed', cookie, priority, reason, tableId } as const;
    return { ...head, idleTimeout, hardTimeout, ...decodeFlowCounters(r, ctx), match };
  },
  encode(w, message, ctx) {
    w.u8(message.tableId);
    w.u8(message.reason);
    w.u16(message.priority);
    w.u16(message.idleTimeout);
    w.u16(message.hardTimeout);
    w.u64(message.cookie);
    encodeMatch(w, message.match, ctx);
    encodeFlowCounters(w, message, ctx);
  },
};
