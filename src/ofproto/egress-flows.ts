/**
 * Whether the flows that are there go with a first egress table (OpenFlow 1.5.1 §5.1, §5.6): by the rules for a new flow,
 * so that a change of the tables leaves none that could not be added.
 */
import type { Datapath } from '../datapath/datapath.js';
import {
  type ActionRecord,
  decodeFlowAnswers,
  decodeInstructions,
  encodeQuery,
  type FlowAnswer,
  type InstructionRecord,
} from '../datapath/records.js';
import { Query } from '../datapath/schema.gen.js';
import { READ_PART_BYTES } from './limits.js';

/** `first`: above 0. `gone`: tables whose flows do not count. Looks at every flow. */
export function flowsSuit(datapath: Datapath, first: number, gone: readonly number[]): boolean {
  const suits = (flow: FlowAnswer) => gone.includes(flow.table) || flowSuits(flow, first);
  let query: Uint8Array | undefined = encodeQuery({ query: Query.flows });
  while (query !== undefined) {
    const part: ReturnType<Datapath['read']> = datapath.read(query, READ_PART_BYTES);
    for (const flow of decodeFlowAnswers(part.data)) if (!suits(flow)) return false;
    query = part.next;
  }
  return true;
}

function flowSuits({ table, instructions }: FlowAnswer, first: number): boolean {
  const list = decodeInstructions(instructions) ?? [];
  if (table >= first) return !list.some(leadsElsewhere);
  return !list.some((each) => each.kind === 'goto' && each.table >= first);
}

/** What no flow of an egress table may do: give its packets another port, or pause them. */
function leadsElsewhere(instruction: InstructionRecord): boolean {
  if (instruction.kind !== 'write' && instruction.kind !== 'apply') return false;
  return instruction.actions.some(
    (action) =>
      pauses(action) || (instruction.kind === 'write' && (action.kind === 'output' || action.kind === 'group')),
  );
}

const pauses = (action: ActionRecord): boolean =>
  (action.kind === 'controller' && action.pauses === true) || (action.kind === 'clone' && action.actions.some(pauses));
