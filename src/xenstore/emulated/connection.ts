/**
 * One client of the emulated xenstored: its watches, its transactions, and the queue of what it has yet to take.
 * Replies and events leave in the order they were made. An event that waits already is not queued twice (XSA-326),
 * a client that does not take its replies is not read from, one that lets too much pile up is dropped.
 */

import type { XenstoreTransport } from '../transport.js';
import type { Message } from '../wire.js';
import { encodeMessage, joinStrings, MessageFramer, MessageType, XenstoreProtocolError } from '../wire.js';
import { type Caller, may } from './access.js';
import { StoreFailure } from './failure.js';
import { transportQueueMax } from './limits.js';
import type { Change, MemoryNodes } from './nodes.js';
import { TransactionNodes } from './nodes.js';
import { isWithin } from './paths.js';

interface Watch {
  /** Absolute name, or a special one. */
  readonly path: string;
  readonly token: string;
  /** Characters to leave out in front: the watch was set with a path relative to the domain's home. */
  readonly prefixLength: number;
}

interface Queued {
  readonly bytes: Buffer;
  /** Set for watch events: path and token. */
  readonly event: string | undefined;
}

export interface ConnectionOwner {
  request(connection: Connection, message: Message): void;
  /** Called once. `reason` is set when the client broke the protocol or a limit. */
  ended(connection: Connection, reason: Error | undefined): void;
}

export class Connection {
  readonly #transport: XenstoreTransport;
  readonly #owner: ConnectionOwner;
  readonly #framer = new MessageFramer();
  readonly #watches: Watch[] = [];
  readonly #transactions = new Map<number, TransactionNodes>();
  readonly #queuedEvents = new Set<string>();
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #queuedReplies = 0;
  #paused = false;
  #ended = false;
  #nextTransaction = 1;
  caller: Caller;

  constructor(transport: XenstoreTransport, caller: Caller, owner: ConnectionOwner) {
    this.#transport = transport;
    this.caller = caller;
    this.#owner = owner;
    transport.start({
      data: (chunk) => this.#data(chunk),
      drained: () => this.#flush(),
      closed: (reason) => this.end(reason),
    });
  }

  get watchCount(): number {
    return this.#watches.length;
  }

  get transactionCount(): number {
    return this.#transactions.size;
  }

  reply(to: Message, type: number, payload: Buffer): void {
    const { requestId, transactionId } = to;
    this.#enqueue({ bytes: encodeMessage({ type, requestId, transactionId, payload }), event: undefined });
  }

  addWatch(path: string, token: string, prefixLength: number): void {
    if (this.#watches.some((watch) => watch.path === path && watch.token === token)) throw new StoreFailure('EEXIST');
    if (this.#watches.length >= this.caller.quota.watches) throw new StoreFailure('E2BIG');
    this.#watches.push({ path, token, prefixLength });
  }

  removeWatch(path: string, token: string): void {
    const index = this.#watches.findIndex((watch) => watch.path === path && watch.token === token);
    if (index < 0) throw new StoreFailure('ENOENT');
    this.#watches.splice(index, 1);
  }

  removeWatches(): void {
    this.#watches.length = 0;
  }

  /** The event every new watch starts with. */
  sendEvent(path: string, token: string): void {
    const event = `${path}\0${token}`;
    if (this.#queuedEvents.has(event)) return;
    const payload = joinStrings(path, token);
    this.#enqueue({
      bytes: encodeMessage({ type: MessageType.watchEvent, requestId: 0, transactionId: 0, payload }),
      event,
    });
  }

  /** Sends the event to each watch it concerns, if the client may know of it. */
  notify(change: Change): void {
    if (this.#watches.length === 0) return;
    if (!change.readable.some((permissions) => may(this.caller, permissions, 'read'))) return;
    for (const { path, token, prefixLength } of this.#watches) {
      if (change.exact ? change.path === path : isWithin(change.path, path)) {
        this.sendEvent(change.path.slice(prefixLength), token);
      }
    }
  }

  startTransaction(nodes: MemoryNodes): number {
    if (this.#transactions.size >= this.caller.quota.transactions) throw new StoreFailure('ENOSPC');
    while (this.#transactions.has(this.#nextTransaction)) this.#advanceTransaction();
    const id = this.#nextTransaction;
    this.#advanceTransaction();
    this.#transactions.set(id, new TransactionNodes(nodes, this.caller.quota.transactionNodes));
    return id;
  }

  transaction(id: number): TransactionNodes {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) throw new StoreFailure('ENOENT');
    return transaction;
  }

  endTransaction(id: number): void {
    this.#transactions.delete(id);
  }

  end(reason: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue = [];
    this.#queuedEvents.clear();
    this.#watches.length = 0;
    this.#transactions.clear();
    this.#transport.close();
    this.#owner.ended(this, reason);
  }

  #data(chunk: Uint8Array): void {
    try {
      for (const message of this.#framer.push(chunk)) {
        if (this.#ended) return;
        this.#owner.request(this, message);
      }
    } catch (error) {
      if (!(error instanceof XenstoreProtocolError)) throw error;
      this.end(error);
    }
  }

  #enqueue(item: Queued): void {
    if (this.#ended) return;
    this.#queue.push(item);
    this.#queuedBytes += item.bytes.length;
    if (item.event === undefined) this.#queuedReplies++;
    else this.#queuedEvents.add(item.event);
    this.#flush();
    if (this.#queuedBytes > this.caller.quota.queuedBytes) {
      this.end(new XenstoreProtocolError(`${this.#queuedBytes} bytes waiting for a client that does not read`));
    }
  }

  #flush(): void {
    let sent = 0;
    while (sent < this.#queue.length && this.#transport.queuedBytes < transportQueueMax) {
      const { bytes, event } = this.#queue[sent++]!;
      this.#queuedBytes -= bytes.length;
      if (event === undefined) this.#queuedReplies--;
      else this.#queuedEvents.delete(event);
      this.#transport.send(bytes);
    }
    if (sent > 0) this.#queue.splice(0, sent);
    const full = this.#queuedReplies >= this.caller.quota.outstanding;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#transport.pause();
    else this.#transport.resume();
  }

  #advanceTransaction(): void {
    this.#nextTransaction = this.#nextTransaction >= 0x7fffffff ? 1 : this.#nextTransaction + 1;
  }
}
