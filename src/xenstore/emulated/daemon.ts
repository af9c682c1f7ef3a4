/**
 * An xenstored inside the process: the tree, its permissions, quotas, watches and transactions, behind the wire
 * protocol only. Clients come over a unix socket (as domain 0: xenstore-ls and the like with XENSTORED_PATH) or over
 * an in-process transport as a domain of one's choice (the emulated guests).
 */
import { type Logger, RateLimitedLog, silentLogger } from '../../base/logger.js';
import { transportPair } from '../pair.js';
import type { XenstoreTransport } from '../transport.js';
import { joinStrings, type Message, MessageType, PAYLOAD_MAX } from '../wire.js';
import { type Caller, isPrivileged } from './access.js';
import { Connection } from './connection.js';
import { Domains } from './domains.js';
import { StoreFailure } from './failure.js';
import { type Context, handlers } from './handlers.js';
import { type DomainQuota, domainQuota, privilegedOutstandingMax, privilegedQueuedBytesMax } from './limits.js';
import { type Change, MemoryNodes, ownerOf } from './nodes.js';
import { removeTree } from './operations.js';
import { listenOnSocket, type SocketServer } from './server.js';

const INTRODUCE = '@introduceDomain';
const RELEASE = '@releaseDomain';
const DOMAIN_0_ONLY = [{ domid: 0, access: 'n' }] as const;

const unlimited: DomainQuota = {
  nodes: Number.POSITIVE_INFINITY,
  watches: Number.POSITIVE_INFINITY,
  transactions: Number.POSITIVE_INFINITY,
  transactionNodes: Number.POSITIVE_INFINITY,
  nodePermissions: Number.POSITIVE_INFINITY,
  nodeSize: Number.POSITIVE_INFINITY,
  pathLength: Number.POSITIVE_INFINITY,
  outstanding: privilegedOutstandingMax,
  queuedBytes: privilegedQueuedBytesMax,
};

export interface EmulatedXenstoreUsage {
  readonly connections: number;
  readonly watches: number;
  readonly transactions: number;
  readonly nodes: number;
}

export class EmulatedXenstore {
  readonly #logger: Logger;
  readonly #log: RateLimitedLog;
  readonly #quota: DomainQuota;
  readonly #connections = new Set<Connection>();
  readonly #nodes: MemoryNodes;
  readonly #domains: Domains;
  readonly #targets = new Map<number, number>();
  /** Set while a request runs whose events come after its reply. */
  #held: Change[] | undefined;
  #server: SocketServer | undefined;

  constructor(options: { readonly logger?: Logger; readonly quota?: Partial<DomainQuota> } = {}) {
    this.#logger = options.logger ?? silentLogger;
    this.#log = new RateLimitedLog(this.#logger);
    this.#quota = { ...domainQuota, ...options.quota };
    this.#nodes = new MemoryNodes((change) => this.#fire(change));
    for (const path of ['/', INTRODUCE, RELEASE]) {
      this.#nodes.put(path, { value: Buffer.alloc(0), permissions: DOMAIN_0_ONLY, children: [] });
    }
    this.#domains = new Domains({
      introduced: () => this.#fireSpecial(INTRODUCE),
      released: (domid) => this.#released(domid),
      retarget: (domid, target) => this.#retarget(domid, target),
      hold: (afterReply, action) => this.#hold(afterReply, action),
    });
  }

  /**
   * Serves a unix socket until close(); its clients are domain 0. Rejects when the path is in use by a living
   * daemon or cannot be bound.
   */
  async listen(path: string): Promise<void> {
    this.#server = await listenOnSocket(path, (transport) => this.#accept(transport, 0), this.#logger);
  }

  /** A connection as domain `domid`, which need not be introduced. Ends when that domain is released. */
  connect(domid: number): XenstoreTransport {
    const [client, server] = transportPair();
    this.#accept(server, domid);
    return client;
  }

  usage(): EmulatedXenstoreUsage {
    const connections = [...this.#connections];
    return {
      connections: connections.length,
      watches: connections.reduce((sum, { watchCount }) => sum + watchCount, 0),
      transactions: connections.reduce((sum, { transactionCount }) => sum + transactionCount, 0),
      nodes: this.#nodes.size,
    };
  }

  /** Ends every connection and removes the socket. May be called again. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const connection of this.#connections) connection.end(undefined);
    await server?.close();
  }

  #accept(transport: XenstoreTransport, domid: number): void {
    const connection = new Connection(transport, this.#callerOf(domid), {
      request: (from, message) => this.#request(from, message),
      ended: (from, reason) => {
        this.#connections.delete(from);
        if (reason !== undefined) {
          this.#log.warn({ domid: from.caller.domid, reason: reason.message }, 'xenstore connection dropped');
        }
      },
    });
    this.#connections.add(connection);
  }

  #callerOf(domid: number): Caller {
    return { domid, target: this.#targets.get(domid), quota: domid === 0 ? unlimited : this.#quota };
  }

  #request(connection: Connection, message: Message): void {
    const later: (() => void)[] = [];
    let type = message.type;
    let payload: Buffer;
    try {
      payload = this.#run(connection, message, (action) => later.push(action));
      if (payload.length > PAYLOAD_MAX) throw new StoreFailure('E2BIG');
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error;
      type = MessageType.error;
      payload = joinStrings(error.code);
    }
    connection.reply(message, type, payload);
    for (const action of later) action();
  }

  #run(connection: Connection, message: Message, afterReply: (action: () => void) => void): Buffer {
    const handler = handlers.get(message.type);
    if (handler === undefined) throw new StoreFailure('ENOSYS');
    if (handler.privileged && !isPrivileged(connection.caller)) throw new StoreFailure('EACCES');
    const inTransaction = message.transactionId !== 0 && !handler.noTransaction;
    const context: Context = {
      connection,
      message,
      nodes: this.#nodes,
      view: inTransaction ? connection.transaction(message.transactionId) : this.#nodes,
      domains: this.#domains,
      afterReply,
    };
    return handler.run(context);
  }

  #hold(afterReply: (action: () => void) => void, action: () => void): void {
    const held: Change[] = [];
    this.#held = held;
    try {
      action();
    } finally {
      this.#held = undefined;
    }
    afterReply(() => {
      for (const change of held) this.#fire(change);
    });
  }

  #fire(change: Change): void {
    if (this.#held !== undefined) {
      this.#held.push(change);
      return;
    }
    // A copy, for a connection may be dropped over its queue while it is told.
    for (const connection of [...this.#connections]) connection.notify(change);
  }

  #fireSpecial(path: string): void {
    this.#fire({ path, exact: true, readable: [this.#nodes.get(path)!.permissions] });
  }

  #released(domid: number): void {
    this.#targets.delete(domid);
    for (const connection of [...this.#connections]) {
      if (connection.caller.domid === domid) connection.end(undefined);
    }
    this.#removeNodesOf(domid);
    this.#fireSpecial(RELEASE);
  }

  /** What a dead domain owned goes; permissions it had elsewhere go too, for its id may be used again. */
  #removeNodesOf(domid: number): void {
    for (const path of [...this.#nodes.paths()]) {
      const node = this.#nodes.get(path);
      if (node === undefined) continue;
      if (ownerOf(node) === domid) {
        removeTree(this.#nodes, path);
      } else if (node.permissions.some((permission) => permission.domid === domid)) {
        this.#nodes.put(path, { ...node, permissions: node.permissions.filter((entry) => entry.domid !== domid) });
      }
    }
  }

  #retarget(domid: number, target: number): void {
    this.#targets.set(domid, target);
    for (const connection of this.#connections) {
      if (connection.caller.domid === domid) connection.caller = this.#callerOf(domid);
    }
  }
}
