/**
 * One watch per frontend domain, on the directory of its devices of our type, shared by all of them. For domain 0,
 * which may set as many as it likes; a driver domain has shared-watch.ts.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { isXenstoreError, type XenstoreClient, type XenstoreWatch } from '../xenstore/index.js';

const RETRY_MS = 1000;

/** Who listens to the frontends' directories, for as long as a domain has devices. */
export interface FrontendWatches {
  /** Domains listened to. */
  readonly size: number;
  /** One more device of the domain. */
  acquire(domid: number): void;
  /** One fewer. */
  release(domid: number): Promise<void>;
}

interface DomainWatch {
  devices: number;
  /** Resolves with undefined when the watch was not to be had, or was no longer wanted. */
  watch: Promise<XenstoreWatch | undefined>;
}

export class DomainWatches implements FrontendWatches {
  readonly #store: XenstoreClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pathOf: (domid: number) => string;
  readonly #changed: (domid: number, path: string) => void;
  readonly #domains = new Map<number, DomainWatch>();

  /** `changed` gets the path of each event, the watched one or below. */
  constructor(options: {
    readonly store: XenstoreClient;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly pathOf: (domid: number) => string;
    readonly changed: (domid: number, path: string) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#pathOf = options.pathOf;
    this.#changed = options.changed;
  }

  get size(): number {
    return this.#domains.size;
  }

  acquire(domid: number): void {
    const domain = this.#domains.get(domid);
    if (domain !== undefined) {
      domain.devices++;
      return;
    }
    const added: DomainWatch = { devices: 1, watch: Promise.resolve(undefined) };
    this.#domains.set(domid, added);
    added.watch = this.#watch(domid, added);
  }

  async release(domid: number): Promise<void> {
    const domain = this.#domains.get(domid);
    if (domain === undefined || --domain.devices > 0) return;
    this.#domains.delete(domid);
    await this.#close(domid, await domain.watch);
  }

  async #watch(domid: number, domain: DomainWatch): Promise<XenstoreWatch | undefined> {
    try {
      return await this.#store.watch(this.#pathOf(domid), (path) => this.#changed(domid, path));
    } catch (error) {
      if (isXenstoreError(error, 'CLOSED')) return undefined;
      this.#logger.warn({ domid, err: error }, 'cannot watch the devices of a domain, trying again');
      this.#clock.after(RETRY_MS, () => {
        if (this.#domains.get(domid) === domain) domain.watch = this.#watch(domid, domain);
      });
      return undefined;
    }
  }

  async #close(domid: number, watch: XenstoreWatch | undefined): Promise<void> {
    try {
      await watch?.close();
    } catch (error) {
      if (!isXenstoreError(error, 'CLOSED')) this.#logger.warn({ domid, err: error }, 'cannot remove a watch');
    }
  }
}
