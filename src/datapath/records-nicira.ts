/** Records of Nicira's actions (docs/native-boundary.md). */
import type { ActionRecord } from './records-action.js';
import {
  decodeLearn,
  decodeSample,
  type LearnRecord,
  type SampleRecord,
  writeLearn,
  writeSample,
} from './records-learn.js';
import { readBig, writeBig } from './records-match.js';
import { type RecordWriter, viewOf } from './records-writer.js';
import { Action, fields } from './schema.gen.js';

/** Bits `offset` to `offset + bits - 1` of a field, the lowest being 0. */
export interface SubfieldRecord {
  readonly field: number;
  readonly offset: number;
  readonly bits: number;
}

export type NiciraActionRecord =
  | { readonly kind: 'load'; readonly to: SubfieldRecord; readonly value: bigint }
  | { readonly kind: 'move'; readonly from: SubfieldRecord; readonly to: SubfieldRecord }
  | { readonly kind: 'output_reg'; readonly from: SubfieldRecord; readonly maxLen: number }
  /** `port`: the ingress port that the look-up sees, ReservedPort.inPort for the packet's own; `table`: allTables for the one that the action is in. */
  | { readonly kind: 'resubmit'; readonly port: number; readonly table: number }
  | { readonly kind: 'stack_push'; readonly from: SubfieldRecord }
  | { readonly kind: 'stack_pop'; readonly to: SubfieldRecord }
  | { readonly kind: 'clone'; readonly actions: readonly ActionRecord[] }
  | { readonly kind: 'exit' }
  | {
      readonly kind: 'controller';
      readonly maxLen: number;
      readonly id: number;
      readonly reason: number;
      readonly userdata: Uint8Array;
      /** That the packet has to pass; noMeter: none. */
      readonly meter: number;
      /** It stops there until it is resumed. */
      readonly pauses?: true;
    }
  /** Who is told when the TTL does not allow it: ids of controllers. */
  | { readonly kind: 'dec_nw_ttl_ids'; readonly ids: readonly number[] }
  | { readonly kind: 'note'; readonly note: Uint8Array }
  /** `hashFields`, `algorithm`: NX_HASH_FIELDS, NX_MP_ALG. Links are 0 to `maxLink`. */
  | {
      readonly kind: 'multipath';
      readonly hashFields: number;
      readonly basis: number;
      readonly algorithm: number;
      readonly maxLink: number;
      readonly argument: number;
      readonly to: SubfieldRecord;
    }
  /** `algorithm`: NX_BD_ALG. Without `to` the packet goes to the member; else its number is written there, 0xffff for none. */
  | {
      readonly kind: 'bundle';
      readonly hashFields: number;
      readonly basis: number;
      readonly algorithm: number;
      readonly members: readonly number[];
      readonly to: SubfieldRecord | undefined;
    }
  /** The flow is clause number `clause`, from 0, of a match that has `clauses`. */
  | { readonly kind: 'conjunction'; readonly id: number; readonly clause: number; readonly clauses: number }
  /** The bit says whether the packet has more than `bytes` bytes. */
  | { readonly kind: 'check_pkt_larger'; readonly bytes: number; readonly to: SubfieldRecord }
  /** The packet is cut to `bytes` bytes where it is longer. */
  | { readonly kind: 'output_trunc'; readonly port: number; readonly bytes: number }
  /** A TCP packet with FIN or RST makes the flow's timeouts no longer than these, in seconds; 0: they stay. */
  | { readonly kind: 'fin_timeout'; readonly idle: number; readonly hard: number }
  | SampleRecord
  | LearnRecord;

export type NiciraActionKind = NiciraActionRecord['kind'];

export const niciraActionCodes: Readonly<Record<NiciraActionKind, number>> = {
  load: Action.load,
  move: Action.move,
  output_reg: Action.outputReg,
  resubmit: Action.resubmit,
  stack_push: Action.stackPush,
  stack_pop: Action.stackPop,
  clone: Action.clone,
  exit: Action.exit,
  controller: Action.controller,
  dec_nw_ttl_ids: Action.decNwTtlIds,
  note: Action.note,
  check_pkt_larger: Action.checkPktLarger,
  multipath: Action.multipath,
  bundle: Action.bundle,
  conjunction: Action.conjunction,
  output_trunc: Action.outputTrunc,
  fin_timeout: Action.finTimeout,
  sample: Action.sample,
  learn: Action.learn,
};

const kinds: ReadonlyMap<number, NiciraActionKind> = new Map(
  Object.entries(niciraActionCodes).map(([kind, code]) => [code, kind as NiciraActionKind]),
);

export function isNicira(action: ActionRecord): action is NiciraActionRecord {
  return action.kind in niciraActionCodes;
}

function writeSubfield(writer: RecordWriter, { field, offset, bits }: SubfieldRecord): void {
  const at = writer.reserve(8);
  writer.setU8(at, field);
  writer.setU16(at + 2, offset);
  writer.setU16(at + 4, bits);
}

/**
 * Appends what follows the first 8 bytes, which are at `at`, and fills these in but for code and length. `writeNested`
 * appends an action of a clone.
 */
export function writeNicira(
  writer: RecordWriter,
  at: number,
  action: NiciraActionRecord,
  writeNested: (writer: RecordWriter, action: ActionRecord) => void,
): void {
  switch (action.kind) {
    case 'load': {
      writeSubfield(writer, action.to);
      const bytes = new Uint8Array((action.to.bits + 7) >> 3);
      writeBig(bytes, 0, bytes.length, action.value);
      writer.bytes(bytes);
      writer.pad8();
      break;
    }
    case 'move':
      writeSubfield(writer, action.from);
      writeSubfield(writer, action.to);
      break;
    case 'output_reg':
      writer.setU16(at + 4, action.maxLen);
      writeSubfield(writer, action.from);
      break;
    case 'resubmit':
      writer.setU32(at + 4, action.port);
      writer.setU8(writer.reserve(8), action.table);
      break;
    case 'stack_push':
      writeSubfield(writer, action.from);
      break;
    case 'stack_pop':
      writeSubfield(writer, action.to);
      break;
    case 'clone':
      for (const inner of action.actions) writeNested(writer, inner);
      break;
    case 'controller': {
      writer.setU16(at + 4, action.maxLen);
      writer.setU16(at + 6, action.id);
      const body = writer.reserve(8);
      writer.setU8(body, action.reason);
      writer.setU8(body + 1, action.pauses === true ? 1 : 0);
      writer.setU16(body + 2, action.userdata.length);
      writer.setU32(body + 4, action.meter);
      writer.bytes(action.userdata);
      writer.pad8();
      break;
    }
    case 'dec_nw_ttl_ids':
      writer.setU16(at + 4, action.ids.length);
      writer.bytes(new Uint8Array(Uint16Array.from(action.ids).buffer));
      writer.pad8();
      break;
    case 'note':
      writer.setU16(at + 4, action.note.length);
      writer.bytes(action.note);
      writer.pad8();
      break;
    case 'check_pkt_larger':
      writer.setU16(at + 4, action.bytes);
      writeSubfield(writer, action.to);
      break;
    case 'multipath':
      writer.setU16(at + 4, action.maxLink);
      writeBalance(writer, at, action, action.argument);
      writeSubfield(writer, action.to);
      break;
    case 'bundle':
      writer.setU16(at + 4, action.members.length);
      writeBalance(writer, at, action, 0);
      if (action.to === undefined) writer.zeros(8);
      else writeSubfield(writer, action.to);
      for (const member of action.members) writer.u32(member);
      writer.pad8();
      break;
    case 'conjunction': {
      writer.setU32(at + 4, action.id);
      const body = writer.reserve(8);
      writer.setU8(body, action.clause);
      writer.setU8(body + 1, action.clauses);
      break;
    }
    case 'output_trunc':
      writer.setU32(at + 4, action.port);
      writer.setU32(writer.reserve(8), action.bytes);
      break;
    case 'fin_timeout':
      writer.setU16(at + 4, action.idle);
      writer.setU16(at + 6, action.hard);
      break;
    case 'sample':
      writeSample(writer, at, action);
      break;
    case 'learn':
      writeLearn(writer, at, action);
      break;
    default:
      break;
  }
}

/** How multipath and bundle choose. */
interface Balance {
  readonly hashFields: number;
  readonly basis: number;
  readonly algorithm: number;
}

function writeBalance(writer: RecordWriter, at: number, balance: Balance, argument: number): void {
  writer.setU16(at + 6, balance.algorithm);
  const body = writer.reserve(8);
  writer.setU16(body, balance.hashFields);
  writer.setU16(body + 2, balance.basis);
  writer.setU32(body + 4, argument);
}

function balanceOf(view: DataView): Balance {
  return { algorithm: view.getUint16(6, true), hashFields: view.getUint16(8, true), basis: view.getUint16(10, true) };
}

function decodeBundle(view: DataView): NiciraActionRecord | undefined {
  const count = view.getUint16(4, true);
  if (view.byteLength < 24 + 4 * count) return undefined;
  const to = subfieldAt(view, 16)!;
  return {
    kind: 'bundle',
    ...balanceOf(view),
    members: Array.from({ length: count }, (_, i) => view.getUint32(24 + 4 * i, true)),
    to: to.bits === 0 ? undefined : to,
  };
}

function subfieldAt(view: DataView, at: number): SubfieldRecord | undefined {
  if (view.byteLength < at + 8) return undefined;
  return { field: view.getUint8(at), offset: view.getUint16(at + 2, true), bits: view.getUint16(at + 4, true) };
}

/** Decodes one whole action; undefined when it is malformed or of no code here. `decodeNested`: the list of a clone. */
export function decodeNicira(
  record: Uint8Array,
  decodeNested: (bytes: Uint8Array) => readonly ActionRecord[] | undefined,
): NiciraActionRecord | undefined {
  const view = viewOf(record);
  const kind = kinds.get(record[0]!);
  const first = subfieldAt(view, 8);
  switch (kind) {
    case undefined:
      return undefined;
    case 'load': {
      if (first === undefined) return undefined;
      const width = (first.bits + 7) >> 3;
      if (record.length < 16 + width) return undefined;
      return { kind, to: first, value: readBig(record, 16, width) };
    }
    case 'move': {
      const to = subfieldAt(view, 16);
      return first && to && { kind, from: first, to };
    }
    case 'output_reg':
      return first && { kind, from: first, maxLen: view.getUint16(4, true) };
    case 'resubmit':
      return record.length < 16 ? undefined : { kind, port: view.getUint32(4, true), table: record[8]! };
    case 'stack_push':
      return first && { kind, from: first };
    case 'stack_pop':
      return first && { kind, to: first };
    case 'clone': {
      const actions = decodeNested(record.subarray(8));
      return actions && { kind, actions };
    }
    case 'exit':
      return { kind };
    case 'controller': {
      if (record.length < 16) return undefined;
      const length = view.getUint16(10, true);
      if (record.length < 16 + length) return undefined;
      const [maxLen, id, reason] = [view.getUint16(4, true), view.getUint16(6, true), record[8]!];
      const meter = view.getUint32(12, true);
      const pauses = record[9] === 0 ? {} : { pauses: true as const };
      return { kind, maxLen, id, reason, userdata: record.slice(16, 16 + length), meter, ...pauses };
    }
    case 'dec_nw_ttl_ids': {
      const count = view.getUint16(4, true);
      if (record.length < 8 + 2 * count) return undefined;
      return { kind, ids: Array.from({ length: count }, (_, i) => view.getUint16(8 + 2 * i, true)) };
    }
    case 'note': {
      const length = view.getUint16(4, true);
      return record.length < 8 + length ? undefined : { kind, note: record.slice(8, 8 + length) };
    }
    case 'multipath': {
      const to = subfieldAt(view, 16);
      if (to === undefined) return undefined;
      return { kind, ...balanceOf(view), maxLink: view.getUint16(4, true), argument: view.getUint32(12, true), to };
    }
    case 'bundle':
      return record.length < 24 ? undefined : decodeBundle(view);
    case 'conjunction':
      return record.length < 16
        ? undefined
        : { kind, id: view.getUint32(4, true), clause: record[8]!, clauses: record[9]! };
    case 'check_pkt_larger':
      return first && { kind, bytes: view.getUint16(4, true), to: first };
    case 'output_trunc':
      return record.length < 16 ? undefined : { kind, port: view.getUint32(4, true), bytes: view.getUint32(8, true) };
    case 'fin_timeout':
      return { kind, idle: view.getUint16(4, true), hard: view.getUint16(6, true) };
    case 'sample':
      return decodeSample(record);
    case 'learn':
      return decodeLearn(record);
  }
}

/** The subfields that an action reads and writes. */
export function subfieldsOf(action: NiciraActionRecord): {
  readonly read: readonly SubfieldRecord[];
  readonly written: readonly SubfieldRecord[];
} {
  if (action.kind === 'learn') return subfieldsOfLearn(action);
  const read = 'from' in action ? [action.from] : [];
  const written = 'to' in action && action.to !== undefined ? [action.to] : [];
  return { read, written };
}

/** A learn action writes what its flow loads, and the result. */
function subfieldsOfLearn({ specs, result }: LearnRecord): ReturnType<typeof subfieldsOf> {
  const to = (use: string) => specs.flatMap((spec) => (spec.use !== 'output' && spec.use === use ? [spec.to] : []));
  const from = specs.flatMap((spec) => (typeof spec.from === 'bigint' ? [] : [spec.from]));
  return { read: [...from, ...to('match')], written: [...to('load'), ...(result === undefined ? [] : [result])] };
}

/** All bits of the field, and no more. */
export function isWholeField({ field, offset, bits }: SubfieldRecord): boolean {
  return offset === 0 && bits === fields[field]!.bits;
}
