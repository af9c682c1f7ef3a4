/** Groups and meters that flows and groups of others lead to: their numbers alone do not say whose they are. */
import type { Action, FlowStats, GroupDesc, Instruction } from 'node-openflow';
import { groupsIn, groupsUsedBy } from '../compiler/index.js';
import type { SwitchState } from './switch.js';

export interface Used {
  readonly groups: ReadonlySet<number>;
  readonly meters: ReadonlySet<number>;
}

/** Whose things are, as far as that can be told. */
export interface Own {
  flow(flow: FlowStats): boolean;
  /** Undefined: whose it is depends on who leads to it. */
  group(id: number): boolean | undefined;
}

/** By what is not `own`, and by the groups that it leads to. */
export function usedByOthers({ flows, groups }: Pick<SwitchState, 'flows' | 'groups'>, own: Own): Used {
  const meters = new Set<number>();
  const found = new Set<number>();
  const open: GroupDesc[] = groups.filter(({ groupId }) => own.group(groupId) === false);
  const byId = new Map(groups.map((group) => [group.groupId, group]));
  const lead = (ids: readonly number[]): void => {
    for (const id of ids) {
      if (found.has(id)) continue;
      found.add(id);
      const group = byId.get(id);
      if (group !== undefined && own.group(id) === undefined) open.push(group);
    }
  };
  const noteMeters = (actions: readonly Action[]): void => {
    for (const id of metersIn(actions)) meters.add(id);
  };
  const note = (one: Instruction): void => {
    if (one.type === 'meter') meters.add(one.meterId);
    if (one.type !== 'apply_actions' && one.type !== 'write_actions') return;
    lead(groupsIn(one.actions));
    noteMeters(one.actions);
  };
  for (const flow of flows) if (!own.flow(flow)) for (const one of flow.instructions) note(one);
  for (let group = open.pop(); group !== undefined; group = open.pop()) {
    lead(groupsUsedBy(group.buckets));
    for (const { actions } of group.buckets) noteMeters(actions);
  }
  return { groups: found, meters };
}

const metersIn = (actions: readonly Action[]): number[] =>
  actions.flatMap((action) => {
    if (action.type === 'meter') return [action.meterId];
    return action.type === 'nx_clone' ? metersIn(action.actions) : [];
  });
