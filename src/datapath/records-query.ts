/** Query records, and the answers about flows and tables. */
import { align8, RecordWriter, viewOf } from './records-writer.js';
import { allTables, Query, ReservedPort } from './schema.gen.js';

export interface QueryRecord {
  readonly query: number;
  readonly table: number;
  /** Port, group or meter. */
  readonly id: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly outPort: number;
  readonly outGroup: number;
  readonly cursor: bigint;
  /** Of flows only those that appeared or changed after this version; 0: all. */
  readonly since: bigint;
  readonly match: Uint8Array;
}

const QUERY_HEADER = 48;
/** Group number that means every group; the same number means no group in a filter (OFPG_ALL, OFPG_ANY). */
export const GROUP_ALL = 0xfffffffc;
export const GROUP_ANY = 0xffffffff;
export const METER_ALL = 0xffffffff;

const emptyMatch = new Uint8Array(0);

export function encodeQuery(query: Partial<QueryRecord> & { readonly query: number }): Uint8Array {
  const match = query.match ?? emptyMatch;
  const writer = new RecordWriter(QUERY_HEADER + align8(match.length));
  const at = writer.reserve(QUERY_HEADER);
  writer.setU8(at, query.query);
  writer.setU8(at + 1, query.table ?? allTables);
  writer.setU16(at + 2, match.length);
  writer.setU32(at + 4, query.id ?? defaultId(query.query));
  writer.setU64(at + 8, query.cookie ?? 0n);
  writer.setU64(at + 16, query.cookieMask ?? 0n);
  writer.setU32(at + 24, query.outPort ?? ReservedPort.any);
  writer.setU32(at + 28, query.outGroup ?? GROUP_ANY);
  writer.setU64(at + 32, query.cursor ?? 0n);
  writer.setU64(at + 40, query.since ?? 0n);
  writer.bytes(match);
  writer.pad8();
  return writer.take();
}

function defaultId(query: number): number {
  return query === Query.groups ? GROUP_ALL : ReservedPort.any;
}

export function decodeQuery(bytes: Uint8Array): QueryRecord | undefined {
  if (bytes.length < QUERY_HEADER) return undefined;
  const view = viewOf(bytes);
  const matchLength = view.getUint16(2, true);
  if (QUERY_HEADER + matchLength > bytes.length) return undefined;
  return {
    query: bytes[0]!,
    table: bytes[1]!,
    id: view.getUint32(4, true),
    cookie: view.getBigUint64(8, true),
    cookieMask: view.getBigUint64(16, true),
    outPort: view.getUint32(24, true),
    outGroup: view.getUint32(28, true),
    cursor: view.getBigUint64(32, true),
    since: view.getBigUint64(40, true),
    match: bytes.slice(QUERY_HEADER, QUERY_HEADER + matchLength),
  };
}

export interface FlowAnswer {
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly duration: bigint;
  /** Nanoseconds since the last packet, or since it was made. */
  readonly unused: bigint;
  /** Seconds since it was modified, or made; 65535: that, or more. */
  readonly unchanged: number;
  readonly idle: number;
  readonly hard: number;
  readonly flags: number;
  readonly importance: number;
  /** It appeared after the version that the query named, and did not only change. */
  readonly isNew: boolean;
  readonly match: Uint8Array;
  readonly instructions: Uint8Array;
}

const FLOW_ANSWER_HEADER = 64;

export function writeFlowAnswer(writer: RecordWriter, flow: FlowAnswer): void {
  const at = writer.reserve(FLOW_ANSWER_HEADER);
  writer.setU8(at + 4, flow.table);
  writer.setU8(at + 5, flow.isNew ? 1 : 0);
  writer.setU16(at + 6, flow.priority);
  writer.setU64(at + 8, flow.cookie);
  writer.setU64(at + 16, flow.packets);
  writer.setU64(at + 24, flow.bytes);
  writer.setU64(at + 32, flow.duration);
  writer.setU16(at + 40, flow.idle);
  writer.setU16(at + 42, flow.hard);
  writer.setU16(at + 44, flow.flags);
  writer.setU16(at + 46, flow.match.length);
  writer.setU32(at + 48, flow.instructions.length);
  writer.setU16(at + 52, flow.importance);
  writer.setU16(at + 54, flow.unchanged);
  writer.setU64(at + 56, flow.unused);
  writer.bytes(flow.match);
  writer.pad8();
  writer.bytes(flow.instructions);
  writer.setU32(at, writer.length - at);
}

/** Where the parts of a flow stand in an answer, in bytes from its beginning; all are little-endian. */
export const flowAnswerAt = {
  table: 4,
  priority: 6,
  cookie: 8,
  packets: 16,
  bytes: 24,
  duration: 32,
  idle: 40,
  hard: 42,
  flags: 44,
  importance: 52,
  match: FLOW_ANSWER_HEADER,
} as const;

/** Where the flows of an answer begin, and where the match of each, which is after its head, and its instructions end. */
export function* flowAnswers(data: Uint8Array): Generator<{
  readonly start: number;
  /** Its end; the instructions follow aligned. */
  readonly match: number;
  readonly instructions: number;
  readonly end: number;
}> {
  const view = viewOf(data);
  for (let start = 0; data.length - start >= FLOW_ANSWER_HEADER; ) {
    const end = start + view.getUint32(start, true);
    const matchLength = view.getUint16(start + 46, true);
    const match = start + FLOW_ANSWER_HEADER + matchLength;
    const instructions = start + FLOW_ANSWER_HEADER + align8(matchLength);
    yield { start, match, instructions, end: instructions + view.getUint32(start + 48, true) };
    if (end <= start) throw new RangeError('flow answer of no length');
    start = end;
  }
}

/** Flows of an answer. Match and instructions are views into `data`. */
export function* decodeFlowAnswers(data: Uint8Array): Generator<FlowAnswer> {
  const view = viewOf(data);
  let at = 0;
  while (data.length - at >= FLOW_ANSWER_HEADER) {
    const length = view.getUint32(at, true);
    if (length < FLOW_ANSWER_HEADER || length > data.length - at)
      throw new RangeError(`flow answer of ${length} bytes`);
    const matchLength = view.getUint16(at + 46, true);
    const instructionsAt = at + FLOW_ANSWER_HEADER + align8(matchLength);
    yield {
      table: data[at + 4]!,
      priority: view.getUint16(at + 6, true),
      cookie: view.getBigUint64(at + 8, true),
      packets: view.getBigUint64(at + 16, true),
      bytes: view.getBigUint64(at + 24, true),
      duration: view.getBigUint64(at + 32, true),
      unused: view.getBigUint64(at + 56, true),
      idle: view.getUint16(at + 40, true),
      hard: view.getUint16(at + 42, true),
      flags: view.getUint16(at + 44, true),
      importance: view.getUint16(at + 52, true),
      unchanged: view.getUint16(at + 54, true),
      isNew: data[at + 5] === 1,
      match: data.subarray(at + FLOW_ANSWER_HEADER, at + FLOW_ANSWER_HEADER + matchLength),
      instructions: data.subarray(instructionsAt, instructionsAt + view.getUint32(at + 48, true)),
    };
    at += length;
  }
}

export interface AggregateAnswer {
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly flows: number;
}

export function writeAggregateAnswer(writer: RecordWriter, answer: AggregateAnswer): void {
  writer.u64(answer.packets);
  writer.u64(answer.bytes);
  writer.u32(answer.flows);
  writer.zeros(4);
}

export function decodeAggregateAnswer(data: Uint8Array): AggregateAnswer {
  const view = viewOf(data);
  return {
    packets: view.getBigUint64(0, true),
    bytes: view.getBigUint64(8, true),
    flows: view.getUint32(16, true),
  };
}

export interface TableAnswer {
  readonly active: number;
  readonly lookups: bigint;
  readonly matched: bigint;
}

const TABLE_ANSWER = 24;

export function writeTableAnswer(writer: RecordWriter, answer: TableAnswer): void {
  writer.u32(answer.active);
  writer.zeros(4);
  writer.u64(answer.lookups);
  writer.u64(answer.matched);
}

/** Indexed by table number. */
export function decodeTableAnswers(data: Uint8Array): TableAnswer[] {
  const view = viewOf(data);
  return Array.from({ length: Math.floor(data.length / TABLE_ANSWER) }, (_, i) => ({
    active: view.getUint32(i * TABLE_ANSWER, true),
    lookups: view.getBigUint64(i * TABLE_ANSWER + 8, true),
    matched: view.getBigUint64(i * TABLE_ANSWER + 16, true),
  }));
}
