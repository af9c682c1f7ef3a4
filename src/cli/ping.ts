/** `xvif ping GUEST ADDRESS`: echo requests from the built-in stack of a guest. */
import type { PingReply } from '../api/messages.js';
import { type CommandContext, CommandFailed } from './context.js';
import { formatJson } from './units.js';

export interface PingOptions {
  readonly count: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly size: number;
}

/** The daemon's own time for a ping that gets no answer at all, and some more. */
const REPLY_MARGIN_MS = 5000;

export function formatPing(guest: string, address: string, { sent, received, rttUs }: PingReply): string {
  const lost = sent === 0 ? 0 : Math.round(((sent - received) * 100) / sent);
  const summary = `${guest} → ${address}: ${sent} sent, ${received} received, ${lost}% lost`;
  if (rttUs.length === 0) return summary;
  const mean = rttUs.reduce((sum, rtt) => sum + rtt, 0) / rttUs.length;
  const [low, middle, high] = [Math.min(...rttUs), mean, Math.max(...rttUs)].map((us) => (us / 1000).toFixed(3));
  return `${summary}\nround trip min/avg/max ${low}/${middle}/${high} ms`;
}

export async function ping(
  { api, json, print }: CommandContext,
  guest: string,
  address: string,
  options: PingOptions,
): Promise<void> {
  const waitMs = options.count * Math.max(options.intervalMs, options.timeoutMs) + REPLY_MARGIN_MS;
  const reply = await api.call('ping', { guest, address, ...options }, waitMs);
  print(json ? formatJson(reply) : formatPing(guest, address, reply));
  if (reply.received === 0) throw new CommandFailed(`${guest} got no answer from ${address}`);
}
