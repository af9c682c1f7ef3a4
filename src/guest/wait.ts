/** Waiting for a node to become what one wants, as a toolstack does. */
import { systemClock } from '../base/clock.js';
import type { XenstoreClient } from '../xenstore/index.js';

/**
 * Resolves with the node's value once `accepts` likes it (undefined: no such node); rejects after `timeoutMs` with a
 * sentence that names the path and what stood there last.
 */
export async function waitForNode(
  store: XenstoreClient,
  path: string,
  accepts: (value: string | undefined) => boolean,
  timeoutMs: number,
): Promise<string | undefined> {
  let last: string | undefined;
  let settle: (outcome: 'accepted' | 'late') => void = () => {};
  const settled = new Promise<'accepted' | 'late'>((resolve) => {
    settle = resolve;
  });
  const watch = await store.watch(path, async () => {
    last = await store.readOrUndefined(path);
    if (accepts(last)) settle('accepted');
  });
  const timer = systemClock.after(timeoutMs, () => settle('late'));
  const outcome = await settled;
  timer.cancel();
  await watch.close();
  if (outcome === 'late') throw new Error(`${path} is ${JSON.stringify(last)} after ${timeoutMs} ms`);
  return last;
}
