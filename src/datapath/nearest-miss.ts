/** The rule that would have come first, had the packet been a little different. */
import { isClause, maskOf } from './model-flows.js';
import { fieldId } from './model-packet.js';
import { fields } from './schema.gen.js';
import type { FieldDifference, NearMiss, TracedFlow } from './trace-steps.js';

/** Values of match fields, absent ones 0. */
export interface FieldsOf {
  field(id: number): bigint;
}

function differencesOf(flow: TracedFlow, packet: FieldsOf): FieldDifference[] {
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

const agreeing = ({ flow, differences }: NearMiss): number => flow.match.length - differences.length;

/** Below 0: the first is nearer. */
const nearness = (one: NearMiss, other: NearMiss): number =>
  one.differences.length - other.differences.length ||
  agreeing(other) - agreeing(one) ||
  other.flow.priority - one.flow.priority;

/** Of the flows that would have come before `decided` the one that lacks least. Conjunctions are left out. */
export function nearestMiss(
  flows: Iterable<TracedFlow>,
  decided: TracedFlow | undefined,
  packet: FieldsOf,
): NearMiss | undefined {
  let best: NearMiss | undefined;
  for (const flow of flows) {
    if (decided !== undefined && flow.priority <= decided.priority) continue;
    if (isClause(flow) || flow.match.some(({ field }) => field === fieldId.conj_id)) continue;
    const near = { flow, differences: differencesOf(flow, packet) };
    if (near.differences.length > 0 && (best === undefined || nearness(near, best) < 0)) best = near;
  }
  return best === undefined ? undefined : { flow: best.flow, differences: roots(best.differences) };
}
