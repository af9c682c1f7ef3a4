/** Keeps a connection to one controller: connects, and when that fails or ends connects again, within a second. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../base/assert.js';
import { Backoff } from '../base/backoff.js';
import { messageOf } from '../base/error.js';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { Channel } from './channel.js';
import { DIAL_TIMEOUT_MS, REDIAL_FIRST_MS, REDIAL_MAX_MS } from './limits.js';
import { type ActiveTarget, formatTarget } from './target.js';
import { dialTls } from './tls.js';
import type { TlsCredentials } from './tls-credentials.js';

export interface DialerOptions {
  readonly target: ActiveTarget;
  /** For `ssl:`. */
  readonly tls?: TlsCredentials | undefined;
  /** Makes the channel over a connected socket, and serves it; resolves with the reason when it is over. */
  readonly serve: (socket: Socket, peer: string, opened: (channel: Channel) => void) => Promise<string>;
  readonly logger: Logger;
}

export class Dialer {
  readonly name: string;
  readonly #options: DialerOptions;
  readonly #log: RateLimitedLog;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #backoff = new Backoff({ firstMs: REDIAL_FIRST_MS, maxMs: REDIAL_MAX_MS });
  #channel: Channel | undefined;
  #lastError: string | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.name = formatTarget(options.target);
    this.#log = new RateLimitedLog(options.logger);
    this.#done = this.#run();
  }

  /** Present from the end of the handshake on. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Why it is not connected, in words. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Dials no more. A channel that is open is its owner's to close; resolves when it is over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#lastError = await this.#connectOnce(signal);
      this.#channel = undefined;
      if (signal.aborted) return;
      this.#log.warn({ controller: this.name, reason: this.#lastError }, 'not connected');
      await sleep(this.#backoff.nextMs(), undefined, { signal }).catch(() => {});
    }
  }

  /** Resolves with the reason when there was no connection, or there is none any more. */
  async #connectOnce(signal: AbortSignal): Promise<string> {
    let socket: Socket;
    try {
      socket = await dial(this.#options, signal);
    } catch (error) {
      return messageOf(error);
    }
    return this.#options.serve(socket, this.name, (channel) => {
      this.#channel = channel;
      this.#backoff.reset();
    });
  }
}

/** A connected socket; rejects when that takes too long or is called off. */
export function dial({ target, tls }: Pick<DialerOptions, 'target' | 'tls'>, signal: AbortSignal): Promise<Socket> {
  return target.kind === 'ssl' ? dialTlsInTime(target, tls, signal) : dialPlain(target, signal);
}

async function dialTlsInTime(
  target: { readonly host: string; readonly port: number },
  credentials: TlsCredentials | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  assert(credentials !== undefined, 'a target with TLS needs credentials');
  const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS);
  try {
    return await dialTls(target, credentials, AbortSignal.any([signal, timeout]));
  } catch (error) {
    throw timeout.aborted ? new Error(`no answer within ${DIAL_TIMEOUT_MS} ms`) : error;
  }
}

function dialPlain(target: Exclude<ActiveTarget, { kind: 'ssl' }>, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      target.kind === 'unix' ? connect(target.path) : connect({ host: target.host, port: target.port, noDelay: true });
    // Stays: an error between here and whoever takes the socket over must find a listener.
    socket.on('error', (error) => finish(error));
    const finish = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('connect', finish);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      reject(error);
      socket.destroy();
    };
    const abort = () => finish(new Error('called off'));
    const timer = setTimeout(() => finish(new Error(`no answer within ${DIAL_TIMEOUT_MS} ms`)), DIAL_TIMEOUT_MS);
    signal.addEventListener('abort', abort);
    socket.once('connect', finish);
  });
}
