/** What must change on a switch for it to be as a program says: pure, from two states to a list of changes. */
import { type FlowStats, type GroupDesc, type MeterConfig, type Outgoing, of13 } from 'node-openflow';
import { formatFlow } from 'node-openflow/text';
import { isOurs, type Origin, ownerOf, type Program, type ProgramFlow, withLegalMask } from '../compiler/index.js';
import { flowActions, flowKey, flowSettings, groupText, meterText } from './normal.js';
import type { SwitchState } from './switch.js';

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
  readonly message: Outgoing;
  /** Undoes it. */
  readonly undo: Outgoing;
}

/** A flow of others with the table, priority and match of one of ours: OpenFlow would put ours in its place. */
export interface Conflict {
  readonly flow: ProgramFlow;
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
  /** Delete what is the owners' own and no file says any more. */
  readonly prune: boolean;
  /** Delete what the files say. */
  readonly remove?: boolean;
}

type Draft = { changes: Change[]; unchanged: number; stale: string[]; conflicts: Conflict[] };

export function makePlan(program: Program, state: SwitchState, options: PlanOptions): Plan {
  const draft: Draft = { changes: [], unchanged: 0, stale: [], conflicts: [] };
  planMeters(program, state, options, draft);
  planGroups(program, state, options, draft);
  planFlows(program, state, options, draft);
  return draft;
}

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

function planFlows(program: Program, state: SwitchState, { prune, remove = false }: PlanOptions, draft: Draft): void {
  const owners = new Set(program.owners.values());
  const there = new Map(state.flows.map((flow) => [flowKey(flow), flow]));
  const wanted = new Set<string>();
  for (const flow of program.flows) {
    const key = flowKey(flow.mod);
    const old = there.get(key);
    wanted.add(key);
    if (remove) {
      if (old !== undefined && isOwn(old, owners)) draft.changes.push(deletion(old, flow.origin));
    } else if (old === undefined) draft.changes.push(addition(flow));
    else if (!isOwn(old, owners)) draft.conflicts.push({ flow, other: formatFlow(old) });
    else compare(flow, old, draft);
  }
  if (remove) return;
  for (const [key, old] of there) {
    if (wanted.has(key) || !isOwn(old, owners)) continue;
    if (prune) draft.changes.push(deletion(old));
    else draft.stale.push(formatFlow(old));
  }
}

const isOwn = ({ cookie }: FlowStats, owners: ReadonlySet<number>): boolean =>
  isOurs(cookie) && owners.has(ownerOf(cookie));

const addition = ({ mod, origin }: ProgramFlow): Change => ({
  kind: 'add',
  what: 'flow',
  text: textOf(mod),
  origin,
  message: { ...mod, command: OFPFC.ADD },
  undo: flowMod(mod, OFPFC.DELETE_STRICT),
});

const deletion = (old: FlowStats, origin?: Origin): Change => ({
  kind: 'delete',
  what: 'flow',
  text: textOf(old),
  ...(origin === undefined ? {} : { origin }),
  message: flowMod(old, OFPFC.DELETE_STRICT),
  undo: flowMod(old, OFPFC.ADD),
});

/** What only does something else is modified, which keeps its counters; what is something else is added in its place. */
function compare({ mod, origin }: ProgramFlow, old: FlowStats, draft: Draft): void {
  const sameActions = flowActions(mod) === flowActions(old);
  const sameRest = flowSettings(mod) === flowSettings(old) && mod.cookie === old.cookie;
  if (sameActions && sameRest) {
    draft.unchanged++;
    return;
  }
  const message = sameRest ? flowMod(mod, OFPFC.MODIFY_STRICT) : { ...mod, command: OFPFC.ADD };
  const undo = sameRest ? flowMod(old, OFPFC.MODIFY_STRICT) : flowMod(old, OFPFC.ADD);
  draft.changes.push({ kind: 'change', what: 'flow', text: textOf(mod), before: textOf(old), origin, message, undo });
}

function planGroups(program: Program, state: SwitchState, { prune, remove = false }: PlanOptions, draft: Draft): void {
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
  for (const { mod: group, origin } of program.groups) {
    const old = there.get(group.groupId);
    const text = groupText(group);
    if (remove) {
      if (old !== undefined) draft.changes.push(gone(old, origin));
    } else if (old === undefined) {
      draft.changes.push({
        kind: 'add',
        what: 'group',
        text,
        origin,
        message: mod(group, OFPGC.ADD),
        undo: mod(group, OFPGC.DELETE),
      });
    } else if (groupText(old) === text) draft.unchanged++;
    else {
      const before = groupText(old);
      draft.changes.push({
        kind: 'change',
        what: 'group',
        text,
        before,
        origin,
        message: mod(group, OFPGC.MODIFY),
        undo: mod(old, OFPGC.MODIFY),
      });
    }
  }
  if (!prune || remove) return;
  const owners = new Set(program.owners.values());
  const wanted = new Set(program.groups.map(({ mod: { groupId } }) => groupId));
  for (const old of state.groups) {
    if (!wanted.has(old.groupId) && owners.has(Math.floor(old.groupId / GROUPS_PER_OWNER)))
      draft.changes.push(gone(old));
  }
}

/** A meter's number does not say whose it is: those that no file says any more stay. */
function planMeters(program: Program, state: SwitchState, { remove = false }: PlanOptions, draft: Draft): void {
  const there = new Map(state.meters.map((meter) => [meter.meterId, meter]));
  const mod = ({ meterId, flags, bands }: MeterConfig, command: number): Outgoing => ({
    type: 'meter_mod',
    command,
    meterId,
    flags,
    bands,
  });
  for (const { mod: meter, origin } of program.meters) {
    const old = there.get(meter.meterId);
    const text = meterText(meter);
    if (remove) {
      if (old === undefined) continue;
      draft.changes.push({
        kind: 'delete',
        what: 'meter',
        text: meterText(old),
        origin,
        message: mod({ ...old, bands: [] }, OFPMC.DELETE),
        undo: mod(old, OFPMC.ADD),
      });
    } else if (old === undefined) {
      draft.changes.push({
        kind: 'add',
        what: 'meter',
        text,
        origin,
        message: mod(meter, OFPMC.ADD),
        undo: mod({ ...meter, bands: [] }, OFPMC.DELETE),
      });
    } else if (meterText(old) === text) draft.unchanged++;
    else {
      draft.changes.push({
        kind: 'change',
        what: 'meter',
        text,
        before: meterText(old),
        origin,
        message: mod(meter, OFPMC.MODIFY),
        undo: mod(old, OFPMC.MODIFY),
      });
    }
  }
}

/** In the order in which they can be carried out: a bundle has no meters, and what is used must be there. */
export function stages({ changes }: Plan): {
  readonly before: readonly Change[];
  readonly bundled: readonly Change[];
  readonly after: readonly Change[];
} {
  const pick = (what: Change['what'], deletes: boolean) =>
    changes.filter((change) => change.what === what && (change.kind === 'delete') === deletes);
  return {
    before: pick('meter', false),
    bundled: [...pick('group', false), ...pick('flow', true), ...pick('flow', false), ...pick('group', true)],
    after: pick('meter', true),
  };
}
