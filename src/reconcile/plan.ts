/** What must change on a switch for it to be as a program says: pure, from two states to a list of changes. */
import { type FlowStats, type GroupDesc, type MeterConfig, type Outgoing, of13 } from 'node-openflow';
import { formatFlow } from 'node-openflow/text';
import { atOnce, type Steps } from '../base/slices.js';
import {
  groupsUsedBy,
  isOurs,
  type Origin,
  ownerOf,
  type Program,
  type ProgramFlow,
  usedFirst,
  withLegalMask,
} from '../compiler/index.js';
import { flowActions, flowKey, flowSettings, groupText, meterText, programKey } from './normal.js';
import type { Stages, SwitchState } from './switch.js';
import { type Own, usedByOthers } from './used-by-others.js';

const { OFPFC, OFPGC, OFPMC, OFPG, OFPP, OFP_NO_BUFFER } = of13;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
/** The owner is in the upper half of a group's number (compiler/builder.ts). */
const GROUPS_PER_OWNER = 0x1_0000;

export type ChangeKind = 'add' | 'change' | 'delete';

export interface Change {
  readonly kind: ChangeKind;
  readonly what: 'flow' | 'group' | 'meter';
  /** As it will be; of a deletion, as it was. */
  readonly text: string;
  /** As it was. */
  readonly before?: string;
  /** Absent for what no file says any more. */
  readonly origin?: Origin;
  /** A flow of no program in whose place it comes. */
  readonly replaced?: FlowStats;
  readonly message: Outgoing;
  /** Undoes it. */
  readonly undo: Outgoing;
}

/**
 * A flow of others with the table, priority and match of one of ours, or a group or meter with its number: ours would take
 * its place.
 */
export interface Conflict {
  readonly what: 'flow' | 'group' | 'meter';
  readonly origin: Origin;
  readonly other: string;
}

export interface Plan {
  readonly changes: readonly Change[];
  readonly unchanged: number;
  /** Own flows that no file says any more, and that stay for want of --prune. */
  readonly stale: readonly string[];
  readonly conflicts: readonly Conflict[];
}

export interface PlanOptions {
  /** Delete what is the owners' own and no file says any more; or that of these owners only, by their numbers. */
  readonly prune: boolean | ReadonlySet<number>;
  /** Delete what the files say. */
  readonly remove?: boolean;
  /** What we put there before: what the program has no more of it goes, and other groups and meters are not ours. */
  readonly previous?: Program;
  /** Flows that are as in `previous` and come from here are left as they are, even where they are gone. */
  readonly leave?: (origin: Origin) => boolean;
  /** Flows of others that ours may take the place of. */
  readonly replaceable?: (cookie: bigint) => boolean;
}

type Draft = { changes: Change[]; unchanged: number; stale: string[]; conflicts: Conflict[] };

export const makePlan = (program: Program, state: SwitchState, options: PlanOptions): Plan =>
  atOnce(planSteps(program, state, options));

export function* planSteps(program: Program, state: SwitchState, options: PlanOptions): Steps<Plan> {
  const draft: Draft = { changes: [], unchanged: 0, stale: [], conflicts: [] };
  const owners = new Set(program.owners.values());
  // What we put there before is known; without that, what flows and groups of others lead to is theirs.
  const others =
    options.previous === undefined && program.groups.length + program.meters.length > 0
      ? usedByOthers(state, ownOf(program, owners))
      : undefined;
  planMeters(program, state, options, draft, others?.meters);
  planGroups(program, state, options, draft, others?.groups);
  yield* planFlows(program, state, options, draft);
  return draft;
}

function ownOf(program: Program, owners: ReadonlySet<number>): Own {
  const said = new Set(program.groups.map(({ mod }) => mod.groupId));
  return {
    flow: (flow) => isOwn(flow, owners),
    group: (id) => isNumbered(id, owners) || (said.has(id) ? undefined : false),
  };
}

const isNumbered = (groupId: number, owners: ReadonlySet<number>): boolean =>
  owners.has(Math.floor(groupId / GROUPS_PER_OWNER));

const flowMod = (
  flow: Pick<
    FlowStats,
    'tableId' | 'priority' | 'match' | 'instructions' | 'idleTimeout' | 'hardTimeout' | 'flags' | 'cookie'
  >,
  command: number,
) => {
  const { tableId, priority, match, idleTimeout, hardTimeout, flags, cookie } = flow;
  const deletes = command === OFPFC.DELETE_STRICT;
  const looks = deletes || command === OFPFC.MODIFY_STRICT;
  return {
    type: 'flow_mod' as const,
    command,
    tableId,
    priority,
    match: match.map(withLegalMask),
    instructions: deletes ? [] : flow.instructions,
    idleTimeout,
    hardTimeout,
    flags,
    cookie,
    // Only the flow of exactly this cookie, whatever came in its place meanwhile.
    cookieMask: looks ? ALL_ONES : 0n,
    bufferId: OFP_NO_BUFFER,
    outPort: OFPP.ANY,
    outGroup: OFPG.ANY,
  };
};

const textOf = (flow: FlowStats | ProgramFlow['mod']): string =>
  formatFlow({ ...flow, cookieMask: 0n, command: OFPFC.ADD });

function* planFlows(program: Program, state: SwitchState, options: PlanOptions, draft: Draft): Steps<void> {
  const { prune, remove = false, previous, leave = () => false, replaceable = () => false } = options;
  const owners = new Set(program.owners.values());
  const there = yield* byKey(state.flows, flowKey);
  const before = yield* byKey(previous?.flows ?? [], programKey);
  const wanted = new Set<string>();
  for (const flow of program.flows) {
    yield;
    const key = programKey(flow);
    const old = there.get(key);
    wanted.add(key);
    if (remove) {
      if (old !== undefined && isOwn(old, owners)) draft.changes.push(deletion(old, flow.origin));
    } else if (leave(flow.origin) && isAlike(flow, before.get(key))) draft.unchanged++;
    else if (old === undefined || replaceable(old.cookie)) draft.changes.push(new Addition(flow));
    else if (before.get(key)?.mod.cookie === old.cookie) compare(flow, old, true, draft);
    else if (isOwn(old, owners)) compare(flow, old, false, draft);
    else draft.conflicts.push({ what: 'flow', origin: flow.origin, other: formatFlow(old) });
  }
  if (remove) return;
  for (const [key, old] of there) {
    if (wanted.has(key)) continue;
    const put = before.get(key);
    if (put?.mod.cookie === old.cookie) draft.changes.push(deletion(old, put.origin));
    else if (isOurs(old.cookie) && prunes(prune, owners, ownerOf(old.cookie))) draft.changes.push(deletion(old));
    else if (isOwn(old, owners)) draft.stale.push(formatFlow(old));
  }
}

function* byKey<Flow>(flows: readonly Flow[], key: (flow: Flow) => string): Steps<Map<string, Flow>> {
  const found = new Map<string, Flow>();
  for (const flow of flows) {
    found.set(key(flow), flow);
    yield;
  }
  return found;
}

const prunes = (prune: PlanOptions['prune'], owners: ReadonlySet<number>, owner: number): boolean =>
  typeof prune === 'boolean' ? prune && owners.has(owner) : prune.has(owner);

function isAlike({ mod }: ProgramFlow, before: ProgramFlow | undefined): boolean {
  if (before?.mod.cookie !== mod.cookie) return false;
  return flowActions(mod) === flowActions(before.mod) && flowSettings(mod) === flowSettings(before.mod);
}

const isOwn = ({ cookie }: FlowStats, owners: ReadonlySet<number>): boolean =>
  isOurs(cookie) && owners.has(ownerOf(cookie));

/** Texts, and what undoes it, are made when they are asked for: there are very many flows. */
class Addition implements Change {
  readonly kind = 'add';
  readonly what = 'flow';
  readonly origin: Origin;
  readonly message: Outgoing;
  readonly #mod: ProgramFlow['mod'];

  constructor({ mod, origin }: ProgramFlow) {
    this.origin = origin;
    this.message = mod.command === OFPFC.ADD ? mod : { ...mod, command: OFPFC.ADD };
    this.#mod = mod;
  }

  get text(): string {
    return textOf(this.#mod);
  }
  get undo(): Outgoing {
    return flowMod(this.#mod, OFPFC.DELETE_STRICT);
  }
}

export const deletion = (old: FlowStats, origin?: Origin): Change => ({
  kind: 'delete',
  what: 'flow',
  get text() {
    return textOf(old);
  },
  ...(origin === undefined ? {} : { origin }),
  message: flowMod(old, OFPFC.DELETE_STRICT),
  get undo() {
    return flowMod(old, OFPFC.ADD);
  },
});

/**
 * What only does something else is modified, which keeps its counters; what is something else is added in its place.
 * `known`: an earlier program had said it.
 */
function compare({ mod, origin }: ProgramFlow, old: FlowStats, known: boolean, draft: Draft): void {
  const sameActions = flowActions(mod) === flowActions(old);
  const sameRest = flowSettings(mod) === flowSettings(old) && mod.cookie === old.cookie;
  if (sameActions && sameRest) {
    draft.unchanged++;
    return;
  }
  const message = sameRest ? flowMod(mod, OFPFC.MODIFY_STRICT) : { ...mod, command: OFPFC.ADD };
  const undo = sameRest ? flowMod(old, OFPFC.MODIFY_STRICT) : flowMod(old, OFPFC.ADD);
  draft.changes.push({
    kind: 'change',
    what: 'flow',
    text: textOf(mod),
    before: textOf(old),
    origin,
    ...(known ? {} : { replaced: old }),
    message,
    undo,
  });
}

function meterMod({ meterId, flags, bands }: MeterConfig, command: number): Outgoing {
  return { type: 'meter_mod', command, meterId, flags, bands };
}

const meterGone = (old: MeterConfig, origin?: Origin): Change => ({
  kind: 'delete',
  what: 'meter',
  text: meterText(old),
  ...(origin === undefined ? {} : { origin }),
  message: meterMod({ ...old, bands: [] }, OFPMC.DELETE),
  undo: meterMod(old, OFPMC.ADD),
});

function planGroups(
  program: Program,
  state: SwitchState,
  options: PlanOptions,
  draft: Draft,
  others: ReadonlySet<number> | undefined,
): void {
  const { prune, remove = false, previous } = options;
  const there = new Map(state.groups.map((group) => [group.groupId, group]));
  const mod = (group: Pick<GroupDesc, 'groupId' | 'groupType' | 'buckets'>, command: number): Outgoing => {
    const { groupId, groupType, buckets } = group;
    return { type: 'group_mod', command, groupId, groupType, buckets: command === OFPGC.DELETE ? [] : buckets };
  };
  const gone = (old: GroupDesc, origin?: Origin): Change => ({
    kind: 'delete',
    what: 'group',
    text: groupText(old),
    ...(origin === undefined ? {} : { origin }),
    message: mod(old, OFPGC.DELETE),
    undo: mod(old, OFPGC.ADD),
  });
  const owners = new Set(program.owners.values());
  const before = new Map(previous?.groups.map(({ mod: { groupId }, origin }) => [groupId, origin]));
  for (const { mod: group, origin } of program.groups) {
    const old = there.get(group.groupId);
    const text = groupText(group);
    const numbered = isNumbered(group.groupId, owners);
    const same = old !== undefined && groupText(old) === text;
    const ours = previous === undefined ? numbered || !others?.has(group.groupId) : before.has(group.groupId);
    if (remove) {
      if (old !== undefined && ours) draft.changes.push(gone(old, origin));
    } else if (same && (ours || previous === undefined)) draft.unchanged++;
    else if (old !== undefined && !ours) {
      draft.conflicts.push({ what: 'group', origin, other: groupText(old) });
    } else if (old === undefined) {
      draft.changes.push({
        kind: 'add',
        what: 'group',
        text,
        origin,
        message: mod(group, OFPGC.ADD),
        undo: mod(group, OFPGC.DELETE),
      });
    } else {
      draft.changes.push({
        kind: 'change',
        what: 'group',
        text,
        before: groupText(old),
        origin,
        message: mod(group, OFPGC.MODIFY),
        undo: mod(old, OFPGC.MODIFY),
      });
    }
  }
  if (remove) return;
  const wanted = new Set(program.groups.map(({ mod: { groupId } }) => groupId));
  for (const old of state.groups) {
    const { groupId } = old;
    if (wanted.has(groupId)) continue;
    if (before.has(groupId)) draft.changes.push(gone(old, before.get(groupId)));
    else if (prunes(prune, owners, Math.floor(groupId / GROUPS_PER_OWNER))) draft.changes.push(gone(old));
  }
}

/** A meter's number does not say whose it is: only what is left of `previous` goes. */
function planMeters(
  program: Program,
  state: SwitchState,
  options: PlanOptions,
  draft: Draft,
  others: ReadonlySet<number> | undefined,
): void {
  const { remove = false, previous } = options;
  const there = new Map(state.meters.map((meter) => [meter.meterId, meter]));
  const before = new Map(previous?.meters.map(({ mod: { meterId }, origin }) => [meterId, origin]));
  for (const { mod: meter, origin } of program.meters) {
    const old = there.get(meter.meterId);
    const text = meterText(meter);
    const ours = previous === undefined ? !others?.has(meter.meterId) : before.delete(meter.meterId);
    const same = old !== undefined && meterText(old) === text;
    if (remove) {
      if (old !== undefined && ours) draft.changes.push(meterGone(old, origin));
    } else if (same && (ours || previous === undefined)) draft.unchanged++;
    else if (old !== undefined && !ours) {
      draft.conflicts.push({ what: 'meter', origin, other: meterText(old) });
    } else if (old === undefined) {
      draft.changes.push({
        kind: 'add',
        what: 'meter',
        text,
        origin,
        message: meterMod(meter, OFPMC.ADD),
        undo: meterMod({ ...meter, bands: [] }, OFPMC.DELETE),
      });
    } else {
      draft.changes.push({
        kind: 'change',
        what: 'meter',
        text,
        before: meterText(old),
        origin,
        message: meterMod(meter, OFPMC.MODIFY),
        undo: meterMod(old, OFPMC.MODIFY),
      });
    }
  }
  for (const [meterId, origin] of remove ? [] : before) {
    const old = there.get(meterId);
    if (old !== undefined) draft.changes.push(meterGone(old, origin));
  }
}

/** Those that others lead to first, whatever a switch asks of the order: it takes none whose group is not there. */
const inOrder = (changes: readonly Change[], stateOf: (change: Change) => Outgoing): Change[] =>
  usedFirst(
    changes,
    ({ message }) => (message.type === 'group_mod' ? message.groupId : undefined),
    (change) => {
      const message = stateOf(change);
      return message.type === 'group_mod' ? groupsUsedBy(message.buckets) : [];
    },
  );

/** What is used must be there, and some bundles have no meters. */
export function stages({ changes }: Plan): Stages<Change> {
  const pick = (what: Change['what'], deletes: boolean) =>
    changes.filter((change) => change.what === what && (change.kind === 'delete') === deletes);
  return {
    before: pick('meter', false),
    bundled: [
      ...inOrder(pick('group', false), ({ message }) => message),
      ...pick('flow', true),
      ...pick('flow', false),
      ...inOrder(pick('group', true), ({ undo }) => undo).reverse(),
    ],
    after: pick('meter', true),
  };
}
