/** Action and instruction records (schema.mjs, `Action` and `Instruction`). */
import { decodeEncap, type EncapRecord, writeEncap } from './records-encap.js';
import { fieldWidth, readBig, writeBig } from './records-match.js';
import { decodeNicira, isNicira, type NiciraActionRecord, niciraActionCodes, writeNicira } from './records-nicira.js';
import { RecordWriter, viewOf } from './records-writer.js';
import { Action, fields, Instruction } from './schema.gen.js';

export type ActionRecord =
  | { readonly kind: 'output'; readonly port: number; readonly maxLen: number }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'set_queue'; readonly queue: number }
  /** `onlyUntagged`: a packet that has a tag is left alone. */
  | { readonly kind: 'push_vlan'; readonly ethertype: number; readonly onlyUntagged?: boolean }
  | { readonly kind: 'push_mpls' | 'pop_mpls' | 'push_pbb'; readonly ethertype: number }
  | { readonly kind: 'pop_vlan' | 'pop_pbb' | 'dec_mpls_ttl' | 'dec_nw_ttl' | 'copy_ttl_out' | 'copy_ttl_in' }
  | { readonly kind: 'set_mpls_ttl' | 'set_nw_ttl'; readonly ttl: number }
  | { readonly kind: 'set_field'; readonly field: number; readonly value: bigint }
  /** The bits of `mask` become those of `value`, which has no others. */
  | { readonly kind: 'set_masked'; readonly field: number; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: 'meter'; readonly meter: number }
  | EncapRecord
  | NiciraActionRecord;

export type ActionKind = ActionRecord['kind'];

export type InstructionRecord =
  | { readonly kind: 'meter'; readonly meter: number }
  | { readonly kind: 'apply'; readonly actions: readonly ActionRecord[] }
  | { readonly kind: 'write'; readonly actions: readonly ActionRecord[] }
  | { readonly kind: 'clear' }
  | { readonly kind: 'metadata'; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: 'goto'; readonly table: number }
  | { readonly kind: 'stat_trigger'; readonly flags: number; readonly thresholds: readonly ThresholdRecord[] };

/** Tell when a flow's `stat` (Stat; times in ns) reaches a value. */
export interface ThresholdRecord {
  readonly stat: number;
  readonly value: bigint;
}

export const actionCodes: Readonly<Record<ActionKind, number>> = {
  output: Action.output,
  group: Action.group,
  set_queue: Action.setQueue,
  push_vlan: Action.pushVlan,
  pop_vlan: Action.popVlan,
  push_mpls: Action.pushMpls,
  pop_mpls: Action.popMpls,
  set_mpls_ttl: Action.setMplsTtl,
  dec_mpls_ttl: Action.decMplsTtl,
  copy_ttl_out: Action.copyTtlOut,
  copy_ttl_in: Action.copyTtlIn,
  set_nw_ttl: Action.setNwTtl,
  dec_nw_ttl: Action.decNwTtl,
  set_field: Action.setField,
  push_pbb: Action.pushPbb,
  pop_pbb: Action.popPbb,
  meter: Action.meter,
  set_masked: Action.setMasked,
  encap: Action.encap,
  decap: Action.decap,
  dec_nsh_ttl: Action.decNshTtl,
  ...niciraActionCodes,
};

const actionKinds: ReadonlyMap<number, ActionKind> = new Map(
  Object.entries(actionCodes).map(([kind, code]) => [code, kind as ActionKind]),
);

/** Most bytes an action list may have: the length of the instruction around it is 16 bits. */
export const ACTIONS_BYTES_MAX = 65520;

/** Appends one action. */
export function writeAction(writer: RecordWriter, action: ActionRecord): void {
  const at = writer.reserve(8);
  writer.setU8(at, actionCodes[action.kind]);
  switch (action.kind) {
    case 'output':
      writer.setU32(at + 4, action.port);
      writer.setU16(writer.reserve(8), action.maxLen);
      break;
    case 'group':
      writer.setU32(at + 4, action.group);
      writer.zeros(8);
      break;
    case 'set_queue':
      writer.setU32(at + 4, action.queue);
      writer.zeros(8);
      break;
    case 'push_vlan':
      writer.setU16(at + 4, action.ethertype);
      writer.setU8(at + 6, action.onlyUntagged ? 1 : 0);
      break;
    case 'push_mpls':
    case 'pop_mpls':
    case 'push_pbb':
      writer.setU16(at + 4, action.ethertype);
      break;
    case 'set_mpls_ttl':
    case 'set_nw_ttl':
      writer.setU8(at + 4, action.ttl);
      break;
    case 'set_field':
      writeSetField(writer, at, action.field, action.value);
      break;
    case 'set_masked':
      writeSetField(writer, at, action.field, action.value, action.mask);
      break;
    case 'meter':
      writer.setU32(at + 4, action.meter);
      break;
    case 'encap':
    case 'decap':
    case 'dec_nsh_ttl':
      writeEncap(writer, at, action);
      break;
    default:
      if (isNicira(action)) writeNicira(writer, at, action, writeAction);
      break;
  }
  writer.setU16(at + 2, writer.length - at);
}

function writeSetField(writer: RecordWriter, at: number, field: number, value: bigint, mask?: bigint): void {
  const width = fieldWidth(field);
  const bytes = new Uint8Array(mask === undefined ? width : 2 * width);
  writeBig(bytes, 0, width, value);
  if (mask !== undefined) writeBig(bytes, width, width, mask);
  writer.setU8(at + 4, field);
  writer.setU8(at + 5, width);
  writer.bytes(bytes);
  writer.pad8();
}

export function encodeActions(actions: readonly ActionRecord[]): Uint8Array {
  const writer = new RecordWriter(16 * actions.length + 64);
  for (const action of actions) writeAction(writer, action);
  return writer.take();
}

/** Decodes a list of actions; undefined when it is malformed or names a field that cannot be. */
export function decodeActions(bytes: Uint8Array): ActionRecord[] | undefined {
  const view = viewOf(bytes);
  const actions: ActionRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 8) return undefined;
    const length = view.getUint16(at + 2, true);
    if (length < 8 || length % 8 !== 0 || length > bytes.length - at) return undefined;
    const action = decodeAction(bytes, view, at, length);
    if (action === undefined) return undefined;
    actions.push(action);
    at += length;
  }
  return actions;
}

function decodeAction(bytes: Uint8Array, view: DataView, at: number, length: number): ActionRecord | undefined {
  const kind = actionKinds.get(bytes[at]!);
  switch (kind) {
    case undefined:
      return undefined;
    case 'output':
      if (length < 16) return undefined;
      return { kind, port: view.getUint32(at + 4, true), maxLen: view.getUint16(at + 8, true) };
    case 'group':
      return { kind, group: view.getUint32(at + 4, true) };
    case 'set_queue':
      return { kind, queue: view.getUint32(at + 4, true) };
    case 'push_vlan': {
      const push = { kind, ethertype: view.getUint16(at + 4, true) };
      return bytes[at + 6] === 0 ? push : { ...push, onlyUntagged: true };
    }
    case 'push_mpls':
    case 'pop_mpls':
    case 'push_pbb':
      return { kind, ethertype: view.getUint16(at + 4, true) };
    case 'set_mpls_ttl':
    case 'set_nw_ttl':
      return { kind, ttl: bytes[at + 4]! };
    case 'set_field': {
      const [field, width] = [bytes[at + 4]!, bytes[at + 5]!];
      if (field >= fields.length || width !== fieldWidth(field) || 8 + width > length) return undefined;
      return { kind, field, value: readBig(bytes, at + 8, width) };
    }
    case 'set_masked': {
      const [field, width] = [bytes[at + 4]!, bytes[at + 5]!];
      if (field >= fields.length || width !== fieldWidth(field) || 8 + 2 * width > length) return undefined;
      return { kind, field, value: readBig(bytes, at + 8, width), mask: readBig(bytes, at + 8 + width, width) };
    }
    case 'meter':
      return { kind, meter: view.getUint32(at + 4, true) };
    case 'pop_vlan':
    case 'pop_pbb':
    case 'dec_mpls_ttl':
    case 'dec_nw_ttl':
    case 'copy_ttl_out':
    case 'copy_ttl_in':
      return { kind };
    case 'encap':
    case 'decap':
    case 'dec_nsh_ttl':
      return decodeEncap(kind, bytes.subarray(at, at + length));
    default:
      return decodeNicira(bytes.subarray(at, at + length), decodeActions);
  }
}

/** Appends one instruction. */
export function writeInstruction(writer: RecordWriter, instruction: InstructionRecord): void {
  const at = writer.reserve(8);
  switch (instruction.kind) {
    case 'meter':
      writer.setU8(at, Instruction.meter);
      writer.setU32(at + 4, instruction.meter);
      break;
    case 'apply':
    case 'write':
      writer.setU8(at, instruction.kind === 'apply' ? Instruction.applyActions : Instruction.writeActions);
      for (const action of instruction.actions) writeAction(writer, action);
      break;
    case 'clear':
      writer.setU8(at, Instruction.clearActions);
      break;
    case 'metadata': {
      writer.setU8(at, Instruction.writeMetadata);
      const body = new Uint8Array(16);
      writeBig(body, 0, 8, instruction.value);
      writeBig(body, 8, 8, instruction.mask);
      writer.bytes(body);
      break;
    }
    case 'goto':
      writer.setU8(at, Instruction.gotoTable);
      writer.setU8(at + 4, instruction.table);
      break;
    case 'stat_trigger':
      writer.setU8(at, Instruction.statTrigger);
      writer.setU8(at + 4, instruction.flags);
      for (const { stat, value } of instruction.thresholds) {
        const threshold = writer.reserve(16);
        writer.setU8(threshold, stat);
        writer.setU64(threshold + 8, value);
      }
      break;
  }
  writer.setU16(at + 2, writer.length - at);
}

export function encodeInstructions(instructions: readonly InstructionRecord[]): Uint8Array {
  const writer = new RecordWriter(256);
  for (const instruction of instructions) writeInstruction(writer, instruction);
  return writer.take();
}

/** Decodes instructions, which must stand in the order of their codes, each once; undefined when malformed. */
export function decodeInstructions(bytes: Uint8Array): InstructionRecord[] | undefined {
  const view = viewOf(bytes);
  const instructions: InstructionRecord[] = [];
  let at = 0;
  let last = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 8) return undefined;
    const code = bytes[at]!;
    const length = view.getUint16(at + 2, true);
    if (code <= last || length < 8 || length % 8 !== 0 || length > bytes.length - at) return undefined;
    const instruction = decodeInstruction(bytes.subarray(at, at + length), code);
    if (instruction === undefined) return undefined;
    instructions.push(instruction);
    last = code;
    at += length;
  }
  return instructions;
}

function decodeInstruction(bytes: Uint8Array, code: number): InstructionRecord | undefined {
  switch (code) {
    case Instruction.meter:
      return { kind: 'meter', meter: viewOf(bytes).getUint32(4, true) };
    case Instruction.applyActions:
    case Instruction.writeActions: {
      const actions = decodeActions(bytes.subarray(8));
      return actions && { kind: code === Instruction.applyActions ? 'apply' : 'write', actions };
    }
    case Instruction.clearActions:
      return { kind: 'clear' };
    case Instruction.writeMetadata:
      if (bytes.length < 24) return undefined;
      return { kind: 'metadata', value: readBig(bytes, 8, 8), mask: readBig(bytes, 16, 8) };
    case Instruction.gotoTable:
      return { kind: 'goto', table: bytes[4]! };
    case Instruction.statTrigger: {
      if (bytes.length % 16 !== 8) return undefined;
      const view = viewOf(bytes);
      const thresholds = Array.from({ length: (bytes.length - 8) / 16 }, (_, i) => {
        return { stat: bytes[8 + 16 * i]!, value: view.getBigUint64(16 + 16 * i, true) };
      });
      return { kind: 'stat_trigger', flags: bytes[4]!, thresholds };
    }
    default:
      return undefined;
  }
}
