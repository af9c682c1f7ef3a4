/** A Xen host inside the process: xenstored, a toolstack, and guests with their frontends. */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/error.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { EmulatedHypervisor, FrontendOptions } from '../datapath/native-addon.js';
import { type DomainQuota, EmulatedXenstore, XenstoreClient } from '../xenstore/index.js';
import { GuestFrontend } from './guest-frontend.js';
import type { Personality } from './personality.js';
import { Toolstack, type VifConfig } from './toolstack.js';

export interface GuestVifConfig extends VifConfig {
  readonly stack: FrontendOptions['stack'];
  readonly personality?: Partial<Personality>;
  /** Of what its driver waits for. */
  readonly clock?: Clock;
}

export interface EmulatedGuest {
  readonly domid: number;
  readonly name: string;
  readonly vifs: readonly GuestFrontend[];
}

interface RunningGuest extends EmulatedGuest {
  readonly vifs: GuestFrontend[];
  readonly store: XenstoreClient;
}

export class EmulatedHost {
  readonly xenstore: EmulatedXenstore;
  readonly toolstack: Toolstack;
  readonly #hypervisor: EmulatedHypervisor;
  readonly #store: XenstoreClient;
  readonly #logger: Logger;
  readonly #guests = new Map<number, RunningGuest>();

  /** `xenstoreQuota`: of every domain but 0; by default xenstored's. */
  constructor(options: {
    readonly hypervisor: EmulatedHypervisor;
    readonly xenstoreQuota?: Partial<DomainQuota>;
    readonly logger?: Logger;
  }) {
    this.#hypervisor = options.hypervisor;
    this.#logger = options.logger ?? silentLogger;
    this.xenstore = new EmulatedXenstore({ logger: this.#logger, quota: options.xenstoreQuota ?? {} });
    this.#store = this.openStore(0);
    this.toolstack = new Toolstack({ store: this.#store, hypervisor: this.#hypervisor, logger: this.#logger });
  }

  /** A connection to xenstored as a domain; 0 for the backend. The caller closes it. */
  openStore(domid: number): XenstoreClient {
    return new XenstoreClient(this.xenstore.connect(domid), { logger: this.#logger });
  }

  get guests(): readonly EmulatedGuest[] {
    return [...this.#guests.values()];
  }

  guest(name: string): EmulatedGuest | undefined {
    return this.guests.find((guest) => guest.name === name);
  }

  /** Creates a domain with vifs and loads their drivers. Does not wait for them to connect. */
  async addGuest(config: {
    readonly name: string;
    readonly domid?: number;
    readonly vifs: readonly GuestVifConfig[];
  }): Promise<EmulatedGuest> {
    if (this.guest(config.name) !== undefined) throw new Error(`there is a guest ${config.name} already`);
    const domid = await this.toolstack.createDomain(config);
    const guest: RunningGuest = { domid, name: config.name, vifs: [], store: this.openStore(domid) };
    this.#guests.set(domid, guest);
    try {
      for (const vif of config.vifs) await this.addVif(domid, vif);
    } catch (error) {
      await this.destroyGuest(domid);
      throw error;
    }
    return guest;
  }

  /** Plugs a vif into a running guest. */
  async addVif(domid: number, config: GuestVifConfig): Promise<GuestFrontend> {
    const guest = this.#guest(domid);
    const { handle } = await this.toolstack.attachVif(domid, config);
    const frontend = new GuestFrontend({
      store: guest.store,
      hypervisor: this.#hypervisor,
      domid,
      handle,
      stack: config.stack,
      logger: this.#logger,
      ...(config.personality === undefined ? {} : { personality: config.personality }),
      ...(config.clock === undefined ? {} : { clock: config.clock }),
    });
    guest.vifs.push(frontend);
    await frontend.start();
    return frontend;
  }

  /** Unplugs a vif from a running guest, orderly if the guest plays along. */
  async removeVif(domid: number, handle: number): Promise<void> {
    const guest = this.#guest(domid);
    await this.toolstack.detachVif(domid, handle);
    const index = guest.vifs.findIndex((vif) => vif.handle === handle);
    if (index < 0) return;
    const [frontend] = guest.vifs.splice(index, 1);
    await frontend!.abandon();
  }

  /** The domain dies. */
  async destroyGuest(domid: number): Promise<void> {
    const guest = this.#guest(domid);
    this.#guests.delete(domid);
    try {
      await this.toolstack.destroy(domid);
    } finally {
      // Whatever became of its nodes, nothing of the domain stays in this process.
      await Promise.allSettled(guest.vifs.map((vif) => vif.abandon()));
      guest.store.close();
    }
  }

  /** Destroys every guest and ends xenstored. Stop the backend before. May be called again. */
  async close(): Promise<void> {
    for (const [domid, guest] of [...this.#guests]) {
      this.#guests.delete(domid);
      // Nobody answers any more, so nothing is waited for.
      for (const vif of guest.vifs) {
        await vif.abandon().catch((error: unknown) => {
          this.#logger.warn({ domid, reason: messageOf(error) }, 'guest frontend did not close cleanly');
        });
      }
      this.#hypervisor.destroyDomain(domid);
      guest.store.close();
    }
    this.#store.close();
    await this.xenstore.close();
  }

  #guest(domid: number): RunningGuest {
    const guest = this.#guests.get(domid);
    if (guest === undefined) throw new Error(`there is no guest with domain id ${domid}`);
    return guest;
  }
}
