/** Carries a plan out, and undoes it. */
import { RequestError } from 'node-openflow';
import { type Change, type Plan, stages } from './plan.js';
import { type RemoteSwitch, refusedIndex } from './switch.js';

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

/** Whether it was done at once, in a bundle. Rejects with {@link ApplyError}; nothing of the bundle is in force then. */
export async function applyPlan(remote: RemoteSwitch, plan: Plan): Promise<boolean> {
  const { before, bundled, after } = stages(plan);
  try {
    return await remote.change(messages(before), messages(bundled), messages(after));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const index = refusedIndex(error, bundled.length);
    throw new ApplyError(error.message, index === undefined ? undefined : bundled[index]);
  }
}

/** As it was before, counters of deleted flows apart. */
export async function undoPlan(remote: RemoteSwitch, plan: Plan): Promise<void> {
  const { before, bundled, after } = stages(plan);
  await remote.change(undos(after), undos(bundled), undos(before));
}

/** Why a plan cannot be carried out; undefined: nothing is in its way. */
export function conflictText({ conflicts }: Plan): string | undefined {
  const [first] = conflicts;
  if (first === undefined) return undefined;
  const { what, origin, other } = first;
  const more = conflicts.length === 1 ? '' : ` (and ${conflicts.length - 1} more)`;
  return `${origin.document}/${origin.name} would take the place of somebody else's ${what} ${other}${more}`;
}
