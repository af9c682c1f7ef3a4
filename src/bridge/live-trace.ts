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

/** Of larger tables it is not said which flow came near. Some 60 ms. */
const NEAREST_FLOWS_MAX = 50_000;
/** Flows that one trace looks at for that; it is not said of the tables after that. */
const LOOKED_AT_MAX = 500_000;

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
  let left = LOOKED_AT_MAX;
  const told: TraceStep[] = [];
  for (const step of decodeTraceSteps(steps)) {
    if (step.kind !== 'table') told.push(step);
    else {
      const { fields, ...table } = step;
      const flows = left > 0 ? await flowsOf(step.table) : [];
      left -= flows.length;
      told.push({ ...table, nearest: nearestMiss(flows, step.flow, fieldsOf(fields)) });
      if (flows.length > 1000) await turn();
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
