/** What the demo with --once holds to be true at the end; pure. */
import type { Flow } from '../api/messages.js';
import type { PairResult } from './guests.js';

/** Flows that have seen packets and do more than hand them to the controller. */
export function countingFlows(flows: readonly Flow[]): readonly Flow[] {
  return flows.filter(({ text, packets }) => packets > 0n && !/ actions=CONTROLLER:\d+$/.test(text));
}

/** Sentences about what is wrong; none when all is well. A first packet may be lost while nobody knows the way. */
export function problems(results: readonly PairResult[], flows: readonly Flow[]): readonly string[] {
  const unreached = results
    .filter(({ received, sent }) => received < Math.max(1, sent - 1))
    .map(({ from, to, sent, received }) => `${from.name} got ${received} of ${sent} answers from ${to.name}`);
  const counting = countingFlows(flows);
  const counted = counting.reduce((sum, { packets }) => sum + packets, 0n);
  const answered = results.reduce((sum, { received }) => sum + received, 0);
  const uncounted =
    counting.length === 0
      ? ['no flow of the controller has counted a packet']
      : counted < BigInt(answered)
        ? [`flows counted ${counted} packets, though ${answered} pings were answered`]
        : [];
  return [...unreached, ...uncounted];
}
