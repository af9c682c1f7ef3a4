/** Waits for controllers, or tools, to connect. */
import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../base/logger.js';
import { CONNECTIONS_MAX } from './limits.js';
import { formatTarget, type PassiveTarget } from './target.js';

export interface ListenerOptions {
  readonly target: PassiveTarget;
  /** Serves one connection; resolves when it is over. */
  readonly serve: (socket: Socket, peer: string) => Promise<void>;
  readonly logger: Logger;
}

/** Only the owner may use a unix socket. */
const SOCKET_MODE = 0o600;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #accepted = 0;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Rejects with a sentence when the address is taken or not ours. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const self = new Listener(options);
    const { target } = options;
    if (target.kind === 'punix') await removeStaleSocket(target.path);
    const listening = once(self.#server, 'listening');
    if (target.kind === 'punix') self.#server.listen(target.path);
    else self.#server.listen(target.port, target.host);
    try {
      await listening;
    } catch (cause) {
      throw new Error(`cannot listen on ${formatTarget(target)}: ${(cause as Error).message}`, { cause });
    }
    if (target.kind === 'punix') chmodSync(target.path, SOCKET_MODE);
    self.#server.on('error', (error) => options.logger.warn({ reason: error.message }, 'cannot accept a connection'));
    return self;
  }

  /** Where it listens, with the port that was picked for port 0. */
  get name(): string {
    const address = this.#server.address();
    const { target } = this.#options;
    if (target.kind === 'punix' || address === null || typeof address === 'string') return formatTarget(target);
    return formatTarget({ ...target, port: address.port });
  }

  /** Stops listening and cuts the connections made here. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const from =
      socket.remoteAddress === undefined ? `${++this.#accepted}` : `${socket.remoteAddress}:${socket.remotePort}`;
    void this.#options.serve(socket, `${this.name} from ${from}`);
  }
}

/** A socket file nobody answers on is left over from a daemon that died. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} is in the way: it is not a socket`);
  const alive = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
  if (alive) throw new Error(`another process listens on ${path}`);
  unlinkSync(path);
}
