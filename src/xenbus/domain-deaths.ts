/**
 * Tells of domains that died. Their directory may outlive them (a crashed domain kept for its dump), but as long as
 * we map a page of theirs they stay zombies, so we let go at once. Only domain 0 and domains permitted to may know.
 */
import type { Logger } from '../base/logger.js';
import { isXenstoreError, type XenstoreClient, type XenstoreWatch } from '../xenstore/index.js';

export class DomainDeaths {
  readonly #store: XenstoreClient;
  readonly #logger: Logger;
  readonly #died: (domid: number) => void;
  /** Domains asked about, and whether xenstored knew them when last asked. */
  readonly #alive = new Map<number, boolean>();
  #watch: XenstoreWatch | undefined;

  constructor(store: XenstoreClient, logger: Logger, died: (domid: number) => void) {
    this.#store = store;
    this.#logger = logger;
    this.#died = died;
  }

  async start(): Promise<void> {
    try {
      this.#watch = await this.#store.watch('@releaseDomain', () => this.#lookAtAll());
    } catch (error) {
      if (!isXenstoreError(error, 'EACCES', 'E2BIG', 'EINVAL')) throw error;
      this.#logger.info({ code: error.code }, 'not told of domains that die, relying on their directories');
    }
  }

  async stop(): Promise<void> {
    this.#alive.clear();
    await this.#watch?.close();
  }

  /** Reports the domain's death once, if it is alive now and dies before ignore(). */
  observe(domid: number): void {
    if (this.#alive.has(domid)) return;
    this.#alive.set(domid, false);
    void this.#look(domid);
  }

  ignore(domid: number): void {
    this.#alive.delete(domid);
  }

  async #lookAtAll(): Promise<void> {
    for (const domid of [...this.#alive.keys()]) await this.#look(domid);
  }

  async #look(domid: number): Promise<void> {
    try {
      const introduced = await this.#store.isDomainIntroduced(domid);
      const before = this.#alive.get(domid);
      if (before === undefined) return;
      this.#alive.set(domid, introduced);
      if (before && !introduced) this.#died(domid);
    } catch (error) {
      if (!isXenstoreError(error, 'CLOSED')) this.#logger.debug({ domid, err: error }, 'cannot ask about a domain');
    }
  }
}
