/**
 * One watch for the frontends of every domain, for a backend that is not domain 0: such a domain may set 100
 * (oxenstored) or 128 watches in all, so one per frontend domain would end there. xenstored tells an unprivileged
 * domain of those nodes only that it may read, which under /local/domain are its own and the frontends it backs;
 * domain 0 may read everything and would hear of every node of every guest, hence domain-watches.ts.
 */
import type { Clock } from '../base/clock.js';
import { parseDecimal } from '../base/decimal.js';
import type { Logger } from '../base/logger.js';
import { DOMID_MAX, isXenstoreError, type XenstoreClient, type XenstoreWatch } from '../xenstore/index.js';
import type { FrontendWatches } from './domain-watches.js';

const DOMAINS = '/local/domain';
const RETRY_MS = 1000;
/** At most so often every device is looked at because events were folded: one guest can bring that about. */
const LOOK_AT_ALL_MS = 500;

export class SharedWatch implements FrontendWatches {
  readonly #store: XenstoreClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #frontendType: string;
  readonly #changed: (domid: number, path: string) => void;
  /** Devices by domain. */
  readonly #domains = new Map<number, number>();
  #watch: Promise<XenstoreWatch | undefined> | undefined;
  #lookAtAll: 'free' | 'resting' | 'wanted' = 'free';

  /** `changed` gets the paths at and below /local/domain/<domid>/device/<frontendType> of domains acquired. */
  constructor(options: {
    readonly store: XenstoreClient;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly frontendType: string;
    readonly changed: (domid: number, path: string) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#frontendType = options.frontendType;
    this.#changed = options.changed;
  }

  get size(): number {
    return this.#domains.size;
  }

  acquire(domid: number): void {
    this.#domains.set(domid, (this.#domains.get(domid) ?? 0) + 1);
    this.#watch ??= this.#set();
  }

  async release(domid: number): Promise<void> {
    const devices = this.#domains.get(domid);
    if (devices === undefined) return;
    if (devices > 1) {
      this.#domains.set(domid, devices - 1);
      return;
    }
    this.#domains.delete(domid);
    if (this.#domains.size > 0) return;
    const watch = this.#watch;
    this.#watch = undefined;
    try {
      await (await watch)?.close();
    } catch (error) {
      if (!isXenstoreError(error, 'CLOSED')) this.#logger.warn({ err: error }, 'cannot remove a watch');
    }
  }

  async #set(): Promise<XenstoreWatch | undefined> {
    try {
      return await this.#store.watch(DOMAINS, (path) => this.#event(path));
    } catch (error) {
      if (isXenstoreError(error, 'CLOSED')) return undefined;
      this.#logger.warn({ err: error }, 'cannot watch the domains, trying again');
      this.#clock.after(RETRY_MS, () => {
        if (this.#domains.size > 0) this.#watch = this.#set();
      });
      return undefined;
    }
  }

  #event(path: string): void {
    const [domidText, ...rest] = path.slice(DOMAINS.length + 1).split('/');
    if (!domidText) {
      this.#everythingChanged();
      return;
    }
    const domid = parseDecimal(domidText, 0, DOMID_MAX);
    if (domid === undefined || !this.#domains.has(domid)) return;
    const [directory, type] = rest;
    const concernsUs =
      directory === undefined || (directory === 'device' && (type === undefined || type === this.#frontendType));
    if (concernsUs) this.#changed(domid, type === undefined ? this.#rootOf(domid) : path);
  }

  #everythingChanged(): void {
    if (this.#lookAtAll !== 'free') {
      this.#lookAtAll = 'wanted';
      return;
    }
    this.#lookAtAll = 'resting';
    this.#clock.after(LOOK_AT_ALL_MS, () => {
      const again = this.#lookAtAll === 'wanted';
      this.#lookAtAll = 'free';
      if (again) this.#everythingChanged();
    });
    for (const domid of this.#domains.keys()) this.#changed(domid, this.#rootOf(domid));
  }

  #rootOf(domid: number): string {
    return `${DOMAINS}/${domid}/device/${this.#frontendType}`;
  }
}
