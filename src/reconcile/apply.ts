/** Carries a plan out, and undoes it. */
import { RequestError } from 'node-openflow';
import { type Change, type Plan, stages } from './plan.js';
import { type Atomicity, type RemoteSwitch, refusedIndex } from './switch.js';

/** What the switch did not take; `change` absent: it does not say which. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';

  constructor(
    readonly reason: string,
    readonly change: Change | undefined,
  ) {
    super(change === undefined ? reason : `${reason}: ${change.what} ${change.text}`);
  }
}

const messages = (changes: readonly Change[]) => changes.map(({ message }) => message);
const undos = (changes: readonly Change[]) => changes.map(({ undo }) => undo).reverse();

/** What was done at once. Rejects with {@link ApplyError}; nothing of the bundle is in force then. */
export async function applyPlan(remote: RemoteSwitch, plan: Plan): Promise<Atomicity> {
  const { before, bundled, after } = stages(plan);
  try {
    return await remote.change({ before: messages(before), bundled: messages(bundled), after: messages(after) });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const all = [...before, ...bundled, ...after];
    const index = refusedIndex(error, all.length);
    throw new ApplyError(error.message, index === undefined ? undefined : all[index]);
  }
}

/** As it was before, counters of deleted flows apart. */
export async function undoPlan(remote: RemoteSwitch, plan: Plan): Promise<void> {
  const { before, bundled, after } = stages(plan);
  await remote.change({ before: undos(after), bundled: undos(bundled), after: undos(before) });
}

/** Why a plan cannot be carried out; undefined: nothing is in its way. */
export function conflictText({ conflicts }: Plan): string | undefined {
  const [first] = conflicts;
  if (first === undefined) return undefined;
  const { what, origin, other } = first;
  const more = conflicts.length === 1 ? '' : ` (and ${conflicts.length - 1} more)`;
  return `${origin.document}/${origin.name} would take the place of somebody else's ${what} ${other}${more}`;
}
