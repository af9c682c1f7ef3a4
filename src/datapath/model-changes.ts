/** What becomes of flows, as it is told: flow_removed, flow_statistics and flow_change upcalls. */
import { countsOf, type Flow } from './model-flows.js';
import { flowAnswer } from './model-read.js';
import type { ModelState } from './model-state.js';
import { chooseVictim } from './model-tables.js';
import type { FlowRemovedRecord } from './records-upcall.js';
import { FlowChange, FlowFlag, FlowRemovedReason } from './schema.gen.js';

/** `before`: the instructions that a modified flow had. */
export function tellChange(
  state: ModelState,
  event: number,
  flow: Flow,
  { reason = 0, before = new Uint8Array(0) }: { readonly reason?: number; readonly before?: Uint8Array } = {},
): void {
  if (!state.watched) return;
  const { cause } = state;
  const answer = flowAnswer(flow, state.nowNs());
  state.upcall({ kind: 'flow_change', event, reason, cause, born: flow.born, flow: answer, oldInstructions: before });
}

export function removeFlow(state: ModelState, flow: Flow, reason: number, silent = false): void {
  state.flows.remove(flow);
  tellChange(state, FlowChange.removed, flow, { reason });
  if (silent || (flow.flags & FlowFlag.sendFlowRem) === 0) return;
  tellFlow(state, flow, 'flow_removed', reason);
}

export function tellFlow(state: ModelState, flow: Flow, kind: FlowRemovedRecord['kind'], reason: number): void {
  const { table, cookie, priority, idle, hard, flags } = flow;
  const { packets, bytes } = countsOf(flow);
  const now = state.nowNs();
  const [duration, unused] = [now - flow.createdNs, now - flow.usedNs];
  const counted = { duration, unused, packets, bytes, match: flow.matchBytes };
  state.upcall({ kind, reason, table, cookie, priority, idle, hard, flags, ...counted });
}

/** For one more flow, of this importance. False: the table is full. */
export function makeRoom(state: ModelState, table: number, importance: number): boolean {
  const { flows } = state.flows.table(table);
  const config = state.tables.of(table);
  if (flows.length < config.maxEntries) return true;
  const victim = chooseVictim(flows, config, importance);
  if (victim === undefined) return false;
  removeFlow(state, victim, FlowRemovedReason.eviction);
  return true;
}
