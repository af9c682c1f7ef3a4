/** Groups that lead to each other: a switch takes none that leads to one which is not there (OpenFlow 1.3.5 §6.4). */
import type { Action, Bucket } from 'node-openflow';

/** Numbers of the groups that actions lead to. */
export const groupsIn = (actions: readonly Action[]): number[] =>
  actions.flatMap((action) => {
    if (action.type === 'group') return [action.groupId];
    return action.type === 'nx_clone' ? groupsIn(action.actions) : [];
  });

/** Numbers of the groups that buckets lead to, or watch. */
export const groupsUsedBy = (buckets: readonly Bucket[]): number[] =>
  buckets.flatMap(({ actions, watchGroup }) => [...groupsIn(actions), watchGroup]);

/**
 * Those that others lead to before them, otherwise in the order in which they are. Of a circle one comes first. Without
 * recursion: there may be very many in a row.
 */
export function usedFirst<Thing>(
  things: readonly Thing[],
  idOf: (thing: Thing) => number | undefined,
  usedBy: (thing: Thing) => readonly number[],
): Thing[] {
  const byId = new Map(things.map((thing) => [idOf(thing), thing]));
  const sorted: Thing[] = [];
  const seen = new Set<Thing>();
  const open: { readonly thing: Thing; readonly uses: Thing[] }[] = [];
  const enter = (thing: Thing): void => {
    seen.add(thing);
    const uses = usedBy(thing).flatMap((id) => byId.get(id) ?? []);
    open.push({ thing, uses: uses.reverse() });
  };
  for (const thing of things) {
    if (!seen.has(thing)) enter(thing);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.uses.pop();
      if (next === undefined) {
        sorted.push(top.thing);
        open.pop();
      } else if (!seen.has(next)) enter(next);
    }
  }
  return sorted;
}
