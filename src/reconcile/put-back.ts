/** Things of no program that a plan took away, and how they come back after it is undone. */
import type { Outgoing } from 'node-openflow';
import type { Steps } from '../base/slices.js';
import { flowKey } from './normal.js';
import { type Change, deletion, type Plan } from './plan.js';
import type { SwitchState } from './switch.js';

const broughtBack = (gone: Change): Change => {
  const { what, text, message, undo } = gone;
  return { kind: 'add', what, text, message: undo, undo: message };
};

/** What no file and no earlier program had said, and is gone all the same: as additions that bring it back. */
export const lostBy = ({ changes }: Plan): Change[] =>
  changes.flatMap((change) => {
    if (change.replaced !== undefined) return [broughtBack(deletion(change.replaced))];
    return change.kind === 'delete' && change.origin === undefined ? [broughtBack(change)] : [];
  });

/** Which flow, group or meter a message is about. */
function keyOf(message: Outgoing): string | undefined {
  if (message.type === 'flow_mod') return flowKey(message);
  if (message.type === 'group_mod') return `group ${message.groupId}`;
  return message.type === 'meter_mod' ? `meter ${message.meterId}` : undefined;
}

/** Those of `lost` ({@link lostBy}) in whose place nothing is. */
export function* putBackSteps(lost: readonly Change[], { flows, groups, meters }: SwitchState): Steps<Plan> {
  const taken = new Set([
    ...groups.map(({ groupId }) => `group ${groupId}`),
    ...meters.map(({ meterId }) => `meter ${meterId}`),
  ]);
  for (const flow of flows) {
    taken.add(flowKey(flow));
    yield;
  }
  const changes = lost.filter(({ message }) => !taken.has(keyOf(message) ?? ''));
  return { changes, unchanged: 0, stale: [], conflicts: [] };
}
