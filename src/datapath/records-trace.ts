/** Trace requests, and the steps that answer them (docs/native-boundary.md). */
import { decodeActions, decodeInstructions, type InstructionRecord } from './records-action.js';
import { decodeMatch, encodeMatch, readBig } from './records-match.js';
import { align8, RecordWriter, viewOf } from './records-writer.js';
import { TraceStep as Kind, matchFields, ReservedPort } from './schema.gen.js';
import {
  type AskedFlow,
  type Carried,
  derivedFields,
  type FieldChange,
  type TableStep,
  type TracedFlow,
  type TraceStep,
} from './trace-steps.js';

export interface TraceRequest {
  readonly inPort: number;
  /** In ascending order of fields. */
  readonly carried: Carried;
  readonly frame: Uint8Array;
}

export function encodeTraceRequest({ inPort, carried, frame }: TraceRequest): Uint8Array {
  const writer = new RecordWriter();
  const fields = encodeMatch(carried.map((each) => ({ ...each, mask: undefined })));
  const at = writer.reserve(16);
  writer.setU32(at, inPort);
  writer.setU32(at + 4, fields.length);
  writer.setU32(at + 8, frame.length);
  writer.bytes(fields);
  writer.pad8();
  writer.bytes(frame);
  writer.pad8();
  return writer.take();
}

/** A step as it was told: of a table with the packet's fields, from which follows what would have matched nearly. */
export type ToldStep = Exclude<TraceStep, TableStep> | (Omit<TableStep, 'nearest'> & { readonly fields: FieldValues });

/** By number; those that are not there are 0. */
export type FieldValues = ReadonlyMap<number, bigint>;

const STEP_HEADER = 16;
const MATCHED = 1;
const EGRESS = 2;
const LIVE = 1;
const CHOSEN = 2;

interface Head {
  readonly kind: number;
  readonly depth: number;
  readonly detail: number;
  readonly id: number;
  readonly count: number;
  readonly body: Uint8Array;
}

function* records(data: Uint8Array): Generator<Head> {
  const view = viewOf(data);
  for (let at = 0; data.length - at >= STEP_HEADER; ) {
    const length = view.getUint32(at + 4, true);
    if (length < STEP_HEADER || length > data.length - at) throw new RangeError(`trace step of ${length} bytes`);
    yield {
      kind: data[at]!,
      depth: data[at + 1]!,
      detail: view.getUint16(at + 2, true),
      id: view.getUint32(at + 8, true),
      count: view.getUint32(at + 12, true),
      body: data.subarray(at + STEP_HEADER, at + length),
    };
    at += length;
  }
}

function legal<T>(decoded: T | undefined, what: string): T {
  if (decoded === undefined) throw new RangeError(`broken ${what} of a trace step`);
  return decoded;
}

/** Match and instructions stand behind `header` bytes, their lengths at 8 and 12. */
function flowOf({ id, detail, body }: Head, header: number): TracedFlow & { readonly end: number } {
  const view = viewOf(body);
  const [matchLength, length] = [view.getUint32(8, true), view.getUint32(12, true)];
  const at = header + align8(matchLength);
  return {
    table: id,
    priority: detail,
    cookie: view.getBigUint64(0, true),
    match: legal(decodeMatch(body.slice(header, header + matchLength)), 'match'),
    instructions: legal(decodeInstructions(body.slice(at, at + length)), 'instructions'),
    end: at + length,
  };
}

function tableStep(head: Head): Extract<ToldStep, { readonly kind: 'table' }> {
  const { depth, id, count, body } = head;
  const { end, ...flow } = flowOf(head, 24);
  const fields = new Map<number, bigint>();
  for (let at = end; at < end + viewOf(body).getUint32(16, true); at += 4 + body[at + 1]!) {
    fields.set(body[at]!, readBig(body, at + 4, body[at + 1]!));
  }
  const matched = (count & MATCHED) !== 0;
  return { kind: 'table', depth, table: id, egress: (count & EGRESS) !== 0, flow: matched ? flow : undefined, fields };
}

function changesOf({ body }: Head): FieldChange[] {
  const changes: FieldChange[] = [];
  const end = 8 + viewOf(body).getUint32(0, true);
  for (let at = 8; at < end; at += 4 + 2 * body[at + 1]!) {
    const width = body[at + 1]!;
    const [before, after] = [readBig(body, at + 4, width), readBig(body, at + 4 + width, width)];
    if (!derivedFields.includes(body[at]!)) changes.push({ field: body[at]!, before, after });
  }
  return changes;
}

function askedFlow(head: Head): AskedFlow {
  const view = viewOf(head.body);
  const { end: _, ...flow } = flowOf(head, 24);
  return { ...flow, idle: view.getUint16(16, true), hard: view.getUint16(18, true) };
}

const portOf = (id: number): number | undefined => (id === ReservedPort.any ? undefined : id);
const isMeter = ({ kind }: InstructionRecord): boolean => kind === 'meter';
const isLast = ({ kind }: InstructionRecord): boolean => kind !== 'meter' && kind !== 'apply';

/** What stands in flows is told where it is carried out, as the model does. */
export function decodeTraceSteps(data: Uint8Array): ToldStep[] {
  const steps: ToldStep[] = [];
  const flows = new Map<number, TracedFlow | undefined>();
  const changes = new Map<number, FieldChange[]>();
  const tellInstructions = (depth: number, wanted: (instruction: InstructionRecord) => boolean): void => {
    for (const instruction of flows.get(depth)?.instructions.filter(wanted) ?? []) {
      steps.push({ kind: 'instruction', depth, instruction });
    }
  };
  for (const head of records(data)) {
    const { kind, depth, detail, id, count, body } = head;
    switch (kind) {
      case Kind.table: {
        const step = tableStep(head);
        steps.push(step);
        flows.set(depth, step.flow);
        tellInstructions(depth, isMeter);
        break;
      }
      case Kind.action: {
        const [action] = legal(decodeActions(body.slice()), 'action');
        const changed: FieldChange[] = [];
        changes.set(depth, changed);
        steps.push({ kind: 'action', depth, action: action!, changes: changed });
        break;
      }
      case Kind.changes:
        changes.get(depth)?.push(...changesOf(head));
        break;
      case Kind.instructions:
        tellInstructions(depth, isLast);
        break;
      case Kind.actionSet:
        steps.push({ kind: 'action_set', depth });
        break;
      case Kind.group: {
        const states = [...body.subarray(0, count)];
        const buckets = states.map((state) => ({ live: (state & LIVE) !== 0, chosen: (state & CHOSEN) !== 0 }));
        steps.push({ kind: 'group', group: id, type: detail, buckets });
        break;
      }
      case Kind.bucket:
        steps.push({ kind: 'bucket', depth, group: id, index: count });
        break;
      case Kind.meter:
        steps.push({ kind: 'meter', meter: id, band: detail === 0 ? undefined : detail });
        break;
      case Kind.normal:
        steps.push({ kind: 'normal', vlan: detail, to: portOf(id) });
        break;
      case Kind.output:
        steps.push({ kind: 'output', port: id, frame: body.slice(0, count) });
        break;
      case Kind.drop:
        steps.push({ kind: 'drop', reason: detail, port: portOf(id) });
        break;
      case Kind.packetIn: {
        const [table, maxLen] = [count & 0xffff, count >>> 16];
        steps.push({ kind: 'packet_in', reason: detail, table, controller: id, maxLen });
        break;
      }
      case Kind.learn:
        steps.push({ kind: 'learn', flow: askedFlow(head), verdict: count });
        break;
      case Kind.cut:
        steps.push({ kind: 'cut' });
        break;
    }
  }
  return steps;
}

/** For {@link nearestMiss}. */
export const fieldsOf = (values: FieldValues) => ({
  field: (id: number): bigint => (id < matchFields ? (values.get(id) ?? 0n) : 0n),
});
