/** ofp_instruction_* since 1.1 (OpenFlow 1.3.5 §7.2.4): what follows the type and length of each instruction. */
import { decodeActions, encodeActions } from '../codec/lists.js';
import { type Codec, tableOf } from '../codec/protocol.js';
import type {
  ActionsInstruction,
  ClearActionsInstruction,
  ExperimenterInstruction,
  GotoTableInstruction,
  Instruction,
  MeterInstruction,
  StatTriggerInstruction,
  WriteMetadataInstruction,
} from '../types/action.js';
import { decodeStats, encodeStats } from './stats.js';

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

const statTrigger: Codec<StatTriggerInstruction> = {
  code: 7,
  type: 'stat_trigger',
  decode: (r, ctx) => ({ type: 'stat_trigger', flags: r.u32(), thresholds: decodeStats(r, ctx) }),
  encode(w, instruction, ctx) {
    w.u32(instruction.flags);
    encodeStats(w, instruction.thresholds, ctx);
  },
};

const since11: readonly Codec<Instruction>[] = [
  gotoTable,
  writeMetadata,
  actionList(3, 'write_actions'),
  actionList(4, 'apply_actions'),
  clearActions,
  experimenter,
];

export const instructions11 = tableOf<Codec<Instruction>>(since11);
export const instructions13 = tableOf<Codec<Instruction>>([...since11, meter]);
export const instructions15 = tableOf<Codec<Instruction>>([...since11, statTrigger]);

/** 1.5 meters by an action: the instruction becomes the first of the applied actions. */
export function meterAsAction(instructions: readonly Instruction[]): readonly Instruction[] {
  const metering = instructions.find((instruction) => instruction.type === 'meter');
  if (metering?.type !== 'meter') return instructions;
  const action = { type: 'meter', meterId: metering.meterId } as const;
  const rest = instructions.filter((instruction) => instruction.type !== 'meter');
  if (!rest.some(({ type }) => type === 'apply_actions'))
    return [{ type: 'apply_actions', actions: [action] }, ...rest];
  return rest.map((instruction) =>
    instruction.type === 'apply_actions' ? { ...instruction, actions: [action, ...instruction.actions] } : instruction,
  );
}

/** 1.3 and 1.4 meter by an instruction, before all actions: only a meter that comes first can be said. */
export function meterAsInstruction(instructions: readonly Instruction[]): readonly Instruction[] {
  const applied = instructions.find((instruction) => instruction.type === 'apply_actions');
  const first = applied?.type === 'apply_actions' ? applied.actions[0] : undefined;
  if (first?.type !== 'meter' || instructions.some(({ type }) => type === 'meter')) return instructions;
  const rest = instructions.map((instruction) =>
    instruction.type === 'apply_actions' ? { ...instruction, actions: instruction.actions.slice(1) } : instruction,
  );
  return [{ type: 'meter', meterId: first.meterId }, ...rest];
}
