/** ofp_instruction_* (OpenFlow 1.3.5 §7.2.4): what follows the type and length of each instruction. */
import { decodeActions, encodeActions } from '../codec/lists.js';
import { type Codec, tableOf } from '../codec/protocol.js';
import type {
  ActionsInstruction,
  ClearActionsInstruction,
  ExperimenterInstruction,
  GotoTableInstruction,
  Instruction,
  MeterInstruction,
  WriteMetadataInstruction,
} from '../types/action.js';

const gotoTable: Codec<GotoTableInstruction> = {
  code: 1,
  type: 'goto_table',
  decode(r) {
    const tableId = r.u8();
    r.skip(3);
    return { type: 'goto_table', tableId };
  },
  encode(w, instruction) {
    w.u8(instruction.tableId);
    w.zero(3);
  },
};

const writeMetadata: Codec<WriteMetadataInstruction> = {
  code: 2,
  type: 'write_metadata',
  decode(r) {
    r.skip(4);
    return { type: 'write_metadata', metadata: r.u64(), metadataMask: r.u64() };
  },
  encode(w, instruction) {
    w.zero(4);
    w.u64(instruction.metadata);
    w.u64(instruction.metadataMask);
  },
};

function actionList(code: number, type: ActionsInstruction['type']): Codec<ActionsInstruction> {
  return {
    code,
    type,
    decode(r, ctx) {
      r.skip(4);
      return { type, actions: decodeActions(r, ctx) };
    },
    encode(w, instruction, ctx) {
      w.zero(4);
      encodeActions(w, instruction.actions, ctx);
    },
  };
}

/** Uses the same structure as the two above, but must not carry actions: its length is 8. */
const clearActions: Codec<ClearActionsInstruction> = {
  code: 5,
  type: 'clear_actions',
  decode(r) {
    r.skip(4);
    return { type: 'clear_actions' };
  },
  encode: (w) => w.zero(4),
};

const meter: Codec<MeterInstruction> = {
  code: 6,
  type: 'meter',
  decode: (r) => ({ type: 'meter', meterId: r.u32() }),
  encode: (w, instruction) => w.u32(instruction.meterId),
};

const experimenter: Codec<ExperimenterInstruction> = {
  code: 0xffff,
  type: 'experimenter',
  decode: (r) => ({ type: 'experimenter', experimenter: r.u32(), data: r.rest() }),
  encode(w, instruction) {
    w.u32(instruction.experimenter);
    w.bytes(instruction.data);
  },
};

export const instructions13 = tableOf<Codec<Instruction>>([
  gotoTable,
  writeMetadata,
  actionList(3, 'write_actions'),
  actionList(4, 'apply_actions'),
  clearActions,
  meter,
  experimenter,
]);
