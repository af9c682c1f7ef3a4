/** Actions and instructions of 1.0's and 1.1's flows: what depends on the flow as a whole. */

import { bytesOf, numberOf, transportFields } from '../codec/legacy-match.js';
import { decodeActions, encodeActions } from '../codec/lists.js';
import type { Context } from '../codec/protocol.js';
import type { Action, Instruction } from '../types/action.js';
import type { Match } from '../types/oxm.js';
import { EncodeError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

/** set_tp_src and set_tp_dst as set_field of the protocol that the match names; see `SetTransportAction`. */
export function resolveTransport(match: Match, instructions: readonly Instruction[]): readonly Instruction[] {
  const proto = match.find((tlv) => tlv.field === 'ip_proto');
  const fields = proto?.field === 'ip_proto' ? transportFields(numberOf(proto.value)) : undefined;
  if (fields === undefined || fields[2] !== 2) return instructions;
  const resolve = (action: Action): Action => {
    if (action.type !== 'set_tp_src' && action.type !== 'set_tp_dst') return action;
    const field = action.type === 'set_tp_src' ? fields[0] : fields[1];
    return { type: 'set_field', oxm: { field, value: bytesOf(action.port, 2) } };
  };
  return instructions.map((instruction) =>
    instruction.type === 'apply_actions' || instruction.type === 'write_actions'
      ? { ...instruction, actions: instruction.actions.map(resolve) }
      : instruction,
  );
}

/** 1.0's actions up to the reader's end, as what they are in later versions: applied at once. No actions: drop. */
export function decodeInstructions10(r: WireReader, match: Match, ctx: Context): readonly Instruction[] {
  const actions = decodeActions(r, ctx);
  return actions.length === 0 ? [] : resolveTransport(match, [{ type: 'apply_actions', actions }]);
}

export function encodeInstructions10(w: WireWriter, instructions: readonly Instruction[], ctx: Context): void {
  let written = false;
  for (const instruction of instructions) {
    if (instruction.type !== 'apply_actions')
      throw new EncodeError(`OpenFlow 1.0 has no instruction ${instruction.type}`);
    if (written) throw new EncodeError('OpenFlow 1.0 has one list of actions, not several');
    written = true;
    encodeActions(w, instruction.actions, ctx);
  }
}
