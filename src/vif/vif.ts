/** One vif: the driver that xenbus calls, between the keys in xenstore and the bridge's port. */
import { messageOf } from '../base/error.js';
import type { VifSpec } from '../datapath/datapath.js';
import { type DeviceAddress, type DeviceDriver, DeviceError, type KeyReader } from '../xenbus/index.js';
import { advertisedFeatures } from './features.js';
import { readFrontend } from './frontend-keys.js';
import { readVifInfo, type VifInfo } from './info.js';

/** The bridge's side. */
export interface VifHooks {
  /** Make the vif a port. A rejection closes the vif; its message goes to the guest's error node. */
  attach(info: VifInfo, spec: VifSpec): void | Promise<void>;
  /** When it is done the data path touches no ring of the vif any more. */
  detach(info: VifInfo): void | Promise<void>;
  /** The vif was closed over an error. `info` is undefined when it did not get far enough to have any. */
  failed(info: VifInfo | undefined, error: Error): void;
}

export type VifLifecycle =
  | { readonly state: 'idle'; readonly lastError: string | undefined }
  | { readonly state: 'attached'; readonly info: VifInfo; readonly spec: VifSpec };

export interface VifCounters {
  attached: number;
  detached: number;
  failed: number;
  faults: number;
}

export class Vif implements DeviceDriver {
  readonly address: DeviceAddress;
  readonly #hooks: VifHooks;
  readonly #queuesMax: number;
  readonly #counters: VifCounters;
  readonly #removed: () => void;
  #lifecycle: VifLifecycle = { state: 'idle', lastError: undefined };
  #info: VifInfo | undefined;

  constructor(
    address: DeviceAddress,
    options: {
      readonly hooks: VifHooks;
      readonly queuesMax: number;
      readonly counters: VifCounters;
      readonly removed: () => void;
    },
  ) {
    this.address = address;
    this.#hooks = options.hooks;
    this.#queuesMax = options.queuesMax;
    this.#counters = options.counters;
    this.#removed = options.removed;
  }

  get lifecycle(): VifLifecycle {
    return this.#lifecycle;
  }

  async advertise(): Promise<Readonly<Record<string, string>>> {
    return advertisedFeatures(this.#queuesMax);
  }

  async connect(frontend: KeyReader, backend: KeyReader): Promise<void> {
    const info = await readVifInfo(this.address, backend);
    this.#info = info;
    const spec = await readFrontend(frontend, info, this.#queuesMax);
    await this.#hooks.attach(info, spec);
    this.#lifecycle = { state: 'attached', info, spec };
    this.#counters.attached++;
  }

  /** Only the rings count: features are sampled when the frontend connects. */
  async changed(frontend: KeyReader): Promise<boolean> {
    if (this.#lifecycle.state !== 'attached') return false;
    const { info, spec } = this.#lifecycle;
    try {
      const { queues, control } = await readFrontend(frontend, info, this.#queuesMax);
      return JSON.stringify([queues, control]) !== JSON.stringify([spec.queues, spec.control]);
    } catch (error) {
      if (error instanceof DeviceError) return false;
      throw error;
    }
  }

  async disconnect(): Promise<void> {
    if (this.#lifecycle.state !== 'attached') return;
    const { info } = this.#lifecycle;
    this.#lifecycle = { state: 'idle', lastError: undefined };
    this.#counters.detached++;
    await this.#hooks.detach(info);
  }

  failed(error: Error): void {
    this.#counters.failed++;
    this.#lifecycle = { state: 'idle', lastError: messageOf(error) };
    this.#hooks.failed(this.#info, error);
  }

  removed(): void {
    this.#removed();
  }
}
