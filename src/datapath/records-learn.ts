/** Records of learn actions and samples (docs/native-boundary.md). */
import { readBig, writeBig } from './records-match.js';
import type { SubfieldRecord } from './records-nicira.js';
import { align8, type RecordWriter, viewOf } from './records-writer.js';
import { LearnUse } from './schema.gen.js';

/** What one specification adds to the flow that is learned. `from`: bits of the packet, or a value as it is. */
export type LearnSpecRecord =
  | { readonly use: 'match' | 'load'; readonly to: SubfieldRecord; readonly from: SubfieldRecord | bigint }
  | { readonly use: 'output'; readonly from: SubfieldRecord };

export interface LearnRecord {
  readonly kind: 'learn';
  /** Seconds, 0: none. */
  readonly idle: number;
  readonly hard: number;
  readonly priority: number;
  readonly cookie: bigint;
  /** LearnFlag */
  readonly flags: number;
  readonly table: number;
  readonly finIdle: number;
  readonly finHard: number;
  /** Most flows that the table may hold with the cookie; 0: any number. */
  readonly limit: number;
  /** The bit that says whether the flow is there; with LearnFlag.writeResult. */
  readonly result: SubfieldRecord | undefined;
  readonly specs: readonly LearnSpecRecord[];
}

export interface SampleRecord {
  readonly kind: 'sample';
  /** 1..65535 of 65535 packets. */
  readonly probability: number;
  readonly collectorSet: number;
  readonly obsDomain: number;
  readonly obsPoint: number;
  /** 16 bits, as Nicira's actions have ports. */
  readonly samplingPort: number;
  /** NX_ACTION_SAMPLE */
  readonly direction: number;
  /** Which of NXAST_SAMPLE, SAMPLE2 and SAMPLE3 it was: 1..3. */
  readonly form: number;
}

const SUBFIELD = 8;
const LEARN_HEAD = 40;
const SPEC_HEAD = 16;
const SAMPLE_BYTES = 24;

const uses = ['match', 'load', 'output'] as const;
const useCodes: Readonly<Record<LearnSpecRecord['use'], number>> = {
  match: LearnUse.match,
  load: LearnUse.load,
  output: LearnUse.output,
};

function setSubfield(writer: RecordWriter, at: number, { field, offset, bits }: SubfieldRecord): void {
  writer.setU8(at, field);
  writer.setU16(at + 2, offset);
  writer.setU16(at + 4, bits);
}

function subfieldAt(view: DataView, at: number): SubfieldRecord {
  return { field: view.getUint8(at), offset: view.getUint16(at + 2, true), bits: view.getUint16(at + 4, true) };
}

const valueBytes = (bits: number): number => (bits + 7) >> 3;

function writeSpec(writer: RecordWriter, spec: LearnSpecRecord): void {
  const at = writer.reserve(SPEC_HEAD);
  writer.setU8(at, useCodes[spec.use]);
  if (spec.use !== 'output') setSubfield(writer, at + 8, spec.to);
  if (spec.use === 'output' || typeof spec.from !== 'bigint') {
    setSubfield(writer, writer.reserve(SUBFIELD), spec.from as SubfieldRecord);
    return;
  }
  writer.setU8(at + 1, 1);
  const value = new Uint8Array(valueBytes(spec.to.bits));
  writeBig(value, 0, value.length, spec.from);
  writer.bytes(value);
  writer.pad8();
}

/** Appends what follows the first 8 bytes, which are at `at`, and fills these in but for code and length. */
export function writeLearn(writer: RecordWriter, at: number, learn: LearnRecord): void {
  writer.reserve(LEARN_HEAD - 8);
  writer.setU16(at + 4, learn.idle);
  writer.setU16(at + 6, learn.hard);
  writer.setU64(at + 8, learn.cookie);
  writer.setU16(at + 16, learn.priority);
  writer.setU16(at + 18, learn.flags);
  writer.setU16(at + 20, learn.finIdle);
  writer.setU16(at + 22, learn.finHard);
  writer.setU32(at + 24, learn.limit);
  writer.setU8(at + 28, learn.table);
  if (learn.result !== undefined) setSubfield(writer, at + 32, learn.result);
  for (const spec of learn.specs) writeSpec(writer, spec);
}

function decodeSpec(
  record: Uint8Array,
  view: DataView,
  at: number,
): { spec: LearnSpecRecord; end: number } | undefined {
  if (record.length < at + SPEC_HEAD + SUBFIELD) return undefined;
  const use = uses[record[at]!];
  const immediate = record[at + 1] !== 0;
  if (use === undefined) return undefined;
  const end = at + SPEC_HEAD + SUBFIELD;
  if (use === 'output') {
    return immediate ? undefined : { spec: { use, from: subfieldAt(view, at + SPEC_HEAD) }, end };
  }
  const to = subfieldAt(view, at + 8);
  if (!immediate) return { spec: { use, to, from: subfieldAt(view, at + SPEC_HEAD) }, end };
  const width = valueBytes(to.bits);
  const valueEnd = at + SPEC_HEAD + align8(width);
  if (record.length < valueEnd) return undefined;
  return { spec: { use, to, from: readBig(record, at + SPEC_HEAD, width) }, end: valueEnd };
}

/** Undefined when it is malformed. */
export function decodeLearn(record: Uint8Array): LearnRecord | undefined {
  if (record.length < LEARN_HEAD) return undefined;
  const view = viewOf(record);
  const specs: LearnSpecRecord[] = [];
  for (let at = LEARN_HEAD; at < record.length; ) {
    const found = decodeSpec(record, view, at);
    if (found === undefined) return undefined;
    specs.push(found.spec);
    at = found.end;
  }
  const result = subfieldAt(view, 32);
  return {
    kind: 'learn',
    idle: view.getUint16(4, true),
    hard: view.getUint16(6, true),
    cookie: view.getBigUint64(8, true),
    priority: view.getUint16(16, true),
    flags: view.getUint16(18, true),
    finIdle: view.getUint16(20, true),
    finHard: view.getUint16(22, true),
    limit: view.getUint32(24, true),
    table: record[28]!,
    result: result.bits === 0 ? undefined : result,
    specs,
  };
}

/** As writeLearn. */
export function writeSample(writer: RecordWriter, at: number, sample: SampleRecord): void {
  writer.reserve(SAMPLE_BYTES - 8);
  writer.setU16(at + 4, sample.probability);
  writer.setU16(at + 6, sample.samplingPort);
  writer.setU32(at + 8, sample.collectorSet);
  writer.setU32(at + 12, sample.obsDomain);
  writer.setU32(at + 16, sample.obsPoint);
  writer.setU8(at + 20, sample.direction);
  writer.setU8(at + 21, sample.form);
}

export function decodeSample(record: Uint8Array): SampleRecord | undefined {
  if (record.length < SAMPLE_BYTES) return undefined;
  const view = viewOf(record);
  return {
    kind: 'sample',
    probability: view.getUint16(4, true),
    samplingPort: view.getUint16(6, true),
    collectorSet: view.getUint32(8, true),
    obsDomain: view.getUint32(12, true),
    obsPoint: view.getUint32(16, true),
    direction: record[20]!,
    form: record[21]!,
  };
}
