/** Answers to queries about groups, meters, ports, drops and the runtime; those about flows are in records-query.ts. */
import {
  type BandRecord,
  type BucketRecord,
  decodeBand,
  decodeBucket,
  writeBand,
  writeBucket,
} from './records-apply.js';
import { readSelectionFields, type SelectionRecord, writeSelectionFields } from './records-selection.js';
import { type RecordWriter, viewOf } from './records-writer.js';

export interface GroupAnswer {
  readonly group: number;
  readonly type: number;
  readonly references: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly duration: bigint;
  readonly selection: SelectionRecord;
  readonly buckets: readonly (BucketRecord & { readonly packets: bigint; readonly bytes: bigint })[];
}

const GROUP_ANSWER_HEADER = 56;

export function writeGroupAnswer(writer: RecordWriter, answer: GroupAnswer): void {
  const at = writer.reserve(GROUP_ANSWER_HEADER);
  writer.setU32(at + 4, answer.group);
  writer.setU8(at + 8, answer.type);
  writer.setU32(at + 12, answer.references);
  writer.setU64(at + 16, answer.packets);
  writer.setU64(at + 24, answer.bytes);
  writer.setU64(at + 32, answer.duration);
  writer.setU32(at + 40, answer.buckets.length);
  writer.setU8(at + 9, answer.selection.method);
  writer.setU64(at + 48, answer.selection.parameter);
  writer.setU32(at + 44, writeSelectionFields(writer, answer.selection));
  for (const bucket of answer.buckets) {
    writer.u64(bucket.packets);
    writer.u64(bucket.bytes);
    writeBucket(writer, bucket);
  }
  writer.setU32(at, writer.length - at);
}

export function* decodeGroupAnswers(data: Uint8Array): Generator<GroupAnswer> {
  const view = viewOf(data);
  let at = 0;
  while (data.length - at >= GROUP_ANSWER_HEADER) {
    const end = at + view.getUint32(at, true);
    const buckets: (BucketRecord & { packets: bigint; bytes: bigint })[] = [];
    const fieldsEnd = at + GROUP_ANSWER_HEADER + view.getUint32(at + 44, true);
    const fields = readSelectionFields(data.subarray(at + GROUP_ANSWER_HEADER, fieldsEnd));
    if (fields === undefined) throw new RangeError(`broken fields of group ${view.getUint32(at + 4, true)}`);
    let next = fieldsEnd + (-fieldsEnd & 7);
    while (next < end) {
      const bucket = decodeBucket(data, view, next + 16);
      if (bucket === undefined) throw new RangeError(`broken bucket of group ${view.getUint32(at + 4, true)}`);
      const { length, ...rest } = bucket;
      buckets.push({
        ...rest,
        packets: view.getBigUint64(next, true),
        bytes: view.getBigUint64(next + 8, true),
      });
      next += 16 + length;
    }
    yield {
      group: view.getUint32(at + 4, true),
      type: data[at + 8]!,
      references: view.getUint32(at + 12, true),
      packets: view.getBigUint64(at + 16, true),
      bytes: view.getBigUint64(at + 24, true),
      duration: view.getBigUint64(at + 32, true),
      selection: { method: data[at + 9]!, parameter: view.getBigUint64(at + 48, true), fields },
      buckets,
    };
    at = end;
  }
}

export interface MeterAnswer {
  readonly meter: number;
  readonly flags: number;
  readonly flows: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly duration: bigint;
  readonly bands: readonly (BandRecord & { readonly packets: bigint; readonly bytes: bigint })[];
}

const METER_ANSWER_HEADER = 40;
const BAND_ANSWER = 32;

export function writeMeterAnswer(writer: RecordWriter, answer: MeterAnswer): void {
  const at = writer.reserve(METER_ANSWER_HEADER);
  writer.setU32(at + 4, answer.meter);
  writer.setU16(at + 8, answer.flags);
  writer.setU16(at + 10, answer.bands.length);
  writer.setU32(at + 12, answer.flows);
  writer.setU64(at + 16, answer.packets);
  writer.setU64(at + 24, answer.bytes);
  writer.setU64(at + 32, answer.duration);
  for (const band of answer.bands) {
    writer.u64(band.packets);
    writer.u64(band.bytes);
    writeBand(writer, band);
  }
  writer.setU32(at, writer.length - at);
}

export function* decodeMeterAnswers(data: Uint8Array): Generator<MeterAnswer> {
  const view = viewOf(data);
  let at = 0;
  while (data.length - at >= METER_ANSWER_HEADER) {
    const first = at + METER_ANSWER_HEADER;
    yield {
      meter: view.getUint32(at + 4, true),
      flags: view.getUint16(at + 8, true),
      flows: view.getUint32(at + 12, true),
      packets: view.getBigUint64(at + 16, true),
      bytes: view.getBigUint64(at + 24, true),
      duration: view.getBigUint64(at + 32, true),
      bands: Array.from({ length: view.getUint16(at + 10, true) }, (_, i) => ({
        packets: view.getBigUint64(first + i * BAND_ANSWER, true),
        bytes: view.getBigUint64(first + i * BAND_ANSWER + 8, true),
        ...decodeBand(view, first + i * BAND_ANSWER + 16),
      })),
    };
    at += view.getUint32(at, true);
  }
}

/** The order of a port's counters in its answer. */
export const portCounters = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxDropped',
  'txDropped',
  'rxErrors',
  'txErrors',
  'duration',
] as const;

export type PortAnswer = {
  readonly port: number;
  readonly config: number;
  readonly state: number;
} & { readonly [K in (typeof portCounters)[number]]: bigint };

const PORT_ANSWER = 16 + 8 * portCounters.length;

export function writePortAnswer(writer: RecordWriter, answer: PortAnswer): void {
  writer.u32(answer.port);
  writer.u32(answer.config);
  writer.u32(answer.state);
  writer.zeros(4);
  for (const counter of portCounters) writer.u64(answer[counter]);
}

export function decodePortAnswers(data: Uint8Array): PortAnswer[] {
  const view = viewOf(data);
  return Array.from({ length: Math.floor(data.length / PORT_ANSWER) }, (_, i) => {
    const at = i * PORT_ANSWER;
    const counter = (index: number) => view.getBigUint64(at + 16 + 8 * index, true);
    return {
      port: view.getUint32(at, true),
      config: view.getUint32(at + 4, true),
      state: view.getUint32(at + 8, true),
      rxPackets: counter(0),
      txPackets: counter(1),
      rxBytes: counter(2),
      txBytes: counter(3),
      rxDropped: counter(4),
      txDropped: counter(5),
      rxErrors: counter(6),
      txErrors: counter(7),
      duration: counter(8),
    };
  });
}

export interface DropAnswer {
  readonly port: number;
  /** Indexed by Drop. */
  readonly rx: readonly bigint[];
  readonly tx: readonly bigint[];
}

export function writeDropAnswer(writer: RecordWriter, answer: DropAnswer): void {
  writer.u32(answer.port);
  writer.zeros(4);
  for (const count of answer.rx) writer.u64(count);
  for (const count of answer.tx) writer.u64(count);
}

export function decodeDropAnswers(data: Uint8Array, reasons: number): DropAnswer[] {
  const view = viewOf(data);
  const size = 8 + 16 * reasons;
  const counts = (at: number) => Array.from({ length: reasons }, (_, i) => view.getBigUint64(at + 8 * i, true));
  return Array.from({ length: Math.floor(data.length / size) }, (_, i) => ({
    port: view.getUint32(i * size, true),
    rx: counts(i * size + 8),
    tx: counts(i * size + 8 + 8 * reasons),
  }));
}

export interface RuntimeAnswer {
  readonly workers: number;
  readonly version: bigint;
  readonly rules: bigint;
  readonly subtables: bigint;
  readonly ruleBytes: bigint;
  readonly upcalls: bigint;
  readonly upcallsDropped: bigint;
  /** Flows that learn actions made, and requests for flows that were not carried out. */
  readonly learned: bigint;
  readonly learnsDropped: bigint;
  readonly perWorker: readonly {
    readonly busy: bigint;
    readonly idle: bigint;
    readonly batches: bigint;
    readonly packets: bigint;
  }[];
}

export function decodeRuntimeAnswer(data: Uint8Array): RuntimeAnswer {
  const view = viewOf(data);
  const word = (index: number) => view.getBigUint64(8 * index, true);
  const workers = Number(word(0));
  const first = 9;
  return {
    workers,
    version: word(1),
    rules: word(2),
    subtables: word(3),
    ruleBytes: word(4),
    upcalls: word(5),
    upcallsDropped: word(6),
    learned: word(7),
    learnsDropped: word(8),
    perWorker: Array.from({ length: workers }, (_, i) => ({
      busy: word(first + 4 * i),
      idle: word(first + 1 + 4 * i),
      batches: word(first + 2 + 4 * i),
      packets: word(first + 3 + 4 * i),
    })),
  };
}

export interface SampleAnswer {
  readonly collectorSet: number;
  readonly packets: bigint;
  readonly bytes: bigint;
}

const SAMPLE_ANSWER = 24;

export function writeSampleAnswer(writer: RecordWriter, answer: SampleAnswer): void {
  writer.u32(answer.collectorSet);
  writer.zeros(4);
  writer.u64(answer.packets);
  writer.u64(answer.bytes);
}

export function decodeSampleAnswers(data: Uint8Array): SampleAnswer[] {
  const view = viewOf(data);
  return Array.from({ length: Math.floor(data.length / SAMPLE_ANSWER) }, (_, i) => ({
    collectorSet: view.getUint32(i * SAMPLE_ANSWER, true),
    packets: view.getBigUint64(i * SAMPLE_ANSWER + 8, true),
    bytes: view.getBigUint64(i * SAMPLE_ANSWER + 16, true),
  }));
}
