/** Records of an apply batch. */
import {
  DEFAULT_SELECTION,
  readSelectionFields,
  type SelectionRecord,
  writeSelectionFields,
} from './records-selection.js';
import { align8, type RecordWriter, viewOf } from './records-writer.js';
import { allBuckets, EvictionFlag, Op, SelectionMethod, TableMiss } from './schema.gen.js';

export interface FlowModRecord {
  readonly op: 'flow_mod';
  readonly command: number;
  readonly table: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly priority: number;
  readonly flags: number;
  readonly idle: number;
  readonly hard: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly importance: number;
  /** Encoded entries without padding. */
  readonly match: Uint8Array;
  readonly instructions: Uint8Array;
}

export interface BucketRecord {
  /** 0 to bucketIdMax, of its own in the group. */
  readonly id: number;
  readonly weight: number;
  readonly watchPort: number;
  readonly watchGroup: number;
  /** Encoded actions. */
  readonly actions: Uint8Array;
}

export interface GroupModRecord {
  readonly op: 'group_mod';
  readonly command: number;
  readonly type: number;
  readonly group: number;
  /** insert_bucket: after which bucket; remove_bucket: which; or firstBucket, lastBucket, allBuckets. Others: not looked at. */
  readonly place?: number;
  /** Of a select group; an edit leaves it as it was. Default: the switch's own. */
  readonly selection?: SelectionRecord;
  readonly buckets: readonly BucketRecord[];
}

export interface BandRecord {
  readonly type: number;
  readonly precLevel: number;
  readonly rate: number;
  readonly burst: number;
}

export interface MeterModRecord {
  readonly op: 'meter_mod';
  readonly command: number;
  readonly meter: number;
  readonly flags: number;
  readonly bands: readonly BandRecord[];
}

export interface TableConfigRecord {
  readonly op: 'table_config';
  readonly table: number;
  readonly maxEntries: number;
  /** TableMiss */
  readonly miss: number;
  /** EvictionFlag; 0: a full table takes no more flows. */
  readonly eviction: number;
  /** Ascending fields, and which bits of each: flows with the same values form a group, and of the largest one has to go. */
  readonly groups?: SelectionRecord['fields'];
}

export type ApplyRecord =
  | FlowModRecord
  | GroupModRecord
  | MeterModRecord
  | { readonly op: 'port_config'; readonly port: number; readonly config: number; readonly mask: number }
  /** `firstEgress`: first table of those that packets pass on their way out; 0: there are none. */
  | { readonly op: 'set_config'; readonly fragMode: number; readonly firstEgress: number }
  | { readonly op: 'controller_state'; readonly connected: boolean; readonly misses: boolean }
  | TableConfigRecord
  | { readonly op: 'watch_flows'; readonly on: boolean }
  /** Framed rightly, but its inside is not what its op says. */
  | { readonly op: 'malformed' };

const FLOW_MOD_HEADER = 48;
const GROUP_MOD_HEADER = 32;
const BUCKET_HEADER = 24;
const METER_MOD_HEADER = 16;
const TABLE_CONFIG_HEADER = 16;
const BAND_BYTES = 16;
const EVICTION_FLAGS = EvictionFlag.other | EvictionFlag.importance | EvictionFlag.lifetime;

function begin(writer: RecordWriter, op: number, command: number, third: number, length: number): number {
  const at = writer.reserve(length);
  writer.setU8(at, op);
  writer.setU8(at + 1, command);
  writer.setU8(at + 2, third);
  writer.setU32(at + 4, length);
  return at;
}

/**
 * Starts a flow_mod record; match and instructions follow with {@link endFlowModMatch} and {@link endFlowMod}.
 * For callers that translate straight into the batch; others use {@link writeFlowMod}.
 */
export function beginFlowMod(writer: RecordWriter, mod: Omit<FlowModRecord, 'op' | 'match' | 'instructions'>): number {
  const at = begin(writer, Op.flowMod, mod.command, mod.table, FLOW_MOD_HEADER);
  writer.setU64(at + 8, mod.cookie);
  writer.setU64(at + 16, mod.cookieMask);
  writer.setU16(at + 24, mod.priority);
  writer.setU16(at + 26, mod.flags);
  writer.setU16(at + 28, mod.idle);
  writer.setU16(at + 30, mod.hard);
  writer.setU32(at + 32, mod.outPort);
  writer.setU32(at + 36, mod.outGroup);
  writer.setU16(at + 42, mod.importance);
  return at;
}

/** The match has been appended to the record that starts at `at`. */
export function endFlowModMatch(writer: RecordWriter, at: number): void {
  writer.setU16(at + 40, writer.length - at - FLOW_MOD_HEADER);
  writer.pad8();
}

/** The instructions, which start at `instructionsAt`, have been appended. */
export function endFlowMod(writer: RecordWriter, at: number, instructionsAt: number): void {
  writer.setU32(at + 44, writer.length - instructionsAt);
  writer.setU32(at + 4, writer.length - at);
}

export function writeFlowMod(writer: RecordWriter, mod: FlowModRecord): void {
  const at = beginFlowMod(writer, mod);
  writer.bytes(mod.match);
  endFlowModMatch(writer, at);
  const instructionsAt = writer.length;
  writer.bytes(mod.instructions);
  endFlowMod(writer, at, instructionsAt);
}

export function writeBucket(writer: RecordWriter, bucket: BucketRecord): void {
  const at = writer.reserve(BUCKET_HEADER);
  writer.setU32(at, BUCKET_HEADER + bucket.actions.length);
  writer.setU16(at + 4, bucket.weight);
  writer.setU32(at + 8, bucket.watchPort);
  writer.setU32(at + 12, bucket.watchGroup);
  writer.setU32(at + 16, bucket.id);
  writer.bytes(bucket.actions);
}

export function writeGroupMod(writer: RecordWriter, mod: Omit<GroupModRecord, 'op'>): void {
  const at = begin(writer, Op.groupMod, mod.command, mod.type, GROUP_MOD_HEADER);
  writer.setU32(at + 8, mod.group);
  writer.setU32(at + 12, mod.buckets.length);
  writer.setU32(at + 16, mod.place ?? allBuckets);
  const { selection = DEFAULT_SELECTION } = mod;
  writer.setU8(at + 3, selection.method);
  writer.setU64(at + 24, selection.parameter);
  writer.setU32(at + 20, writeSelectionFields(writer, selection));
  for (const bucket of mod.buckets) writeBucket(writer, bucket);
  writer.setU32(at + 4, writer.length - at);
}

export function writeBand(writer: RecordWriter, band: BandRecord): void {
  const at = writer.reserve(BAND_BYTES);
  writer.setU16(at, band.type);
  writer.setU16(at + 2, band.precLevel);
  writer.setU32(at + 4, band.rate);
  writer.setU32(at + 8, band.burst);
}

export function writeMeterMod(writer: RecordWriter, mod: Omit<MeterModRecord, 'op'>): void {
  const at = begin(writer, Op.meterMod, mod.command, 0, METER_MOD_HEADER);
  writer.setU32(at + 8, mod.meter);
  writer.setU16(at + 12, mod.flags);
  writer.setU16(at + 14, mod.bands.length);
  for (const band of mod.bands) writeBand(writer, band);
  writer.setU32(at + 4, writer.length - at);
}

export function writePortConfig(writer: RecordWriter, port: number, config: number, mask: number): void {
  const at = begin(writer, Op.portConfig, 0, 0, 24);
  writer.setU32(at + 8, port);
  writer.setU32(at + 12, config);
  writer.setU32(at + 16, mask);
}

export function writeSetConfig(writer: RecordWriter, fragMode: number, firstEgress = 0): void {
  const at = begin(writer, Op.setConfig, 0, 0, 16);
  writer.setU8(at + 8, fragMode);
  writer.setU8(at + 9, firstEgress);
}

/** `misses`: packets that no flow of a table matches go up too. */
export function writeControllerState(writer: RecordWriter, connected: boolean, misses = false): void {
  writer.setU8(begin(writer, Op.controllerState, 0, 0, 16) + 8, (connected ? 1 : 0) | (misses ? 2 : 0));
}

export function writeTableConfig(writer: RecordWriter, config: Omit<TableConfigRecord, 'op'>): void {
  const at = begin(writer, Op.tableConfig, 0, config.table, TABLE_CONFIG_HEADER);
  writer.setU32(at + 8, config.maxEntries);
  writer.setU8(at + 12, config.miss);
  writer.setU8(at + 13, config.eviction);
  writer.setU16(at + 14, writeSelectionFields(writer, { fields: config.groups ?? [] }));
  writer.setU32(at + 4, writer.length - at);
}

/** `on`: what becomes of flows is told by flow_change upcalls. */
export function writeWatchFlows(writer: RecordWriter, on: boolean): void {
  writer.setU8(begin(writer, Op.watchFlows, 0, 0, 16) + 8, on ? 1 : 0);
}

const MALFORMED: ApplyRecord = { op: 'malformed' };

/** The records of a batch. Ends with a malformed one where the framing breaks. */
export function* decodeBatch(batch: Uint8Array): Generator<ApplyRecord> {
  const view = viewOf(batch);
  let at = 0;
  while (at < batch.length) {
    const length = batch.length - at < 8 ? 0 : view.getUint32(at + 4, true);
    if (length < 8 || length % 8 !== 0 || length > batch.length - at) {
      yield MALFORMED;
      return;
    }
    yield decodeApply(batch.subarray(at, at + length)) ?? MALFORMED;
    at += length;
  }
}

function decodeApply(bytes: Uint8Array): ApplyRecord | undefined {
  const view = viewOf(bytes);
  switch (bytes[0]) {
    case Op.flowMod:
      return decodeFlowMod(bytes, view);
    case Op.groupMod:
      return decodeGroupMod(bytes, view);
    case Op.meterMod:
      return decodeMeterMod(bytes, view);
    case Op.portConfig:
      if (bytes.length < 24) return undefined;
      return {
        op: 'port_config',
        port: view.getUint32(8, true),
        config: view.getUint32(12, true),
        mask: view.getUint32(16, true),
      };
    case Op.setConfig:
      return bytes.length < 16 ? undefined : { op: 'set_config', fragMode: bytes[8]!, firstEgress: bytes[9]! };
    case Op.controllerState:
      if (bytes.length < 16) return undefined;
      return { op: 'controller_state', connected: (bytes[8]! & 1) !== 0, misses: (bytes[8]! & 2) !== 0 };
    case Op.tableConfig:
      return decodeTableConfig(bytes, view);
    case Op.watchFlows:
      return bytes.length < 16 ? undefined : { op: 'watch_flows', on: bytes[8] !== 0 };
    default:
      return undefined;
  }
}

function decodeTableConfig(bytes: Uint8Array, view: DataView): TableConfigRecord | undefined {
  if (bytes.length < TABLE_CONFIG_HEADER || bytes[12]! > TableMiss.drop || bytes[13]! > EVICTION_FLAGS)
    return undefined;
  const [table, maxEntries, miss, eviction] = [bytes[2]!, view.getUint32(8, true), bytes[12]!, bytes[13]!];
  const fieldsEnd = TABLE_CONFIG_HEADER + view.getUint16(14, true);
  if (align8(fieldsEnd) !== bytes.length) return undefined;
  const groups = readSelectionFields(bytes.subarray(TABLE_CONFIG_HEADER, fieldsEnd));
  return groups && { op: 'table_config', table, maxEntries, miss, eviction, groups };
}

function decodeFlowMod(bytes: Uint8Array, view: DataView): FlowModRecord | undefined {
  if (bytes.length < FLOW_MOD_HEADER) return undefined;
  const matchLength = view.getUint16(40, true);
  const instructionsLength = view.getUint32(44, true);
  const instructionsAt = FLOW_MOD_HEADER + align8(matchLength);
  if (instructionsAt + instructionsLength > bytes.length) return undefined;
  return {
    op: 'flow_mod',
    command: bytes[1]!,
    table: bytes[2]!,
    cookie: view.getBigUint64(8, true),
    cookieMask: view.getBigUint64(16, true),
    priority: view.getUint16(24, true),
    flags: view.getUint16(26, true),
    idle: view.getUint16(28, true),
    hard: view.getUint16(30, true),
    outPort: view.getUint32(32, true),
    outGroup: view.getUint32(36, true),
    importance: view.getUint16(42, true),
    match: bytes.slice(FLOW_MOD_HEADER, FLOW_MOD_HEADER + matchLength),
    instructions: bytes.slice(instructionsAt, instructionsAt + instructionsLength),
  };
}

/** Reads a bucket at `at`; undefined when it is not whole. */
export function decodeBucket(
  bytes: Uint8Array,
  view: DataView,
  at: number,
): (BucketRecord & { readonly length: number }) | undefined {
  if (bytes.length - at < BUCKET_HEADER) return undefined;
  const length = view.getUint32(at, true);
  if (length < BUCKET_HEADER || length % 8 !== 0 || length > bytes.length - at) return undefined;
  return {
    length,
    id: view.getUint32(at + 16, true),
    weight: view.getUint16(at + 4, true),
    watchPort: view.getUint32(at + 8, true),
    watchGroup: view.getUint32(at + 12, true),
    actions: bytes.slice(at + BUCKET_HEADER, at + length),
  };
}

function decodeGroupMod(bytes: Uint8Array, view: DataView): GroupModRecord | undefined {
  if (bytes.length < GROUP_MOD_HEADER) return undefined;
  const count = view.getUint32(12, true);
  const buckets: BucketRecord[] = [];
  const fieldsEnd = GROUP_MOD_HEADER + view.getUint32(20, true);
  if (fieldsEnd > bytes.length || bytes[3]! > SelectionMethod.dpHash) return undefined;
  const fields = readSelectionFields(bytes.subarray(GROUP_MOD_HEADER, fieldsEnd));
  if (fields === undefined) return undefined;
  const selection = { method: bytes[3]!, parameter: view.getBigUint64(24, true), fields };
  let at = fieldsEnd + (-fieldsEnd & 7);
  while (at < bytes.length) {
    const bucket = decodeBucket(bytes, view, at);
    if (bucket === undefined) return undefined;
    const { length, ...rest } = bucket;
    buckets.push(rest);
    at += length;
  }
  if (buckets.length !== count) return undefined;
  const [group, place] = [view.getUint32(8, true), view.getUint32(16, true)];
  return { op: 'group_mod', command: bytes[1]!, type: bytes[2]!, group, place, buckets, selection };
}

export function decodeBand(view: DataView, at: number): BandRecord {
  return {
    type: view.getUint16(at, true),
    precLevel: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    burst: view.getUint32(at + 8, true),
  };
}

function decodeMeterMod(bytes: Uint8Array, view: DataView): MeterModRecord | undefined {
  if (bytes.length < METER_MOD_HEADER) return undefined;
  const count = view.getUint16(14, true);
  if (METER_MOD_HEADER + count * BAND_BYTES !== bytes.length) return undefined;
  const bands = Array.from({ length: count }, (_, i) => decodeBand(view, METER_MOD_HEADER + i * BAND_BYTES));
  return {
    op: 'meter_mod',
    command: bytes[1]!,
    meter: view.getUint32(8, true),
    flags: view.getUint16(12, true),
    bands,
  };
}
