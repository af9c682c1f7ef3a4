/** Keeps a connection to one controller: dials, and dials again, within a second. */
import { connect, type Socket } from 'node:net';
import { Backoff } from '../base/backoff.js';
import { messageOf } from '../base/error.js';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { Channel } from './channel.js';
import { DIAL_TIMEOUT_MS, REDIAL_FIRST_MS, REDIAL_MAX_MS } from './limits.js';
import { type ActiveTarget, formatTarget } from './target.js';

export interface DialerOptions {
  readonly target: ActiveTarget;
  /** Makes the channel over a connected socket, and serves it; resolves when it is over. */
  readonly serve: (socket: Socket, peer: string, opened: (channel: Channel) => void) => Promise<void>;
  readonly logger: Logger;
}

export class Dialer {
  readonly name: string;
  readonly #options: DialerOptions;
  readonly #log: RateLimitedLog;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #channel: Channel | undefined;
  #lastError: string | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.name = formatTarget(options.target);
    this.#log = new RateLimitedLog(options.logger);
    this.#done = this.#run();
  }

  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Why it is not connected, in words. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#channel?.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const backoff = new Backoff({ firstMs: REDIAL_FIRST_MS, maxMs: REDIAL_MAX_MS });
    while (!this.#stop.signal.aborted) {
      try {
        const socket = await dial(this.#options.target, this.#stop.signal);
        await this.#options.serve(socket, this.name, (channel) => {
          this.#channel = channel;
          this.#lastError = undefined;
          backoff.reset();
          void channel.closed.then((reason) => {
            this.#lastError = reason.message;
          });
        });
      } catch (error) {
        this.#lastError = messageOf(error);
        if (!this.#stop.signal.aborted)
          this.#log.warn({ controller: this.name, reason: this.#lastError }, 'not connected');
      }
      this.#channel = undefined;
      await pause(backoff.nextMs(), this.#stop.signal);
    }
  }
}

/** A connected socket; rejects when that takes too long or is called off. */
function dial(target: ActiveTarget, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      target.kind === 'tcp' ? connect({ host: target.host, port: target.port, noDelay: true }) : connect(target.path);
    const finish = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners();
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const abort = () => finish(new Error('called off'));
    const timer = setTimeout(() => finish(new Error(`no answer within ${DIAL_TIMEOUT_MS} ms`)), DIAL_TIMEOUT_MS);
    signal.addEventListener('abort', abort);
    socket.once('connect', () => finish());
    socket.once('error', finish);
    if (signal.aborted) abort();
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
