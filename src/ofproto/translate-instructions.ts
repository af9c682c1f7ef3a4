/** Instructions between OpenFlow and records (OpenFlow 1.3.5 §5.9, §7.2.5). */
import type { Instruction, Match } from 'node-openflow';
import { of13 } from 'node-openflow';
import { decodeInstructions, type InstructionRecord, type RecordWriter } from '../datapath/records.js';
import { Instruction as Code, tables } from '../datapath/schema.gen.js';
import { HeadersKnown } from './headers-known.js';
import { badInstruction, meterModFailed, type OfError } from './of-error.js';
import { readActionRecords, writeActions } from './translate-actions.js';
import { checksConsistency } from './versions.js';

const { OFPBIC, OFPM, OFPMMFC } = of13;

/** The order in which instructions are carried out, whatever the order in which they came (§5.9). */
const order: readonly Instruction['type'][] = [
  'meter',
  'apply_actions',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'goto_table',
];

/** Checks and appends the instructions of a flow; on an error the caller truncates the writer. */
export function writeInstructions(
  writer: RecordWriter,
  instructions: readonly Instruction[],
  flow: { readonly version: number; readonly tableId: number; readonly match: Match },
): OfError | undefined {
  if (instructions.length === 0) return undefined;
  const sorted = inOrder(instructions.flatMap(withMeter));
  if ('code' in sorted) return sorted;
  const known = new HeadersKnown(checksConsistency(flow.version) ? flow.match : undefined);
  for (const instruction of sorted.list) {
    const wrong = writeInstruction(writer, instruction, flow.tableId, known);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** 1.5's meter action as the instruction it was before: only as the first of the applied actions (1.5.1 §7.2.6.9). */
function withMeter(instruction: Instruction): Instruction[] {
  if (instruction.type !== 'apply_actions') return [instruction];
  const [first, ...actions] = instruction.actions;
  if (first?.type !== 'meter') return [instruction];
  const meter = { type: 'meter', meterId: first.meterId } as const;
  return actions.length === 0 ? [meter] : [meter, { ...instruction, actions }];
}

function inOrder(instructions: readonly Instruction[]): OfError | { readonly list: readonly Instruction[] } {
  for (const { type } of instructions) {
    if (type === 'experimenter') return badInstruction(OFPBIC.BAD_EXPERIMENTER);
    if (type === 'unknown' || type === 'stat_trigger') return badInstruction(OFPBIC.UNKNOWN_INST);
  }
  if (instructions.length === 1) return { list: instructions };
  const list = [...instructions].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  // At most one of each type (§5.9); 1.3 has no code of its own for that.
  if (list.some(({ type }, i) => type === list[i + 1]?.type)) return badInstruction(OFPBIC.UNSUP_INST);
  return { list };
}

function writeInstruction(
  writer: RecordWriter,
  instruction: Instruction,
  tableId: number,
  known: HeadersKnown,
): OfError | undefined {
  const at = writer.reserve(8);
  let wrong: OfError | undefined;
  switch (instruction.type) {
    case 'meter':
      if (instruction.meterId === 0 || instruction.meterId > OFPM.MAX) return meterModFailed(OFPMMFC.INVALID_METER);
      writer.setU8(at, Code.meter);
      writer.setU32(at + 4, instruction.meterId);
      break;
    case 'apply_actions':
    case 'write_actions':
      writer.setU8(at, instruction.type === 'apply_actions' ? Code.applyActions : Code.writeActions);
      wrong = writeActions(writer, instruction.actions, {
        known,
        packetOut: false,
        set: instruction.type === 'write_actions',
      });
      break;
    case 'clear_actions':
      writer.setU8(at, Code.clearActions);
      break;
    case 'write_metadata':
      writer.setU8(at, Code.writeMetadata);
      writeMetadata(writer, instruction.metadata, instruction.metadataMask);
      break;
    case 'goto_table':
      if (instruction.tableId <= tableId || instruction.tableId >= tables) return badInstruction(OFPBIC.BAD_TABLE_ID);
      writer.setU8(at, Code.gotoTable);
      writer.setU8(at + 4, instruction.tableId);
      break;
    default:
      return badInstruction(OFPBIC.UNSUP_INST);
  }
  writer.setU16(at + 2, writer.length - at);
  return wrong;
}

function writeMetadata(writer: RecordWriter, value: bigint, mask: bigint): void {
  const at = writer.reserve(16);
  for (let i = 0; i < 8; i++) {
    const shift = BigInt(56 - 8 * i);
    writer.setU8(at + i, Number((value >> shift) & 0xffn));
    writer.setU8(at + 8 + i, Number((mask >> shift) & 0xffn));
  }
}

/** Instruction records as OpenFlow. The datapath wrote them, so they are right. */
export function readInstructions(record: Uint8Array): Instruction[] {
  return (decodeInstructions(record) ?? []).map(toInstruction);
}

function toInstruction(record: InstructionRecord): Instruction {
  switch (record.kind) {
    case 'meter':
      return { type: 'meter', meterId: record.meter };
    case 'apply':
      return { type: 'apply_actions', actions: readActionRecords(record.actions) };
    case 'write':
      return { type: 'write_actions', actions: readActionRecords(record.actions) };
    case 'clear':
      return { type: 'clear_actions' };
    case 'metadata':
      return { type: 'write_metadata', metadata: record.value, metadataMask: record.mask };
    case 'goto':
      return { type: 'goto_table', tableId: record.table };
  }
}
