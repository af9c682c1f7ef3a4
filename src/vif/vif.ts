/** One vif: the driver that xenbus calls, between the keys in xenstore and the bridge's port. */
import { messageOf } from '../base/error.js';
import type { Logger } from '../base/logger.js';
import type { PortSettings, VifSpec } from '../datapath/datapath.js';
import { type DeviceAddress, type DeviceDriver, DeviceError, type KeyReader } from '../xenbus/index.js';
import { type EmulatedHooks, EmulatedInterface } from './emulated.js';
import { advertisedFeatures, NO_CSUM_KEY } from './features.js';
import { readFrontend } from './frontend-keys.js';
import { readVifInfo, type VifInfo } from './info.js';
import { lockingSettings, readLocking } from './locking.js';
import { vifName } from './names.js';
import { type FrontendWishes, noWishes, readWishes, vifSettings } from './settings.js';

/**
 * Key in the backend's directory for the hotplug script, which can read xenstore and little else: `port NAME`, or
 * `refused SENTENCE`. That it is there tells the script, and `xvif doctor`, that the state was written by xvifd.
 */
export const VERDICT_KEY = 'xvif';

/** The bridge's side. Without the hooks of {@link EmulatedHooks} nobody is served an emulated interface. */
export interface VifHooks extends Partial<EmulatedHooks> {
  /** Why `attach` would refuse a vif of these keys, in a sentence; undefined when it would not. */
  refusal?(info: VifInfo): string | undefined;
  /** `settings` with what the operator wants instead; asked before the frontend connects. */
  effective?(info: VifInfo, settings: PortSettings): PortSettings;
  /** Make the vif a port. A rejection closes the vif; its message goes to the guest's error node. */
  attach(info: VifInfo, spec: VifSpec, settings: PortSettings): void | Promise<void>;
  /** Settings of an attached vif changed. Must not reject. */
  configure(info: VifInfo, settings: PortSettings): void | Promise<void>;
  /** When it is done the data path touches no ring of the vif any more. */
  detach(info: VifInfo): void | Promise<void>;
  /** The vif was closed over an error. `info` is undefined when it did not get far enough to have any. */
  failed(info: VifInfo | undefined, error: Error): void;
  /** The vif, of this name of its own, was unplugged. */
  removed?(name: string): void;
}

export type VifLifecycle =
  | { readonly state: 'idle'; readonly lastError: string | undefined }
  | { readonly state: 'attached'; readonly info: VifInfo; readonly spec: VifSpec; readonly settings: PortSettings };

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
  readonly #elsewhere: () => (key: string) => Promise<string | undefined>;
  readonly #vmName: () => Promise<string | undefined>;
  readonly #counters: VifCounters;
  readonly #logger: Logger;
  readonly #removed: () => void;
  readonly #emulated: EmulatedInterface | undefined;
  #lifecycle: VifLifecycle = { state: 'idle', lastError: undefined };
  #info: VifInfo | undefined;
  /** As {@link DeviceDriver.connect} said. */
  #takenOver = false;
  /** Already logged. */
  #complaints = '';

  constructor(
    address: DeviceAddress,
    options: {
      readonly hooks: VifHooks;
      readonly queuesMax: number;
      /** For one look at the vif each; see {@link readVifInfo}. */
      readonly elsewhere: () => (key: string) => Promise<string | undefined>;
      readonly vmName: () => Promise<string | undefined>;
      readonly counters: VifCounters;
      readonly logger: Logger;
      readonly removed: () => void;
    },
  ) {
    this.address = address;
    this.#hooks = options.hooks;
    this.#queuesMax = options.queuesMax;
    this.#elsewhere = options.elsewhere;
    this.#vmName = options.vmName;
    this.#counters = options.counters;
    this.#logger = options.logger;
    this.#removed = options.removed;
    this.#emulated = hasEmulated(this.#hooks) ? new EmulatedInterface(this.#hooks) : undefined;
  }

  get lifecycle(): VifLifecycle {
    return this.#lifecycle;
  }

  async advertise(backend: KeyReader): Promise<Readonly<Record<string, string>>> {
    const info = await this.#possible(backend);
    const refusal = info instanceof DeviceError ? info.message : this.#hooks.refusal?.(info);
    const verdict =
      info instanceof DeviceError || refusal !== undefined ? `refused ${refusal}` : `port ${info.portName}`;
    const complete = !(info instanceof DeviceError) && this.#wantsCompleteChecksums(info);
    const before = await backend.read(NO_CSUM_KEY);
    return {
      ...advertisedFeatures(this.#queuesMax, complete),
      // No backend writes 0 but to take back a 1.
      ...(complete || before === undefined ? {} : { [NO_CSUM_KEY]: '0' }),
      [VERDICT_KEY]: verdict,
    };
  }

  async connect(frontend: KeyReader, backend: KeyReader, takenOver: boolean): Promise<void> {
    this.#takenOver = takenOver;
    const info = await readVifInfo(this.address, backend, this.#elsewhere(), this.#vmName);
    this.#info = info;
    this.#complain(info);
    const spec = await readFrontend(frontend, info, this.#queuesMax);
    const settings = vifSettings(info, await this.#wishes(frontend));
    await this.#hooks.attach(info, spec, settings);
    this.#lifecycle = { state: 'attached', info, spec, settings };
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

  /**
   * What may change while traffic flows. While a key of the toolstack makes the vif impossible, its settings stay but
   * for port security, which is in force whatever else is wrong.
   */
  async refresh(frontend: KeyReader, backend: KeyReader): Promise<boolean> {
    if (this.#lifecycle.state !== 'attached') return false;
    const { info, spec, settings: before } = this.#lifecycle;
    const now = await this.#possible(backend);
    if (now instanceof DeviceError) this.#complain({ name: info.name, complaints: [now.message] });
    else this.#complain(now);
    const settings =
      now instanceof DeviceError
        ? await this.#lockedAnew(info, before, backend)
        : vifSettings(now, await this.#wishes(frontend));
    if (JSON.stringify(settings) === JSON.stringify(before)) return false;
    this.#lifecycle = { state: 'attached', info, spec, settings };
    await this.#hooks.configure(info, settings);
    return true;
  }

  async disconnect(): Promise<void> {
    if (this.#lifecycle.state !== 'attached') return;
    const { info } = this.#lifecycle;
    this.#lifecycle = { state: 'idle', lastError: undefined };
    this.#counters.detached++;
    await this.#hooks.detach(info);
  }

  async accompany(backend: KeyReader): Promise<Readonly<Record<string, string | undefined>>> {
    return (await this.#emulated?.look(backend, () => this.#possible(backend))) ?? {};
  }

  leave(): void {
    this.#emulated?.release();
  }

  failed(error: Error): void {
    this.#counters.failed++;
    this.#lifecycle = { state: 'idle', lastError: messageOf(error) };
    this.#hooks.failed(this.#info, error);
  }

  removed(): void {
    this.#hooks.removed?.(vifName({ domid: this.address.domid, handle: this.address.id }));
    this.#removed();
  }

  /** The multicast that a guest asked for went with the daemon that was asked: it gets all, as before it asked. */
  async #wishes(frontend: KeyReader): Promise<FrontendWishes> {
    const wishes = await readWishes(frontend);
    return this.#takenOver ? { ...wishes, multicastControl: false } : wishes;
  }

  async #lockedAnew(info: VifInfo, before: PortSettings, backend: KeyReader): Promise<PortSettings> {
    const { locking } = await readLocking([{ read: this.#elsewhere() }, backend]);
    const { sources: _sources, disabled: _disabled, ...rest } = before;
    return { ...rest, ...lockingSettings(locking, info.mac) };
  }

  /** Each set of complaints once. */
  #complain({ name, complaints }: Pick<VifInfo, 'name' | 'complaints'>): void {
    const text = complaints.join('; ');
    if (text !== '' && text !== this.#complaints) this.#logger.warn({ vif: name, complaints: text }, 'keys of a vif');
    this.#complaints = text;
  }

  async #possible(backend: KeyReader): Promise<VifInfo | DeviceError> {
    try {
      return await readVifInfo(this.address, backend, this.#elsewhere());
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      return error;
    }
  }

  #wantsCompleteChecksums(info: VifInfo): boolean {
    const settings = vifSettings(info, noWishes);
    return (this.#hooks.effective?.(info, settings) ?? settings).completeChecksums === true;
  }
}

function hasEmulated(hooks: VifHooks): hooks is VifHooks & EmulatedHooks {
  return hooks.attachEmulated !== undefined;
}
