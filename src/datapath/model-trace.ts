/** What a packet meets on its way through the model, step by step, for those who ask why. */
import { type Flow, isClause, maskOf } from './model-flows.js';
import type { Bucket, Group } from './model-groups.js';
import type { Origin } from './model-journey.js';
import { fieldId } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import { isLive } from './model-select.js';
import type { ModelState } from './model-state.js';
import type { ActionRecord, InstructionRecord } from './records-action.js';
import type { MatchEntry } from './records-match.js';
import { fields, matchFields } from './schema.gen.js';

/** A field whose value an action changed. */
export interface FieldChange {
  readonly field: number;
  readonly before: bigint;
  readonly after: bigint;
}

/** A field that kept a flow from matching: `value` is the packet's, `wanted` the flow's. */
export interface FieldDifference {
  readonly value: bigint;
  readonly wanted: MatchEntry;
}

/** The flow that lacked least to match. */
export interface NearMiss {
  readonly flow: Flow;
  /** Fields that are another's prerequisite and differ stand for that other. */
  readonly differences: readonly FieldDifference[];
}

/** What happens, in order. Those without a depth belong to the action, or else the table, before them. */
export type TraceStep =
  /** `depth`: of resubmits, clones, buckets and egress tables within each other. */
  | {
      readonly kind: 'table';
      readonly depth: number;
      readonly table: number;
      readonly egress: boolean;
      /** Undefined: none matched. */
      readonly flow: Flow | undefined;
      readonly nearest: NearMiss | undefined;
    }
  | {
      readonly kind: 'action';
      readonly depth: number;
      readonly action: ActionRecord;
      /** Filled in when it is done; empty for those that lead to others. */
      readonly changes: FieldChange[];
    }
  | {
      readonly kind: 'instruction';
      readonly depth: number;
      /** All but apply_actions, whose actions are told of. */
      readonly instruction: InstructionRecord;
    }
  | { readonly kind: 'action_set'; readonly depth: number }
  | {
      readonly kind: 'group';
      readonly group: number;
      readonly type: number;
      readonly buckets: readonly { readonly live: boolean; readonly chosen: boolean }[];
    }
  | { readonly kind: 'bucket'; readonly depth: number; readonly group: number; readonly index: number }
  /** `band`: MeterBandType of the one that applied; undefined: none did. */
  | { readonly kind: 'meter'; readonly meter: number; readonly band: number | undefined }
  /** `to`: where NORMAL knows the destination to be; undefined: it goes to all ports. */
  | { readonly kind: 'normal'; readonly vlan: number; readonly to: number | undefined }
  | { readonly kind: 'output'; readonly port: number; readonly frame: Uint8Array }
  /** `port`: it was stopped there on its way out. */
  | { readonly kind: 'drop'; readonly reason: number; readonly port: number | undefined }
  | {
      readonly kind: 'packet_in';
      readonly reason: number;
      readonly table: number;
      readonly controller: number;
      readonly maxLen: number;
    };

export type TraceSink = (step: TraceStep) => void;

function differencesOf(flow: Flow, packet: ModelPacket): FieldDifference[] {
  return flow.match.flatMap((wanted) => {
    const value = packet.field(wanted.field);
    return (value & maskOf(wanted)) === wanted.value ? [] : [{ value, wanted }];
  });
}

/** Without those that cannot be right as long as another is wrong. */
function roots(differences: readonly FieldDifference[]): FieldDifference[] {
  const wrong = new Set(differences.map(({ wanted }) => wanted.field));
  return differences.filter(({ wanted }) => {
    const needs = fields[wanted.field]!.prerequisites;
    return !needs.some(({ field }) => wrong.has(fieldId[field]));
  });
}

/** Of the flows that would have come before `decided` the one that lacks least. Conjunctions are left out. */
export function nearestMiss(
  flows: readonly Flow[],
  decided: Flow | undefined,
  packet: ModelPacket,
): NearMiss | undefined {
  let best: NearMiss | undefined;
  const agreeing = ({ flow, differences }: NearMiss) => flow.match.length - differences.length;
  const isNearer = (one: NearMiss, other: NearMiss) =>
    one.differences.length < other.differences.length ||
    (one.differences.length === other.differences.length && agreeing(one) > agreeing(other));
  for (const flow of flows) {
    if (decided !== undefined && flow.priority <= decided.priority) break;
    if (isClause(flow) || flow.match.some(({ field }) => field === fieldId.conj_id)) continue;
    const near = { flow, differences: differencesOf(flow, packet) };
    if (near.differences.length > 0 && (best === undefined || isNearer(near, best))) best = near;
  }
  return best === undefined ? undefined : { flow: best.flow, differences: roots(best.differences) };
}

/** Not told as changes: they follow from others. */
const derived: readonly number[] = [fieldId.in_phy_port, fieldId.actset_output];

function valuesOf(packet: ModelPacket): readonly bigint[] {
  return Array.from({ length: matchFields }, (_, field) => packet.field(field));
}

function changesSince(before: readonly bigint[], packet: ModelPacket): FieldChange[] {
  return before.flatMap((value, field) => {
    const after = packet.field(field);
    return value === after || derived.includes(field) ? [] : [{ field, before: value, after }];
  });
}

/** These tell themselves of what they lead to. */
const leading: readonly ActionRecord['kind'][] = ['resubmit', 'clone', 'group'];

/** Tells of an action, carries it out, and adds what it changed. */
export function traced<T>(
  trace: TraceSink,
  packet: ModelPacket,
  action: ActionRecord,
  depth: number,
  carryOut: () => T,
): T {
  const changes: FieldChange[] = [];
  trace({ kind: 'action', depth, action, changes });
  if (leading.includes(action.kind)) return carryOut();
  const before = valuesOf(packet);
  const result = carryOut();
  changes.push(...changesSince(before, packet));
  return result;
}

export function depthOf({ journey, groupDepth, egress }: Origin): number {
  return journey.depth + groupDepth + (egress ? 1 : 0);
}

export function groupStep(state: ModelState, { id, type, buckets }: Group, chosen: readonly Bucket[]): TraceStep {
  const shown = buckets.map((bucket) => ({ live: isLive(state, bucket), chosen: chosen.includes(bucket) }));
  return { kind: 'group', group: id, type, buckets: shown };
}

export function bucketStep({ id, buckets }: Group, bucket: Bucket, depth: number): TraceStep {
  return { kind: 'bucket', depth, group: id, index: buckets.indexOf(bucket) };
}
