/** Which flows a request is about, decided on records: for what does not ask the datapath (OpenFlow 1.4.1 §7.3.5.18). */
import type { Match } from 'node-openflow';
import { actionsOf, covers } from '../datapath/model-flows.js';
import {
  decodeInstructions,
  decodeMatch,
  type FlowAnswer,
  GROUP_ANY,
  type MatchEntry,
  RecordWriter,
} from '../datapath/records.js';
import { allTables, ReservedPort } from '../datapath/schema.gen.js';
import type { OfError } from './of-error.js';
import { checkMatch, writeMatch } from './translate-match.js';

export interface FlowSelector {
  readonly table: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly entries: readonly MatchEntry[];
  readonly matchBytes: Uint8Array;
}

interface Asked {
  readonly tableId: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly match: Match;
}

/** Or what is wrong with the match. */
export function selectorOf({ tableId, outPort, outGroup, match }: Asked): FlowSelector | OfError {
  const wrong = checkMatch(match);
  if (wrong !== undefined) return wrong;
  const writer = new RecordWriter(64);
  writeMatch(writer, match);
  const matchBytes = writer.take();
  return { table: tableId, outPort, outGroup, matchBytes, entries: decodeMatch(matchBytes) ?? [] };
}

/** Whether the flow is as specific or more, and does what is asked for now or did it before. */
export function selects(selector: FlowSelector, flow: FlowAnswer, oldInstructions?: Uint8Array): boolean {
  const { table, entries } = selector;
  if (table !== allTables && table !== flow.table) return false;
  if (entries.length > 0 && !covers(entries, decodeMatch(flow.match) ?? [])) return false;
  return leadsTo(selector, flow.instructions) || (oldInstructions !== undefined && leadsTo(selector, oldInstructions));
}

function leadsTo({ outPort, outGroup }: FlowSelector, instructions: Uint8Array): boolean {
  if (outPort === ReservedPort.any && outGroup === GROUP_ANY) return true;
  const actions = actionsOf(decodeInstructions(instructions) ?? []);
  const toPort = outPort === ReservedPort.any || actions.some((a) => a.kind === 'output' && a.port === outPort);
  return toPort && (outGroup === GROUP_ANY || actions.some((a) => a.kind === 'group' && a.group === outGroup));
}
