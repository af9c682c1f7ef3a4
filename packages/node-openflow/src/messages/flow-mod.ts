/** ofp_flow_mod (OpenFlow 1.0.2 §5.3.3, 1.3.5 §7.3.4.1, 1.4.1 §7.3.4.2). */
import { decodeInstructions, encodeInstructions } from '../codec/lists.js';
import { decodeMatch, encodeMatch } from '../codec/match.js';
import { ports16 } from '../codec/port-numbers.js';
import type { MessageCodec } from '../codec/protocol.js';
import { OFPFC, OFPFF, OFPG, OFPTT } from '../of13/constants.js';
import { refuseOther, versionName } from '../structures/expressible.js';
import { decodeInstructions10, encodeInstructions10 } from '../structures/legacy-flows.js';
import type { FlowMod } from '../types/message.js';
import { EncodeError } from '../wire/error.js';

/** `hasImportance`: since 1.4, in place of padding. `flags`: those that the version has. */
function flowModOf(hasImportance: boolean, flagsKnown: number): MessageCodec<FlowMod> {
  return {
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
      const importance = r.u16();
      const match = decodeMatch(r, ctx);
      const instructions = decodeInstructions(r, ctx);
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
        match,
        instructions: ctx.protocol.resolve?.(match, instructions) ?? instructions,
        ...(hasImportance ? { importance } : {}),
      };
    },
    encode(w, message, ctx) {
      if (!hasImportance) refuseOther(message.importance, 0, 'importance of flows', ctx);
      refuseFlags(message.flags & ~flagsKnown, versionName(ctx));
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
      w.u16(message.importance ?? 0);
      encodeMatch(w, message.match, ctx);
      encodeInstructions(w, message.instructions, ctx);
    },
  };
}

function refuseFlags(flags: number, version: string): void {
  if (flags !== 0) throw new EncodeError(`${version} has no flow flag 0x${flags.toString(16)}`);
}

/** What comes after RESET_COUNTS came with 1.3; before 1.2 there were two. Bits without a meaning pass. */
const since13 = 0xffff;
export const flowMod11 = flowModOf(false, since13 & ~(OFPFF.RESET_COUNTS | OFPFF.NO_PKT_COUNTS | OFPFF.NO_BYT_COUNTS));
export const flowMod12 = flowModOf(false, since13 & ~(OFPFF.NO_PKT_COUNTS | OFPFF.NO_BYT_COUNTS));
export const flowMod = flowModOf(false, since13);
export const flowMod14 = flowModOf(true, since13);

/** OFPFF_EMERG of 1.0 shares its bit with a flag of 1.2: in values it has one of its own. */
export const EMERG = 1 << 16;
const wireEmerg = 1 << 2;
const flags10 = OFPFF.SEND_FLOW_REM | OFPFF.CHECK_OVERLAP;

/** With NXT_FLOW_MOD_TABLE_ID in force the upper eight bits of a command are a table's number: they stay there. */
const isDelete = (command: number): boolean => {
  const low = command & 0xff;
  return low === OFPFC.DELETE || low === OFPFC.DELETE_STRICT;
};

export const flowMod10: MessageCodec<FlowMod> = {
  code: 14,
  type: 'flow_mod',
  decode(r, { version, xid }, ctx) {
    const match = decodeMatch(r, ctx);
    const cookie = r.u64();
    const command = r.u16();
    const idleTimeout = r.u16();
    const hardTimeout = r.u16();
    const priority = r.u16();
    const bufferId = r.u32();
    const outPort = ports16.decode(r);
    const wireFlags = r.u16();
    const emergency = (wireFlags & wireEmerg) === 0 ? 0 : EMERG;
    return {
      version,
      xid,
      type: 'flow_mod',
      cookie,
      cookieMask: 0n,
      tableId: isDelete(command) ? OFPTT.ALL : 0,
      command,
      idleTimeout,
      hardTimeout,
      priority,
      bufferId,
      outPort,
      outGroup: OFPG.ANY,
      flags: (wireFlags & ~wireEmerg) | emergency,
      match,
      instructions: decodeInstructions10(r, match, ctx),
    };
  },
  encode(w, message, ctx) {
    refuseOther(message.cookieMask, 0n, 'cookie mask', ctx);
    refuseOther(message.outGroup, OFPG.ANY, 'groups', ctx);
    refuseOther(message.importance, 0, 'importance of flows', ctx);
    if (message.tableId !== OFPTT.ALL) refuseOther(message.tableId, 0, 'choice of tables', ctx);
    const emergency = (message.flags & EMERG) === 0 ? 0 : wireEmerg;
    // Bits that no version gives a meaning stay as they are.
    const later = OFPFF.RESET_COUNTS | OFPFF.NO_PKT_COUNTS | OFPFF.NO_BYT_COUNTS;
    refuseFlags(message.flags & later & ~flags10, versionName(ctx));
    encodeMatch(w, message.match, ctx);
    w.u64(message.cookie);
    w.u16(message.command);
    w.u16(message.idleTimeout);
    w.u16(message.hardTimeout);
    w.u16(message.priority);
    w.u32(message.bufferId);
    ports16.encode(w, message.outPort);
    w.u16((message.flags & ~EMERG) | emergency);
    encodeInstructions10(w, message.instructions, ctx);
  },
};
