/** The guests of the demo, and whether they reach each other. */
import type { ApiClient } from '../api/client.js';

export const BRIDGE = 'br0';

export const guests = [
  { name: 'alice', ip: '10.0.0.1' },
  { name: 'bob', ip: '10.0.0.2' },
  { name: 'carol', ip: '10.0.0.3' },
] as const;

export interface Pair {
  readonly from: (typeof guests)[number];
  readonly to: (typeof guests)[number];
}

/** Every guest with every other, both ways. */
export const pairs: readonly Pair[] = guests.flatMap((from) =>
  guests.filter((to) => to !== from).map((to) => ({ from, to })),
);

export interface PairResult extends Pair {
  readonly sent: number;
  readonly received: number;
  /** Microseconds; undefined when nothing came back. */
  readonly bestUs: number | undefined;
}

export interface PingShape {
  readonly count: number;
  readonly intervalMs: number;
}

/** An answer from the controller may take its time. */
const PING_TIMEOUT_MS = 2000;
const CALL_MARGIN_MS = 5000;

export async function pingPair(api: ApiClient, pair: Pair, { count, intervalMs }: PingShape): Promise<PairResult> {
  const request = { guest: pair.from.name, address: pair.to.ip, count, intervalMs, timeoutMs: PING_TIMEOUT_MS };
  const { sent, received, rttUs } = await api.call(
    'ping',
    request,
    count * (intervalMs + PING_TIMEOUT_MS) + CALL_MARGIN_MS,
  );
  return { ...pair, sent, received, bestUs: rttUs.length === 0 ? undefined : Math.min(...rttUs) };
}

export function formatPair({ from, to, sent, received, bestUs }: PairResult): string {
  const time = bestUs === undefined ? '' : `, best ${(bestUs / 1000).toFixed(3)} ms`;
  return `${from.name} (${from.ip}) → ${to.name} (${to.ip}): ${received} of ${sent} answered${time}`;
}

/** One line for many pairs. */
export function formatRound(results: readonly PairResult[]): string {
  const sent = results.reduce((sum, result) => sum + result.sent, 0);
  const received = results.reduce((sum, result) => sum + result.received, 0);
  const best = results.flatMap(({ bestUs }) => (bestUs === undefined ? [] : [bestUs]));
  const time = best.length === 0 ? '' : `, best ${(Math.min(...best) / 1000).toFixed(3)} ms`;
  return `every guest pings every other: ${received} of ${sent} answered${time}\n`;
}
