/** Flow tables of the model: lists, searched from the highest priority down (OpenFlow 1.3.5 §5.3, §6.4). */

import type { Watch } from './model-triggers.js';
import type { ActionRecord, InstructionRecord } from './records-action.js';
import { fieldOnes, isHeader, type MatchEntry } from './records-match.js';
import { GROUP_ANY } from './records-query.js';
import { FlowFlag, fields, noCookieMask, ReservedPort, tables } from './schema.gen.js';

export interface Flow {
  readonly table: number;
  readonly priority: number;
  readonly match: readonly MatchEntry[];
  readonly matchBytes: Uint8Array;
  cookie: bigint;
  flags: number;
  idle: number;
  hard: number;
  importance: number;
  instructions: readonly InstructionRecord[];
  instructionBytes: Uint8Array;
  createdNs: bigint;
  /** When it was modified last, or made. */
  changedNs: bigint;
  /** The hard timeout counts from here. */
  refreshedNs: bigint;
  usedNs: bigint;
  packets: bigint;
  bytes: bigint;
  /** Versions in which it appeared, and last changed. */
  readonly born: bigint;
  changed: bigint;
  /** Of its stat_trigger; undefined: it has none. */
  watch: Watch | undefined;
}

/** What picks flows for modify, delete and statistics. */
export interface FlowFilter {
  /** allTables for every table. */
  readonly table: number;
  readonly match: readonly MatchEntry[];
  /** Set: only the flow of exactly this match and priority. */
  readonly strictPriority?: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly outPort: number;
  readonly outGroup: number;
}

export function maskOf(entry: MatchEntry): bigint {
  return entry.mask ?? fieldOnes(entry.field);
}

/** Masks of 0 match everything and so say nothing. */
function significant(match: readonly MatchEntry[]): MatchEntry[] {
  return match.filter((entry) => maskOf(entry) !== 0n);
}

/** The same packets match: the same fields, values and masks. */
export function sameMatch(a: readonly MatchEntry[], b: readonly MatchEntry[]): boolean {
  const [left, right] = [significant(a), significant(b)];
  return left.length === right.length && left.every((e, i) => sameEntry(e, right[i]!));
}

function sameEntry(a: MatchEntry, b: MatchEntry): boolean {
  return a.field === b.field && a.value === b.value && maskOf(a) === maskOf(b);
}

/** Every packet that `specific` matches, `general` matches too. */
export function covers(general: readonly MatchEntry[], specific: readonly MatchEntry[]): boolean {
  return general.every((entry) => {
    const mask = maskOf(entry);
    if (mask === 0n) return true;
    const other = specific.find(({ field }) => field === entry.field);
    return other !== undefined && (maskOf(other) & mask) === mask && (other.value & mask) === entry.value;
  });
}

/** Some packet could match both (§6.4): no bit that both look at differs. */
export function overlaps(a: readonly MatchEntry[], b: readonly MatchEntry[]): boolean {
  return a.every((entry) => {
    const other = b.find(({ field }) => field === entry.field);
    return other === undefined || ((entry.value ^ other.value) & maskOf(entry) & maskOf(other)) === 0n;
  });
}

/** All actions, those within clone included. */
export function actionsOf(instructions: readonly InstructionRecord[]): ActionRecord[] {
  return instructions.flatMap((i) => (i.kind === 'apply' || i.kind === 'write' ? unfolded(i.actions) : []));
}

export function unfolded(actions: readonly ActionRecord[]): ActionRecord[] {
  return actions.flatMap((action) => (action.kind === 'clone' ? [action, ...unfolded(action.actions)] : [action]));
}

export function usesMeter(flow: Flow, meter: number): boolean {
  const metered = (each: InstructionRecord | ActionRecord) => each.kind === 'meter' && each.meter === meter;
  return flow.instructions.some(metered) || actionsOf(flow.instructions).some(metered);
}

const isOutput = (action: ActionRecord): action is Extract<ActionRecord, { kind: 'output' | 'output_trunc' }> =>
  action.kind === 'output' || action.kind === 'output_trunc';

export function outputsTo(flow: Flow, port: number, group: number): boolean {
  const actions = actionsOf(flow.instructions);
  const toPort = port === ReservedPort.any || actions.some((a) => isOutput(a) && a.port === port);
  const toGroup = group === GROUP_ANY || actions.some((a) => a.kind === 'group' && a.group === group);
  return toPort && toGroup;
}

function selects(filter: FlowFilter, flow: Flow): boolean {
  const matches =
    filter.strictPriority === undefined
      ? covers(filter.match, flow.match)
      : flow.priority === filter.strictPriority && sameMatch(filter.match, flow.match);
  if (!matches) return false;
  if (filter.cookieMask !== BigInt(noCookieMask) && ((flow.cookie ^ filter.cookie) & filter.cookieMask) !== 0n) {
    return false;
  }
  return outputsTo(flow, filter.outPort, filter.outGroup);
}

class Table {
  /** Highest priority first; among equals the older first. */
  readonly flows: Flow[] = [];
  lookups = 0n;
  matched = 0n;
}

const PACKET_TYPE = fields.findIndex(({ name }) => name === 'packet_type');

/**
 * Whether what is matched may be a packet without an Ethernet header: the packet type is asked for, or nothing of any
 * header (1.5.1 §7.2.3.11).
 */
function takesAnyType(match: readonly MatchEntry[]): boolean {
  const asked = significant(match);
  return asked.some(({ field }) => field === PACKET_TYPE) || !asked.some(({ field }) => isHeader(field));
}

const CONJ_ID = fields.findIndex(({ name }) => name === 'conj_id');

type FieldOf = (id: number) => bigint;

function matching(flows: readonly Flow[], field: FieldOf): Flow[] {
  const ethernet = field(PACKET_TYPE) === 0n;
  return flows.filter(
    ({ match }) =>
      match.every((entry) => (field(entry.field) & maskOf(entry)) === entry.value) && (ethernet || takesAnyType(match)),
  );
}

function conjunctionsOf(flow: Pick<Flow, 'instructions'>) {
  return actionsOf(flow.instructions).flatMap((action) => (action.kind === 'conjunction' ? [action] : []));
}
export const isClause = (flow: Pick<Flow, 'instructions'>) => conjunctionsOf(flow).length > 0;

/** The lowest id of a conjunction whose clauses are all among these flows, which have one priority. */
function wholeConjunction(level: readonly Flow[]): number | undefined {
  const seen = new Map<number, Set<number>>();
  const whole: number[] = [];
  for (const { id, clause, clauses } of level.flatMap(conjunctionsOf)) {
    const clausesSeen = seen.get(id) ?? new Set();
    seen.set(id, clausesSeen.add(clause));
    if (clausesSeen.size === clauses) whole.push(id);
  }
  return whole.length === 0 ? undefined : Math.min(...whole);
}

/** The flow of highest priority that matches; conjunctive matches as ovs-fields(7) describes them. */
function resolve(flows: readonly Flow[], field: FieldOf): Flow | undefined {
  const found = matching(flows, field);
  const plain = found.find((flow) => !isClause(flow));
  if (found[0] === undefined || !isClause(found[0])) return found[0];
  for (const priority of new Set(found.map((flow) => flow.priority))) {
    if (plain !== undefined && plain.priority >= priority) break;
    const id = wholeConjunction(found.filter((flow) => flow.priority === priority));
    if (id === undefined) continue;
    const named = matching(flows, (which) => (which === CONJ_ID ? BigInt(id) : field(which)));
    const flow = named.find((other) => !isClause(other));
    if (flow !== undefined) return flow;
  }
  return plain;
}

export class FlowTables {
  readonly #tables = Array.from({ length: tables }, () => new Table());

  /** Remembers every flow as it is; the returned function brings them back. */
  snapshot(): () => void {
    const copy = (flow: Flow): Flow => ({
      ...flow,
      watch: flow.watch && { ...flow.watch, next: [...flow.watch.next] },
    });
    const kept = this.#tables.map((table) => table.flows.map(copy));
    return () => {
      for (const [i, table] of this.#tables.entries()) table.flows.splice(0, table.flows.length, ...kept[i]!);
    };
  }

  table(number: number): { readonly flows: readonly Flow[]; lookups: bigint; matched: bigint } {
    return this.#tables[number]!;
  }

  /** Flows picked by the filter, table by table. */
  select(filter: FlowFilter): Flow[] {
    const searched = filter.table < tables ? [this.#tables[filter.table]!] : this.#tables;
    return searched.flatMap((table) => table.flows.filter((flow) => selects(filter, flow)));
  }

  all(): Flow[] {
    return this.#tables.flatMap((table) => table.flows);
  }

  find(table: number, priority: number, match: readonly MatchEntry[]): Flow | undefined {
    return this.#tables[table]!.flows.find((flow) => flow.priority === priority && sameMatch(flow.match, match));
  }

  /** A flow of the same priority, and not the same match, that overlaps. */
  hasOverlap(table: number, priority: number, match: readonly MatchEntry[]): boolean {
    return this.#tables[table]!.flows.some((flow) => flow.priority === priority && overlaps(flow.match, match));
  }

  insert(flow: Flow): void {
    const { flows } = this.#tables[flow.table]!;
    const behind = flows.findIndex((other) => other.priority < flow.priority);
    flows.splice(behind < 0 ? flows.length : behind, 0, flow);
  }

  replace(old: Flow, flow: Flow): void {
    const { flows } = this.#tables[old.table]!;
    flows[flows.indexOf(old)] = flow;
  }

  remove(flow: Flow): void {
    const { flows } = this.#tables[flow.table]!;
    const at = flows.indexOf(flow);
    if (at >= 0) flows.splice(at, 1);
  }

  /** The flow that a packet takes in a table, counted; undefined on a miss without table-miss flow. */
  lookup(table: number, field: (id: number) => bigint): Flow | undefined {
    const searched = this.#tables[table]!;
    searched.lookups++;
    const found = resolve(searched.flows, field);
    if (found !== undefined) searched.matched++;
    return found;
  }
}

export function countFlow(flow: Flow, frameBytes: number, nowNs: bigint): void {
  flow.usedNs = nowNs;
  flow.packets++;
  flow.bytes += BigInt(frameBytes);
}

/** What is told of a flow's counters: 0 of one that it asked not to be kept. */
export function countsOf(flow: Flow): { readonly packets: bigint; readonly bytes: bigint } {
  return {
    packets: (flow.flags & FlowFlag.noPktCounts) === 0 ? flow.packets : 0n,
    bytes: (flow.flags & FlowFlag.noBytCounts) === 0 ? flow.bytes : 0n,
  };
}

/** The flow of priority 0 that matches every packet (§5.4). */
export function isTableMiss(flow: Flow): boolean {
  return flow.priority === 0 && significant(flow.match).length === 0;
}
