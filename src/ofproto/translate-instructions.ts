/** Instructions between OpenFlow and records (OpenFlow 1.3.5 §5.9, §7.2.5). */
import type { Instruction, Match } from 'node-openflow';
import { of13, of14 } from 'node-openflow';
import {
  writeInstruction as appendInstruction,
  decodeInstructions,
  type InstructionRecord,
  type RecordWriter,
} from '../datapath/records.js';
import { Instruction as Code, tables } from '../datapath/schema.gen.js';
import { HeadersKnown } from './headers-known.js';
import { badInstruction, meterModFailed, type OfError } from './of-error.js';
import { readTrigger, triggerRecord } from './stat-triggers.js';
import { readActionRecords, writeActions } from './translate-actions.js';
import { checksConsistency, OF13, OF14, OF15 } from './versions.js';

const { OFPBIC, OFPM, OFPMMFC } = of13;

/** The order in which instructions are carried out, whatever the order in which they came (§5.9). */
const order: readonly Instruction['type'][] = [
  'meter',
  'apply_actions',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'goto_table',
  'stat_trigger',
];

/** Checks and appends the instructions of a flow; on an error the caller truncates the writer. */
export function writeInstructions(
  writer: RecordWriter,
  instructions: readonly Instruction[],
  flow: { readonly version: number; readonly tableId: number; readonly match: Match },
  firstEgress = 0,
): OfError | undefined {
  if (instructions.length === 0) return undefined;
  const sorted = inOrder(instructions.flatMap(withMeter), flow.version);
  if ('code' in sorted) return sorted;
  const known = new HeadersKnown(checksConsistency(flow.version) ? flow.match : undefined);
  for (const instruction of sorted.list) {
    const wrong =
      checkGoto(instruction, flow.tableId, firstEgress) ??
      writeInstruction(writer, instruction, known, firstEgress > 0 && flow.tableId >= firstEgress);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** 1.5's meter action as the instruction it was before, where it is the first thing to happen (1.5.1 §7.2.6.9). */
function withMeter(instruction: Instruction): Instruction[] {
  if (instruction.type !== 'apply_actions') return [instruction];
  const [first, ...actions] = instruction.actions;
  if (first?.type !== 'meter' || first.meterId === 0 || first.meterId > OFPM.MAX) return [instruction];
  const meter = { type: 'meter', meterId: first.meterId } as const;
  return actions.length === 0 ? [meter] : [meter, { ...instruction, actions }];
}

function inOrder(
  instructions: readonly Instruction[],
  version: number,
): OfError | { readonly list: readonly Instruction[] } {
  for (const { type } of instructions) {
    if (type === 'experimenter') return badInstruction(OFPBIC.BAD_EXPERIMENTER);
    if (type === 'unknown') return badInstruction(OFPBIC.UNKNOWN_INST);
  }
  if (instructions.length === 1) return { list: instructions };
  const list = [...instructions].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  // At most one of each type (§5.9); 1.4 was the first to have a code for that.
  const twice = version >= OF14 ? of14.OFPBIC.DUP_INST : OFPBIC.UNSUP_INST;
  if (list.some(({ type }, i) => type === list[i + 1]?.type)) return badInstruction(twice);
  return { list };
}

/** Forwards, and not from an ingress table into an egress table (1.5.1 §5.1). */
function checkGoto(instruction: Instruction, from: number, firstEgress: number): OfError | undefined {
  if (instruction.type !== 'goto_table') return undefined;
  const to = instruction.tableId;
  const crosses = from < firstEgress && to >= firstEgress;
  return to <= from || to >= tables || crosses ? badInstruction(OFPBIC.BAD_TABLE_ID) : undefined;
}

function writeInstruction(
  writer: RecordWriter,
  instruction: Instruction,
  known: HeadersKnown,
  egress: boolean,
): OfError | undefined {
  if (instruction.type === 'stat_trigger') {
    const record = triggerRecord(instruction);
    if ('code' in record) return record;
    appendInstruction(writer, record);
    return undefined;
  }
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
        egress,
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

/** Instruction records as a version of OpenFlow says them. The datapath wrote them, so they are right. */
export function readInstructions(record: Uint8Array, version = OF13): Instruction[] {
  const records = decodeInstructions(record) ?? [];
  // Before 1.5 there is nothing that it could be told as, or by.
  const sayable = version >= OF15 ? records : records.filter(({ kind }) => kind !== 'stat_trigger');
  return sayable.map((each) => toInstruction(each, version));
}

function toInstruction(record: InstructionRecord, version: number): Instruction {
  switch (record.kind) {
    case 'meter':
      return { type: 'meter', meterId: record.meter };
    case 'apply':
      return { type: 'apply_actions', actions: readActionRecords(record.actions, version) };
    case 'write':
      return { type: 'write_actions', actions: readActionRecords(record.actions, version) };
    case 'clear':
      return { type: 'clear_actions' };
    case 'metadata':
      return { type: 'write_metadata', metadata: record.value, metadataMask: record.mask };
    case 'goto':
      return { type: 'goto_table', tableId: record.table };
    case 'stat_trigger':
      return readTrigger(record);
  }
}
