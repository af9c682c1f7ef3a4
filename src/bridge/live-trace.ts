/** What would become of a packet in the tables of a running datapath. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Datapath, Tracer } from '../datapath/datapath.js';
import { nearestMiss } from '../datapath/nearest-miss.js';
import {
  decodeFlowAnswers,
  decodeInstructions,
  decodeMatch,
  decodeTraceSteps,
  encodeQuery,
  encodeTraceRequest,
  fieldsOf,
  type TraceRequest,
} from '../datapath/records.js';
import { Query, Status } from '../datapath/schema.gen.js';
import type { TracedFlow, TraceStep } from '../datapath/trace-steps.js';
import { Refusal } from './refusal.js';

/** Of larger tables it is not said which flow came near. */
const NEAREST_FLOWS_MAX = 200_000;

/** Throws {@link Refusal} where the packet cannot come in. The nearest flows are those of a moment later. */
export async function traceLive(datapath: Datapath, tracer: Tracer, request: TraceRequest): Promise<TraceStep[]> {
  const { status, steps } = tracer.trace(encodeTraceRequest(request));
  if (status === Status.badPort) throw new Refusal('notFound', `the switch has no port ${request.inPort}`);
  if (status !== Status.ok) throw new Refusal('invalid', 'such a packet cannot be traced');
  const tables = new Map<number, Promise<readonly TracedFlow[]>>();
  const flowsOf = (table: number): Promise<readonly TracedFlow[]> => {
    const flows = tables.get(table) ?? readTable(datapath, table);
    tables.set(table, flows);
    return flows;
  };
  const told: TraceStep[] = [];
  for (const step of decodeTraceSteps(steps)) {
    if (step.kind !== 'table') told.push(step);
    else {
      const { fields, ...table } = step;
      told.push({ ...table, nearest: nearestMiss(await flowsOf(step.table), step.flow, fieldsOf(fields)) });
    }
  }
  return told;
}

/** In parts, between which others have their turn. */
async function readTable(datapath: Datapath, table: number): Promise<readonly TracedFlow[]> {
  const flows: TracedFlow[] = [];
  for (let query: Uint8Array | undefined = encodeQuery({ query: Query.flows, table }); query !== undefined; ) {
    const part: ReturnType<Datapath['read']> = datapath.read(query);
    for (const { priority, cookie, match, instructions } of decodeFlowAnswers(part.data)) {
      const decoded = { match: decodeMatch(match)!, instructions: decodeInstructions(instructions)! };
      flows.push({ table, priority, cookie, ...decoded });
    }
    if (flows.length > NEAREST_FLOWS_MAX) return [];
    query = part.next;
    if (query !== undefined) await turn();
  }
  return flows;
}
