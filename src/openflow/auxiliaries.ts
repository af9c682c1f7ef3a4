/**
 * The auxiliary connections to one controller (OpenFlow 1.3.5 §6.3.8): made when the main one is up, to the same address,
 * and ended with it. Requests are answered where they came in; events go over the main connection alone.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../base/backoff.js';
import { messageOf } from '../base/error.js';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { Channel } from './channel.js';
import { REDIAL_FIRST_MS, REDIAL_MAX_MS } from './limits.js';

export interface AuxiliariesOptions {
  readonly main: Channel;
  readonly count: number;
  readonly name: string;
  /** A connected socket; rejects with a sentence. */
  readonly dial: (signal: AbortSignal) => Promise<Socket>;
  /** Serves the socket as the auxiliary connection of that number; resolves with the reason when it is over. */
  readonly serve: (socket: Socket, id: number) => Promise<string>;
  readonly logger: Logger;
}

/** Resolves when the main connection is over and none of the others is left. */
export async function keepAuxiliaries(options: AuxiliariesOptions): Promise<void> {
  const over = new AbortController();
  void options.main.closed.then(() => over.abort());
  const ids = Array.from({ length: options.count }, (_, i) => i + 1);
  await Promise.all(ids.map((id) => keep(options, id, over.signal)));
}

async function keep({ name, dial, serve, logger }: AuxiliariesOptions, id: number, signal: AbortSignal): Promise<void> {
  const log = new RateLimitedLog(logger);
  const backoff = new Backoff({ firstMs: REDIAL_FIRST_MS, maxMs: REDIAL_MAX_MS });
  while (!signal.aborted) {
    const reason = await dial(signal).then(
      (socket) => serve(socket, id),
      (error: unknown) => messageOf(error),
    );
    if (signal.aborted) return;
    log.warn({ controller: name, auxiliary: id, reason }, 'auxiliary connection not there');
    await sleep(backoff.nextMs(), undefined, { signal }).catch(() => {});
  }
}
