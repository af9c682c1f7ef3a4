/** ofp_flow_mod (OpenFlow 1.3.5 §7.3.4.1). */
import { decodeInstructions, encodeInstructions } from '../../codec/lists.js';
import { decodeMatch, encodeMatch } from '../../codec/match.js';
import type { MessageCodec } from '../../codec/protocol.js';
import type { FlowMod } from '../../types/message.js';

export const flowMod: MessageCodec<FlowMod> = {
  code: 14,
  type: 'flow_mod',
  decode(r, { version, xid }, ctx) {
    const cookie = r.u64();
    const cookieMask = r.u64();
    const tableId = r.u8();
    const command = r.u8();
    const idleTimeout = r.u16();
    const hardTimeout = r.u16();
    const priority = r.u16();
    const bufferId = r.u32();
    const outPort = r.u32();
    const outGroup = r.u32();
    const flags = r.u16();
    r.skip(2);
    return {
      version,
      xid,
      type: 'flow_mod',
      cookie,
      cookieMask,
      tableId,
      command,
      idleTimeout,
      hardTimeout,
      priority,
      bufferId,
      outPort,
      outGroup,
      flags,
      match: decodeMatch(r, ctx),
      instructions: decodeInstructions(r, ctx),
    };
  },
  encode(w, message, ctx) {
    w.u64(message.cookie);
    w.u64(message.cookieMask);
    w.u8(message.tableId);
    w.u8(message.command);
    w.u16(message.idleTimeout);
    w.u16(message.hardTimeout);
    w.u16(message.priority);
    w.u32(message.bufferId);
    w.u32(message.outPort);
    w.u32(message.outGroup);
    w.u16(message.flags);
    w.zero(2);
    encodeMatch(w, message.match, ctx);
    encodeInstructions(w, message.instructions, ctx);
  },
};
