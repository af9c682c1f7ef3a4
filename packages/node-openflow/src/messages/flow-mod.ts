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

/**
 * Flags of a version in the numbers of 1.3. `later`: bits that mean something only in later versions; what a message has
 * there is not that, so it stands 14 bits higher in values, where nothing else does. 1.0's OFPFF_EMERG is one of them.
 */
function flagsOf(later: number) {
  const distance = 14;
  return {
    toNeutral: (flags: number): number => (flags & ~later) | ((flags & later) << distance),
    fromNeutral(flags: number, version: string): number {
      const unknown = flags & later;
      if (unknown !== 0) throw new EncodeError(`${version} has no flow flag 0x${unknown.toString(16)}`);
      return (flags & ~(later << distance)) | ((flags >>> distance) & later);
    },
  };
}
type Flags = ReturnType<typeof flagsOf>;

/** `hasImportance`: since 1.4, in place of padding. */
function flowModOf(hasImportance: boolean, flagBits: Flags): MessageCodec<FlowMod> {
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
      const flags = flagBits.toNeutral(r.u16());
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
      const flags = flagBits.fromNeutral(message.flags, versionName(ctx));
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
      w.u16(flags);
      w.u16(message.importance ?? 0);
      encodeMatch(w, message.match, ctx);
      encodeInstructions(w, message.instructions, ctx);
    },
  };
}

const countFlags = OFPFF.NO_PKT_COUNTS | OFPFF.NO_BYT_COUNTS;
const flagsBefore12 = flagsOf(OFPFF.RESET_COUNTS | countFlags);
const flags12 = flagsOf(countFlags);
const flags13 = flagsOf(0);
export const flowMod11 = flowModOf(false, flagsBefore12);
export const flowMod12 = flowModOf(false, flags12);
export const flowMod = flowModOf(false, flags13);
export const flowMod14 = flowModOf(true, flags13);

/** OFPFF_EMERG of 1.0, bit 2 on the wire, in values. */
export const EMERG = flagsBefore12.toNeutral(1 << 2);

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
    const flags = flagsBefore12.toNeutral(r.u16());
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
      flags,
      match,
      instructions: decodeInstructions10(r, match, ctx),
    };
  },
  encode(w, message, ctx) {
    refuseOther(message.cookieMask, 0n, 'cookie mask', ctx);
    refuseOther(message.outGroup, OFPG.ANY, 'groups', ctx);
    refuseOther(message.importance, 0, 'importance of flows', ctx);
    if (message.tableId !== OFPTT.ALL) refuseOther(message.tableId, 0, 'choice of tables', ctx);
    const flags = flagsBefore12.fromNeutral(message.flags, versionName(ctx));
    encodeMatch(w, message.match, ctx);
    w.u64(message.cookie);
    w.u16(message.command);
    w.u16(message.idleTimeout);
    w.u16(message.hardTimeout);
    w.u16(message.priority);
    w.u32(message.bufferId);
    ports16.encode(w, message.outPort);
    w.u16(flags);
    encodeInstructions10(w, message.instructions, ctx);
  },
};
