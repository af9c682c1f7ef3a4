/** A connection to xenstored: nodes, watches, transactions. Single-threaded; verbs may overlap freely. */
import { Backoff } from '../base/backoff.js';
import { sleep } from '../base/clock.js';
import { parseDecimal } from '../base/decimal.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { isXenstoreError, XenstoreError } from './error.js';
import { RequestPipe } from './requests.js';
import { SocketTransport } from './socket.js';
import { XenstoreNodes } from './store.js';
import type { XenstoreTransport } from './transport.js';
import { type WatchListener, WatchQueue } from './watch-queue.js';
import { joinStrings, MessageType, textOf } from './wire.js';

/** EAGAIN answers after which a transaction is given up. */
const TRANSACTION_ATTEMPTS_MAX = 32;
/** Attempts made at once; later ones wait a little, for oxenstored punishes who makes others' transactions fail. */
const TRANSACTION_ATTEMPTS_EAGER = 3;
const TRANSACTION_WAIT_FIRST_MS = 1;
const TRANSACTION_WAIT_MAX_MS = 50;
/** Transactions open at a time: well below a driver domain's quota of 10. */
const TRANSACTIONS_OPEN_MAX = 4;

/** Nodes as the transaction sees them. Verbs reject once the transaction has ended. */
export type XenstoreTransaction = XenstoreNodes;

export interface XenstoreWatch {
  readonly path: string;
  /** No event is delivered any more once this is called. May be called again. */
  close(): Promise<void>;
}

export class XenstoreClient extends XenstoreNodes {
  readonly #logger: Logger;
  readonly #watches: Map<string, WatchQueue>;
  readonly #closedCallbacks: ((reason: Error | undefined) => void)[];
  #nextToken = 1;
  #transactionsOpen = 0;
  readonly #transactionsWaiting: (() => void)[] = [];

  constructor(transport: XenstoreTransport, options: { readonly logger?: Logger } = {}) {
    const watches = new Map<string, WatchQueue>();
    const closedCallbacks: ((reason: Error | undefined) => void)[] = [];
    const pipe = new RequestPipe(transport, {
      watchEvent: (path, token) => watches.get(token)?.push(path),
      closed: (reason) => {
        for (const queue of watches.values()) queue.close();
        watches.clear();
        for (const callback of closedCallbacks) callback(reason);
      },
    });
    super(pipe, 0);
    this.#logger = options.logger ?? silentLogger;
    this.#watches = watches;
    this.#closedCallbacks = closedCallbacks;
  }

  /** Connects to xenstored's socket, by default where the environment says. Rejects with the system's error. */
  static async open(path?: string, options: { readonly logger?: Logger } = {}): Promise<XenstoreClient> {
    return new XenstoreClient(await SocketTransport.open(path), options);
  }

  get closed(): boolean {
    return this.pipe.closed;
  }

  /** Watches registered by this client; for leak checks. */
  get watchCount(): number {
    return this.#watches.size;
  }

  /** Calls back once when the connection ends, whoever ends it; `reason` is undefined for an orderly end. */
  onClosed(callback: (reason: Error | undefined) => void): void {
    this.#closedCallbacks.push(callback);
  }

  /**
   * Calls the listener for each change at `path` and below, and once soon after registration. Events are coalesced,
   * see watch-queue.ts. `@introduceDomain` and `@releaseDomain` are paths too.
   */
  async watch(path: string, listener: WatchListener): Promise<XenstoreWatch> {
    const token = `xvif-${this.#nextToken++}`;
    const queue = new WatchQueue(path, listener, this.#logger);
    // Before the request: the first event may come in the same packet as the reply.
    this.#watches.set(token, queue);
    try {
      await this.ask(MessageType.watch, path, joinStrings(path, token));
    } catch (error) {
      this.#watches.delete(token);
      throw error;
    }
    return { path, close: () => this.#unwatch(path, token) };
  }

  async getDomainPath(domid: number): Promise<string> {
    const payload = await this.ask(MessageType.getDomainPath, '', joinStrings(String(domid)));
    return textOf(payload).replace(/\0$/, '');
  }

  async isDomainIntroduced(domid: number): Promise<boolean> {
    return textOf(await this.ask(MessageType.isDomainIntroduced, '', joinStrings(String(domid)))) === 'T\0';
  }

  /** Tells xenstored of a new domain (domain 0 only). `gfn` is its ring page, `evtchn` the channel to wake it. */
  async introduceDomain(domid: number, gfn: number, evtchn: number): Promise<void> {
    await this.ask(MessageType.introduce, '', joinStrings(String(domid), String(gfn), String(evtchn)));
  }

  /** The domain is gone (domain 0 only). */
  async releaseDomain(domid: number): Promise<void> {
    await this.ask(MessageType.release, '', joinStrings(String(domid)));
  }

  /** Ends every watch of the connection, as a domain does before kexec. */
  async resetWatches(): Promise<void> {
    for (const queue of this.#watches.values()) queue.close();
    this.#watches.clear();
    await this.ask(MessageType.resetWatches, '', joinStrings(''));
  }

  /**
   * Runs `body` in a transaction and commits; when the store answers EAGAIN the whole is done again, so `body` must
   * have no other effects. Returns what `body` returned; when it throws, nothing is written. Rejects with code
   * `CONFLICT` after {@link TRANSACTION_ATTEMPTS_MAX} attempts. `body` must not open a transaction itself.
   */
  async transaction<Result>(body: (nodes: XenstoreTransaction) => Promise<Result>): Promise<Result> {
    await this.#transactionSlot();
    try {
      const backoff = new Backoff({ firstMs: TRANSACTION_WAIT_FIRST_MS, maxMs: TRANSACTION_WAIT_MAX_MS });
      for (let attempt = 1; attempt <= TRANSACTION_ATTEMPTS_MAX; attempt++) {
        const outcome = await this.#attempt(body);
        if (outcome !== 'again') return outcome.result;
        if (attempt >= TRANSACTION_ATTEMPTS_EAGER) await sleep(backoff.nextMs());
      }
      throw new XenstoreError('CONFLICT', 'TRANSACTION_END', '', `${TRANSACTION_ATTEMPTS_MAX} attempts`);
    } finally {
      this.#transactionsOpen--;
      this.#transactionsWaiting.shift()?.();
    }
  }

  /** Ends the connection; outstanding requests reject with `CLOSED`. May be called again. */
  close(): void {
    this.pipe.close();
  }

  async #attempt<Result>(
    body: (nodes: XenstoreTransaction) => Promise<Result>,
  ): Promise<{ readonly result: Result } | 'again'> {
    const id = await this.#startTransaction();
    const end = (verdict: 'T' | 'F') => this.pipe.request(MessageType.transactionEnd, id, '', joinStrings(verdict));
    let result: Result;
    try {
      result = await body(new XenstoreNodes(this.pipe, id));
    } catch (error) {
      await end('F').catch((endError: unknown) => {
        this.#logger.debug({ err: endError }, 'could not abandon a transaction');
      });
      throw error;
    }
    try {
      await end('T');
      return { result };
    } catch (error) {
      if (isXenstoreError(error, 'EAGAIN')) return 'again';
      throw error;
    }
  }

  async #startTransaction(): Promise<number> {
    const text = textOf(await this.ask(MessageType.transactionStart, '', joinStrings(''))).replace(/\0$/, '');
    const id = parseDecimal(text, 1, 0xffffffff);
    if (id === undefined) throw new XenstoreError('PROTOCOL', 'TRANSACTION_START', '', `transaction id ${text}`);
    return id;
  }

  async #transactionSlot(): Promise<void> {
    while (this.#transactionsOpen >= TRANSACTIONS_OPEN_MAX) {
      await new Promise<void>((resolve) => this.#transactionsWaiting.push(resolve));
    }
    this.#transactionsOpen++;
  }

  async #unwatch(path: string, token: string): Promise<void> {
    const queue = this.#watches.get(token);
    if (queue === undefined) return;
    queue.close();
    this.#watches.delete(token);
    await this.ask(MessageType.unwatch, path, joinStrings(path, token));
  }
}
