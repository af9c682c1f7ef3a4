/** Steps of a packet's way through the model. */
import type { Bucket, Group } from './model-groups.js';
import type { Origin } from './model-journey.js';
import type { ModelPacket } from './model-place.js';
import { isLive } from './model-select.js';
import type { ModelState } from './model-state.js';
import type { ActionRecord } from './records-action.js';
import { matchFields } from './schema.gen.js';
import { derivedFields, type FieldChange, type TraceSink, type TraceStep } from './trace-steps.js';

function valuesOf(packet: ModelPacket): readonly bigint[] {
  return Array.from({ length: matchFields }, (_, field) => packet.field(field));
}

function changesSince(before: readonly bigint[], packet: ModelPacket): FieldChange[] {
  return before.flatMap((value, field) => {
    const after = packet.field(field);
    return value === after || derivedFields.includes(field) ? [] : [{ field, before: value, after }];
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

export function depthOf({ journey, groupDepth, leavingBy }: Origin): number {
  return journey.depth + groupDepth + leavingBy.length;
}

export function groupStep(state: ModelState, { id, type, buckets }: Group, chosen: readonly Bucket[]): TraceStep {
  const shown = buckets.map((bucket) => ({ live: isLive(state, bucket), chosen: chosen.includes(bucket) }));
  return { kind: 'group', group: id, type, buckets: shown };
}

export function bucketStep({ id, buckets }: Group, bucket: Bucket, depth: number): TraceStep {
  return { kind: 'bucket', depth, group: id, index: buckets.indexOf(bucket) };
}
