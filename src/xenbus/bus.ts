/**
 * Finds the devices of one type that the toolstack gives this domain to back, and keeps each awake. One prefix watch
 * covers every backend directory; one more per frontend domain (domain-watches.ts), or for a driver domain one for all
 * (shared-watch.ts), covers the frontends'.
 */
import { type Clock, systemClock } from '../base/clock.js';
import { parseDecimal } from '../base/decimal.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { DOMID_MAX, isXenstoreError, type XenstoreClient, type XenstoreWatch } from '../xenstore/index.js';
import { type DeviceContext, XenbusDevice } from './device.js';
import { DomainDeaths } from './domain-deaths.js';
import { DomainWatches, type FrontendWatches } from './domain-watches.js';
import type { DeviceAddress, DeviceDriver } from './driver.js';
import { SharedWatch } from './shared-watch.js';

const DEVICE_ID_MAX = 65535;
/** Devices served; the toolstack's further ones are left in state Initialising. */
export const DEVICES_MAX = 4096;

export interface XenbusOptions {
  readonly store: XenstoreClient;
  /** Directory below `backend/`: `vif`, or another one where a kernel backend claims `vif`. */
  readonly type: string;
  /** Directory below `device/` of the frontend's domain; by default as `type`. */
  readonly frontendType?: string;
  /** The domain we are; by default 0. */
  readonly domid?: number;
  /**
   * Key that `advertise` gives, and no other backend: a device found without it in a state that a backend wrote is
   * another's, and left to it. By default every device is ours.
   */
  readonly mark?: string;
  /** Called once per device found. */
  readonly driver: (address: DeviceAddress) => DeviceDriver;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export class XenbusBackend {
  readonly #options: XenbusOptions;
  readonly #store: XenstoreClient;
  readonly #logger: Logger;
  readonly #root: string;
  readonly #frontendType: string;
  readonly #devices = new Map<string, XenbusDevice>();
  readonly #ofDomain = new Map<number, Set<XenbusDevice>>();
  readonly #context: DeviceContext;
  readonly #domainWatches: FrontendWatches;
  readonly #domainDeaths: DomainDeaths;
  #watch: XenstoreWatch | undefined;
  #stopped = false;

  constructor(options: XenbusOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#logger = options.logger ?? silentLogger;
    this.#root = `/local/domain/${options.domid ?? 0}/backend/${options.type}`;
    this.#frontendType = options.frontendType ?? options.type;
    const clock = options.clock ?? systemClock;
    this.#context = {
      store: options.store,
      clock,
      logger: this.#logger,
      mark: options.mark,
      ended: (device, woken) => {
        this.#ended(device);
        if (woken) this.#wake(device.address.domid, String(device.address.id));
      },
    };
    const common = {
      store: options.store,
      clock,
      logger: this.#logger,
      changed: (domid: number, path: string) => this.#frontendChanged(domid, path),
    };
    this.#domainWatches =
      (options.domid ?? 0) === 0
        ? new DomainWatches({ ...common, pathOf: (domid) => this.#frontendRoot(domid) })
        : new SharedWatch({ ...common, frontendType: this.#frontendType });
    this.#domainDeaths = new DomainDeaths(options.store, this.#logger, (domid) => {
      for (const device of this.#ofDomain.get(domid) ?? []) device.domainDied();
    });
  }

  /** Begins to serve devices, those already there first. Rejects with XenstoreError. */
  async start(): Promise<void> {
    await this.#domainDeaths.start();
    this.#watch = await this.#store.watch(this.#root, (path) => this.#backendChanged(path));
    await this.#scan();
  }

  get devices(): readonly XenbusDevice[] {
    return [...this.#devices.values()];
  }

  device(domid: number, id: number): XenbusDevice | undefined {
    return this.#devices.get(`${domid}/${id}`);
  }

  /** Frontend domains watched; for leak checks. */
  get watchedDomains(): number {
    return this.#domainWatches.size;
  }

  /**
   * Disconnects every device and forgets it. States in xenstore are left, so that a backend started later takes the
   * connected ones over. May be called again, and when the store's connection is gone.
   */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await Promise.all(this.devices.map((device) => device.stop()));
    try {
      await this.#watch?.close();
      await this.#domainDeaths.stop();
    } catch (error) {
      if (!isXenstoreError(error, 'CLOSED')) throw error;
    }
  }

  #frontendRoot(domid: number): string {
    return `/local/domain/${domid}/device/${this.#frontendType}`;
  }

  async #backendChanged(path: string): Promise<void> {
    const [domidText, idText] = path.slice(this.#root.length + 1).split('/');
    const domid = parseDecimal(domidText ?? '', 0, DOMID_MAX);
    if (domid === undefined) await this.#scan();
    else if (idText === undefined) await this.#scanDomain(domid);
    else this.#wake(domid, idText);
  }

  #frontendChanged(domid: number, path: string): void {
    const idText = path.slice(this.#frontendRoot(domid).length + 1).split('/')[0];
    if (idText) this.#devices.get(`${domid}/${idText}`)?.wake();
    else for (const device of this.#ofDomain.get(domid) ?? []) device.wake();
  }

  async #scan(): Promise<void> {
    for (const text of await this.#store.directoryOrEmpty(this.#root)) {
      const domid = parseDecimal(text, 0, DOMID_MAX);
      if (domid !== undefined) await this.#scanDomain(domid);
    }
    for (const device of this.devices) device.wake();
  }

  async #scanDomain(domid: number): Promise<void> {
    for (const idText of await this.#store.directoryOrEmpty(`${this.#root}/${domid}`)) this.#wake(domid, idText);
    for (const device of this.#ofDomain.get(domid) ?? []) device.wake();
  }

  #wake(domid: number, idText: string): void {
    const id = parseDecimal(idText, 0, DEVICE_ID_MAX);
    if (id === undefined || this.#stopped) return;
    const device = this.#devices.get(`${domid}/${id}`) ?? this.#add(domid, id);
    device?.wake();
  }

  #add(domid: number, id: number): XenbusDevice | undefined {
    if (this.#devices.size >= DEVICES_MAX) {
      this.#logger.error({ domid, id, max: DEVICES_MAX }, 'too many devices, one is not served');
      return undefined;
    }
    const address: DeviceAddress = {
      type: this.#options.type,
      domid,
      id,
      backendPath: `${this.#root}/${domid}/${id}`,
      frontendPath: `${this.#frontendRoot(domid)}/${id}`,
    };
    const device = new XenbusDevice(address, this.#options.driver(address), this.#context);
    this.#devices.set(`${domid}/${id}`, device);
    const siblings = this.#ofDomain.get(domid) ?? new Set();
    this.#ofDomain.set(domid, siblings.add(device));
    this.#domainWatches.acquire(domid);
    this.#domainDeaths.observe(domid);
    return device;
  }

  #ended(device: XenbusDevice): void {
    const { domid, id } = device.address;
    this.#devices.delete(`${domid}/${id}`);
    void this.#domainWatches.release(domid);
    const siblings = this.#ofDomain.get(domid);
    siblings?.delete(device);
    if (siblings?.size !== 0) return;
    this.#ofDomain.delete(domid);
    this.#domainDeaths.ignore(domid);
  }
}
