/** Flows that packets learn, and that go with those that learned them (ovs-actions(7), "learn"). */
import { makeRoom, removeFlow, tellChange } from './model-changes.js';
import { actionsOf, type Flow } from './model-flows.js';
import { portOf, readSubfield } from './model-nicira.js';
import type { ModelPacket } from './model-place.js';
import type { ModelState } from './model-state.js';
import { newWatch } from './model-triggers.js';
import { type ActionRecord, encodeInstructions, type InstructionRecord } from './records-action.js';
import type { LearnRecord, LearnSpecRecord } from './records-learn.js';
import { encodeMatch, fieldOnes, type MatchEntry } from './records-match.js';
import type { SubfieldRecord } from './records-nicira.js';
import {
  FlowChange,
  FlowFlag,
  FlowRemovedReason,
  fields,
  firstRegister,
  LearnFlag,
  LearnVerdict,
  matchFields,
  portsMax,
  ReservedPort,
} from './schema.gen.js';

const ANY_COOKIE = 0xffffffffffffffffn;
const IN_PORT = fields.findIndex(({ name }) => name === 'in_port');
const REGISTER_BITS = 32;
const outputs: readonly number[] = [ReservedPort.inPort, ReservedPort.flood, ReservedPort.all, ReservedPort.local];

/** What a learn action makes of a packet. */
export interface Learned {
  readonly match: readonly MatchEntry[];
  readonly matchBytes: Uint8Array;
  readonly instructions: readonly InstructionRecord[];
  readonly instructionBytes: Uint8Array;
}

function sourceOf(packet: ModelPacket, { from }: LearnSpecRecord): bigint {
  return typeof from === 'bigint' ? from : (readSubfield(packet, from) ?? 0n);
}

/** All of in_port where a port number of 16 bits is put there: the reserved ones have other numbers in 32. */
function widened(to: SubfieldRecord, value: bigint): { readonly to: SubfieldRecord; readonly value: bigint } {
  if (to.field !== IN_PORT || to.offset !== 0 || to.bits !== 16) return { to, value };
  return { to: { ...to, bits: 32 }, value: BigInt(portOf(value)) };
}

/** The registers that a view of them is made of, the first in the highest bits. */
function registersOf(field: number): readonly number[] {
  if (field < matchFields) return [field];
  const { name, bits } = fields[field]!;
  const count = bits / REGISTER_BITS;
  const first = firstRegister + count * Number(/\d+$/.exec(name)![0]);
  return Array.from({ length: count }, (_, i) => first + i);
}

class LearnedMatch {
  readonly #values = new Map<number, { value: bigint; mask: bigint }>();

  put({ field, offset, bits }: SubfieldRecord, value: bigint): void {
    const mask = ((1n << BigInt(bits)) - 1n) << BigInt(offset);
    const parts = registersOf(field);
    for (const [i, part] of parts.entries()) {
      const shift = BigInt(REGISTER_BITS * (parts.length - 1 - i));
      const cut = (whole: bigint) => (whole >> shift) & fieldOnes(part);
      this.#add(part, cut(value << BigInt(offset)), cut(mask));
    }
  }

  #add(field: number, value: bigint, mask: bigint): void {
    if (mask === 0n) return;
    const before = this.#values.get(field) ?? { value: 0n, mask: 0n };
    this.#values.set(field, { value: (before.value & ~mask) | (value & mask), mask: before.mask | mask });
  }

  entries(): MatchEntry[] {
    return [...this.#values]
      .sort(([a], [b]) => a - b)
      .map(([field, { value, mask }]) => ({ field, value, mask: mask === fieldOnes(field) ? undefined : mask }));
  }
}

export function learnFrom(packet: ModelPacket, learn: LearnRecord): Learned {
  const match = new LearnedMatch();
  const actions: ActionRecord[] = [];
  if (learn.finIdle !== 0 || learn.finHard !== 0) {
    actions.push({ kind: 'fin_timeout', idle: learn.finIdle, hard: learn.finHard });
  }
  for (const spec of learn.specs) {
    const value = sourceOf(packet, spec);
    if (spec.use === 'output') {
      const port = portOf(value);
      const legal = (port > 0 && port < portsMax) || outputs.includes(port);
      if (legal && value >> 32n === 0n) actions.push({ kind: 'output', port, maxLen: 0 });
      continue;
    }
    const put = widened(spec.to, value);
    if (spec.use === 'match') match.put(put.to, put.value);
    else actions.push({ kind: 'load', to: put.to, value: put.value });
  }
  const entries = match.entries();
  const instructions: InstructionRecord[] = actions.length === 0 ? [] : [{ kind: 'apply', actions }];
  return {
    match: entries,
    matchBytes: encodeMatch(entries),
    instructions,
    instructionBytes: encodeInstructions(instructions),
  };
}

function familySize(state: ModelState, table: number, cookie: bigint): number {
  return state.flows.table(table).flows.filter((flow) => flow.cookie === cookie).length;
}

/** Whether the flow is there or may be made. `limited`: a limit counts. */
function isLearnable(state: ModelState, learn: LearnRecord, { match }: Learned, limited: boolean): boolean {
  if (!limited || learn.limit === 0) return true;
  if (state.flows.find(learn.table, learn.priority, match) !== undefined) return true;
  return familySize(state, learn.table, learn.cookie) < learn.limit;
}

/** What becomes of what is asked for (LearnVerdict). */
export function learnVerdict(state: ModelState, learn: LearnRecord, learned: Learned, limited: boolean): number {
  if (!isLearnable(state, learn, learned, limited)) return LearnVerdict.full;
  const there = state.flows.find(learn.table, learn.priority, learned.match);
  return there !== undefined && isAsAsked(there, learn, learned) ? LearnVerdict.there : LearnVerdict.asked;
}

const isAsAsked = (there: Flow, { cookie }: LearnRecord, { instructionBytes }: Learned): boolean =>
  sameBytes(there.instructionBytes, instructionBytes) && (cookie === ANY_COOKIE || cookie === there.cookie);

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Makes the flow, or gives the one that is there these instructions. */
export function learnFlow(state: ModelState, learn: LearnRecord, learned: Learned): void {
  const now = state.nowNs();
  const { table, priority, cookie, idle, hard } = learn;
  const old = state.flows.find(table, priority, learned.match);
  if (old !== undefined) {
    old.refreshedNs = now;
    if (isAsAsked(old, learn, learned)) {
      old.usedNs = now;
      return;
    }
    const before = old.instructionBytes;
    old.instructions = learned.instructions;
    old.instructionBytes = learned.instructionBytes;
    if (cookie !== ANY_COOKIE) old.cookie = cookie;
    old.changed = ++state.version;
    old.changedNs = now;
    old.watch = newWatch(old, now);
    tellChange(state, FlowChange.modified, old, { before });
    return;
  }
  if (!isLearnable(state, learn, learned, true) || !makeRoom(state, table, 0)) {
    state.learnsDropped++;
    return;
  }
  state.learned++;
  const flags = (learn.flags & LearnFlag.sendFlowRem) !== 0 ? FlowFlag.sendFlowRem : 0;
  const counts = { packets: 0n, bytes: 0n, importance: 0 };
  const times = { createdNs: now, changedNs: now, refreshedNs: now, usedNs: now };
  const version = ++state.version;
  const versions = { born: version, changed: version, watch: undefined };
  const flow = { table, priority, cookie, idle, hard, flags, ...counts, ...times, ...versions, ...learned };
  state.flows.insert(flow);
  tellChange(state, FlowChange.added, flow);
}

/** Shorter timeouts of a flow, as far as it is there still. */
export function shorten(state: ModelState, flow: Flow, idle: number, hard: number): void {
  const there = state.flows.find(flow.table, flow.priority, flow.match);
  if (there === undefined) return;
  const shorter = (timeout: number, most: number) => (most !== 0 && (timeout === 0 || timeout > most) ? most : timeout);
  there.idle = shorter(there.idle, idle);
  there.hard = shorter(there.hard, hard);
}

/** Flows of a table with a cookie, by table and cookie. */
type Families = ReadonlyMap<string, { readonly table: number; readonly cookie: bigint }>;

function ownedFamilies(state: ModelState): Families {
  const learns = state.flows
    .all()
    .flatMap((flow) => actionsOf(flow.instructions))
    .flatMap((action) => (action.kind === 'learn' && (action.flags & LearnFlag.deleteLearned) !== 0 ? [action] : []));
  return new Map(learns.map(({ table, cookie }) => [`${table} ${cookie}`, { table, cookie }]));
}

export function hasEffects(instructions: readonly InstructionRecord[]): boolean {
  return actionsOf(instructions).some(({ kind }) => kind === 'learn' || kind === 'sample');
}

/** Does something, then removes the flows that were learned by flows with delete_learned that are all gone now. */
export function withoutOrphans<Result>(state: ModelState, change: () => Result): Result {
  if (!state.hasEffects) {
    const result = change();
    if (state.hasEffects) forgetSamples(state);
    return result;
  }
  let before = ownedFamilies(state);
  const result = change();
  for (;;) {
    const after = ownedFamilies(state);
    const orphans = [...before].filter(([key]) => !after.has(key)).map(([, family]) => family);
    if (orphans.length === 0) break;
    before = after;
    for (const { table, cookie } of orphans) {
      const doomed = state.flows.table(table).flows.filter((flow) => flow.cookie === cookie);
      for (const flow of doomed) removeFlow(state, flow, FlowRemovedReason.delete);
    }
  }
  forgetSamples(state);
  return result;
}

/** Counts are kept as long as a flow names the collector set. */
function forgetSamples(state: ModelState): void {
  const actions = state.flows.all().flatMap((flow) => actionsOf(flow.instructions));
  const named = new Set(actions.flatMap((action) => (action.kind === 'sample' ? [action.collectorSet] : [])));
  for (const set of state.samples.keys()) if (!named.has(set)) state.samples.delete(set);
  for (const set of named) if (!state.samples.has(set)) state.samples.set(set, { packets: 0n, bytes: 0n });
}
