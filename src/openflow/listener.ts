/** Waits for controllers, or tools, to connect. */
import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { assert } from '../base/assert.js';
import { messageOf } from '../base/error.js';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import { CONNECTIONS_MAX } from './limits.js';
import { formatTarget, type PassiveTarget } from './target.js';
import { TlsDoor } from './tls.js';
import type { TlsCredentials } from './tls-credentials.js';

export interface ListenerOptions {
  readonly target: PassiveTarget;
  /** For `pssl:`. */
  readonly tls?: TlsCredentials | undefined;
  /** Takes one connection over. */
  readonly serve: (socket: Socket, peer: string) => void;
  readonly logger: Logger;
}

/** Only the owner may use a unix socket. */
const SOCKET_MODE = 0o600;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #log: RateLimitedLog;
  readonly #door: TlsDoor | undefined;
  #accepted = 0;
  #lastRefusal: string | undefined;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#log = new RateLimitedLog(options.logger);
    this.#door = options.target.kind === 'pssl' ? this.#makeDoor(options.tls) : undefined;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('drop', () => {
      this.#log.warn({ listener: this.name, limit: CONNECTIONS_MAX }, 'too many connections: one was refused');
    });
  }

  /** Rejects with a sentence when the address is taken or not ours. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const self = new Listener(options);
    const { target } = options;
    try {
      if (target.kind === 'punix') await removeStaleSocket(target.path);
      await self.#listen(target);
    } catch (cause) {
      throw new Error(`cannot listen on ${formatTarget(target)}: ${messageOf(cause)}`, { cause });
    }
    return self;
  }

  /** Where it listens, with the port that was picked for port 0. */
  get name(): string {
    const address = this.#server.address();
    const { target } = this.#options;
    if (target.kind === 'punix' || address === null || typeof address === 'string') return formatTarget(target);
    return formatTarget({ ...target, port: address.port });
  }

  /** Why the last one to come was not served; undefined when it was. */
  get lastRefusal(): string | undefined {
    return this.#lastRefusal;
  }

  /** Accepts no more. Connections that are served are their owner's to close; resolves when they are. */
  async stop(): Promise<void> {
    this.#door?.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #listen(target: PassiveTarget): Promise<void> {
    const listening = once(this.#server, 'listening');
    if (target.kind === 'punix') this.#server.listen(target.path);
    else this.#server.listen(target.port, target.host);
    // The file is there by now; a turn of the event loop later somebody could have connected.
    if (target.kind === 'punix' && this.#server.listening) chmodSync(target.path, SOCKET_MODE);
    await listening;
    this.#server.on('error', (error) => this.#log.warn({ reason: error.message }, 'cannot accept a connection'));
  }

  #accept(socket: Socket): void {
    const from = socket.remoteAddress === undefined ? `${++this.#accepted}` : remoteName(socket);
    if (this.#door !== undefined) this.#door.enter(socket, from);
    else this.#options.serve(socket, `${this.name} from ${from}`);
  }

  #makeDoor(credentials: TlsCredentials | undefined): TlsDoor {
    assert(credentials !== undefined, 'a target with TLS needs credentials');
    return new TlsDoor({
      credentials,
      admit: (socket, from) => {
        this.#lastRefusal = undefined;
        this.#options.serve(socket, `${this.name} from ${from}`);
      },
      refuse: (reason, from) => {
        this.#lastRefusal = `${from} was refused: ${reason}`;
        this.#log.warn({ listener: this.name, from, reason }, 'connection refused');
      },
    });
  }
}

function remoteName({ remoteAddress, remoteFamily, remotePort }: Socket): string {
  return remoteFamily === 'IPv6' ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

/** A socket file nobody answers on is left over from a daemon that died. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error('the file is in the way: it is not a socket');
  const refusal = await new Promise<string | undefined>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  if (refusal === 'ENOENT') return;
  // Any other failure (no permission, a full backlog) says nothing about whether somebody listens.
  if (refusal !== 'ECONNREFUSED') throw new Error('another process listens there');
  unlinkSync(path);
}
