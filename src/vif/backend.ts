/**
 * The network backend as far as xenstore goes: finds vifs, tells frontends what we can do, hands connected ones to
 * the bridge as ports. The rings themselves are the native data path's.
 */
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { type Phase, XenbusBackend } from '../xenbus/index.js';
import type { XenstoreClient } from '../xenstore/index.js';
import { QUEUES_MAX } from './features.js';
import { type VifId, vifName } from './names.js';
import { VERDICT_KEY, Vif, type VifCounters, type VifHooks, type VifLifecycle } from './vif.js';
import { readVmName, xapiReader } from './xapi-keys.js';

export interface VifBackendOptions {
  readonly store: XenstoreClient;
  readonly hooks: VifHooks;
  /** Queues offered to each frontend, 1..{@link QUEUES_MAX}; by default all. */
  readonly queuesMax?: number;
  /** Directory below `backend/`; another than `vif` where a kernel backend claims that one. */
  readonly type?: string;
  /** The domain we are; by default 0. */
  readonly domid?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface VifStatus extends VifId {
  readonly name: string;
  readonly phase: Phase;
  readonly lifecycle: VifLifecycle;
}

export class VifBackend {
  readonly #bus: XenbusBackend;
  readonly #vifs = new Map<string, Vif>();
  readonly #counters: VifCounters = { attached: 0, detached: 0, failed: 0, faults: 0 };
  readonly #logger: Logger;

  constructor(options: VifBackendOptions) {
    const queuesMax = options.queuesMax ?? QUEUES_MAX;
    assert(queuesMax >= 1 && queuesMax <= QUEUES_MAX, `queuesMax is ${queuesMax}, must be 1..${QUEUES_MAX}`);
    this.#logger = options.logger ?? silentLogger;
    this.#bus = new XenbusBackend({
      store: options.store,
      type: options.type ?? 'vif',
      frontendType: 'vif',
      domid: options.domid ?? 0,
      mark: VERDICT_KEY,
      logger: this.#logger,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      driver: (address) => {
        const name = vifName({ domid: address.domid, handle: address.id });
        const vif: Vif = new Vif(address, {
          hooks: options.hooks,
          queuesMax,
          elsewhere: () => xapiReader(options.store, { domid: address.domid, handle: address.id }),
          vmName: () => readVmName(options.store, address.domid),
          counters: this.#counters,
          logger: this.#logger,
          removed: () => {
            if (this.#vifs.get(name) === vif) this.#vifs.delete(name);
          },
        });
        this.#vifs.set(name, vif);
        return vif;
      },
    });
  }

  /** Begins to serve vifs. Rejects with XenstoreError. */
  start(): Promise<void> {
    return this.#bus.start();
  }

  /** Detaches every vif; states in xenstore stay, for the next daemon to take the vifs over. */
  async stop(): Promise<void> {
    await this.#bus.stop();
    this.#vifs.clear();
  }

  get counters(): Readonly<VifCounters> {
    return this.#counters;
  }

  vifs(): VifStatus[] {
    return this.#bus.devices.map(({ address, phase }) => {
      const id = { domid: address.domid, handle: address.id };
      const name = vifName(id);
      return { ...id, name, phase, lifecycle: this.#vifs.get(name)!.lifecycle };
    });
  }

  vif(id: VifId): VifStatus | undefined {
    return this.vifs().find(({ domid, handle }) => domid === id.domid && handle === id.handle);
  }

  /**
   * The data path found the frontend to break the ring protocol: the port goes, the reason stands in the error node,
   * the vif goes to Closing. The frontend may connect again. Unknown vifs are ignored.
   */
  fault(domid: number, handle: number, reason: string): void {
    const device = this.#bus.device(domid, handle);
    if (device === undefined) return;
    this.#counters.faults++;
    device.fault(reason);
  }
}
