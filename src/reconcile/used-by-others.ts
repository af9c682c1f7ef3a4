/** Groups and meters that flows lead to: their numbers alone do not say whose they are. */
import type { FlowStats, Instruction } from 'node-openflow';
import { groupsIn } from '../compiler/index.js';

export interface Used {
  readonly groups: ReadonlySet<number>;
  readonly meters: ReadonlySet<number>;
}

/** By flows for which `isOwn` says no. */
export function usedByOthers(flows: readonly FlowStats[], isOwn: (flow: FlowStats) => boolean): Used {
  const [groups, meters] = [new Set<number>(), new Set<number>()];
  const note = (one: Instruction): void => {
    if (one.type === 'meter') meters.add(one.meterId);
    if (one.type !== 'apply_actions' && one.type !== 'write_actions') return;
    for (const group of groupsIn(one.actions)) groups.add(group);
    for (const action of one.actions) if (action.type === 'meter') meters.add(action.meterId);
  };
  for (const flow of flows) if (!isOwn(flow)) for (const one of flow.instructions) note(one);
  return { groups, meters };
}
