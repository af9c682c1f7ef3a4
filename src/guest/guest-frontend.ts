/**
 * A netfront in an emulated domain: its xenbus side is here, its rings and its stack are the native frontend's. It
 * sees xenstore as its domain does, with that domain's rights, and follows the backend's state as Linux' netfront;
 * close() and reopen() are the three steps every driver goes through when it is unloaded and loaded again.
 */
import { parseDecimal } from '../base/decimal.js';
import { messageOf } from '../base/error.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { EmulatedHypervisor, FrontendOptions, NativeFrontend } from '../datapath/native-addon.js';
import { parseState, XenbusState } from '../xenbus/index.js';
import { isXenstoreError, type XenstoreClient, type XenstoreWatch } from '../xenstore/index.js';
import { frontendKeys, type Negotiated, negotiate } from './frontend-keys.js';
import { linuxPersonality, type Personality } from './personality.js';
import { type GuestPhase, PhaseGate } from './phase.js';

const MTU_DEFAULT = 1500;
const MTU_MAX = 65521;
const STEP_TIMEOUT_MS = 10_000;

export interface GuestFrontendOptions {
  /** A connection as the guest's domain; the caller closes it. */
  readonly store: XenstoreClient;
  readonly hypervisor: Pick<EmulatedHypervisor, 'createFrontend'>;
  readonly domid: number;
  readonly handle: number;
  readonly stack: FrontendOptions['stack'];
  readonly personality?: Partial<Personality>;
  readonly logger?: Logger;
}

export class GuestFrontend {
  readonly domid: number;
  readonly handle: number;
  readonly #store: XenstoreClient;
  readonly #hypervisor: Pick<EmulatedHypervisor, 'createFrontend'>;
  readonly #stack: FrontendOptions['stack'];
  readonly #personality: Personality;
  readonly #logger: Logger;
  readonly #path: string;
  readonly #gate: PhaseGate;
  #backendPath = '';
  #watch: XenstoreWatch | undefined;
  #wanted: 'up' | 'down' = 'up';
  #native: NativeFrontend | undefined;
  #agreed: Negotiated | undefined;
  #woken = false;
  #running: Promise<void> | undefined;

  constructor(options: GuestFrontendOptions) {
    this.domid = options.domid;
    this.handle = options.handle;
    this.#store = options.store;
    this.#hypervisor = options.hypervisor;
    this.#stack = options.stack;
    this.#personality = { ...linuxPersonality, ...options.personality };
    this.#logger = options.logger ?? silentLogger;
    this.#gate = new PhaseGate(`vif ${options.handle} of domain ${options.domid}`);
    this.#path = `/local/domain/${options.domid}/device/vif/${options.handle}`;
  }

  get phase(): GuestPhase {
    return this.#gate.phase;
  }

  /** Rings and stack; undefined until the backend was in InitWait for the first time, and once gone. */
  get native(): NativeFrontend | undefined {
    return this.#native;
  }

  /** Loads the driver. Rejects when the domain has no such vif. */
  async start(): Promise<void> {
    this.#backendPath = await this.#store.read(`${this.#path}/backend`);
    this.#gate.enter('waiting');
    this.#watch = await this.#store.watch(`${this.#backendPath}/state`, () => this.#wake());
  }

  /** Rejects with the driver's error, or a sentence when it takes longer. */
  async waitConnected(timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
    await this.#gate.until(['connected'], timeoutMs);
  }

  /** Unloads the driver: Closing, and Closed once the backend closes too. Resolves when the backend is Closed. */
  async close(timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
    this.#wanted = 'down';
    this.#wake();
    await this.#gate.until(['closed', 'gone'], timeoutMs);
  }

  /** Loads the driver again after close(), or after the backend closed the vif. Resolves when connected. */
  async reopen(timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
    this.#gate.forgive();
    this.#wanted = 'up';
    this.#wake();
    await this.waitConnected(timeoutMs);
  }

  /** A kernel that crashed and was started anew by kexec: Initialising without a word of farewell. */
  async restartAbruptly(timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
    await this.#running;
    this.#native?.disconnect();
    await this.#writeState(XenbusState.initialising);
    this.#gate.enter('waiting');
    this.#wake();
    await this.waitConnected(timeoutMs);
  }

  /** Lets go of everything without touching xenstore: the domain is dead. May be called again. */
  async abandon(): Promise<void> {
    this.#gate.enter('gone');
    await this.#running;
    const watch = this.#watch;
    this.#watch = undefined;
    try {
      await watch?.close();
    } catch (error) {
      if (!isXenstoreError(error, 'CLOSED')) throw error;
    }
    this.#releaseNative();
  }

  #wake(): void {
    this.#woken = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#woken) this.#wake();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#woken && this.phase !== 'gone') {
        this.#woken = false;
        await this.#react();
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#woken = false;
  }

  async #react(): Promise<void> {
    const backend = await this.#backendState();
    if (backend === undefined) {
      this.#releaseNative();
      this.#gate.enter('gone');
      return;
    }
    const next = this.#wanted === 'up' ? this.#stepUp(backend) : this.#stepDown(backend);
    if (next === undefined) return;
    await next();
    // The next step may be possible at once.
    this.#woken = true;
  }

  /** Undefined when the backend's directory is gone; what stands above it is none of the guest's business. */
  async #backendState(): Promise<XenbusState | undefined> {
    try {
      const text = await this.#store.readOrUndefined(`${this.#backendPath}/state`);
      return text === undefined ? undefined : (parseState(text) ?? XenbusState.unknown);
    } catch (error) {
      if (isXenstoreError(error, 'EACCES')) return undefined;
      throw error;
    }
  }

  #stepUp(backend: XenbusState): (() => Promise<void>) | undefined {
    const closing = backend === XenbusState.closing || backend === XenbusState.closed;
    switch (this.phase) {
      case 'waiting':
        return backend === XenbusState.initWait ? () => this.#announce() : undefined;
      case 'announced':
        if (backend === XenbusState.connected) return () => this.#connected();
        return closing ? () => this.#dismissed() : undefined;
      case 'connected':
        return closing ? () => this.#dismissed() : undefined;
      case 'leaving':
      case 'left':
        return this.#stepDown(backend);
      case 'closed':
        return () => this.#initialise();
      default:
        return undefined;
    }
  }

  #stepDown(backend: XenbusState): (() => Promise<void>) | undefined {
    switch (this.phase) {
      case 'waiting':
      case 'announced':
      case 'connected':
        return () => this.#move(XenbusState.closing, 'leaving');
      case 'leaving':
        if (backend < XenbusState.closing) return undefined;
        return () => this.#move(XenbusState.closed, 'left');
      case 'left':
        return backend === XenbusState.closed ? async () => this.#gate.enter('closed') : undefined;
      default:
        return undefined;
    }
  }

  /** The backend holds no grant of ours in InitWait, so old rings can be ended and fresh ones made. */
  async #announce(): Promise<void> {
    const agreed = await negotiate(this.#store, this.#backendPath, this.#personality);
    if (this.#native !== undefined && JSON.stringify(agreed) === JSON.stringify(this.#agreed)) this.#native.reopen();
    else await this.#createNative(agreed);
    const keys = frontendKeys(this.#native!, agreed, this.#personality);
    await this.#store.transaction(async (nodes) => {
      for (const [key, value] of Object.entries(keys)) await nodes.write(`${this.#path}/${key}`, value);
      await nodes.write(`${this.#path}/state`, String(XenbusState.connected));
    });
    this.#gate.enter('announced');
  }

  async #createNative(agreed: Negotiated): Promise<void> {
    this.#releaseNative();
    const mtuText = await this.#store.readOrUndefined(`${this.#path}/mtu`);
    const { ipv6CsumOffload: _, ...options } = agreed;
    this.#native = this.#hypervisor.createFrontend(this.domid, {
      ...options,
      mac: await this.#store.read(`${this.#path}/mac`),
      mtu: parseDecimal(mtuText ?? '', 1, MTU_MAX) ?? MTU_DEFAULT,
      stack: this.#stack,
    });
    this.#agreed = agreed;
  }

  async #connected(): Promise<void> {
    this.#native!.connect();
    this.#gate.enter('connected');
  }

  /** The backend closes: by unplug, or because it gave up on us. */
  async #dismissed(): Promise<void> {
    this.#wanted = 'down';
    await this.#move(XenbusState.closed, 'left');
  }

  async #initialise(): Promise<void> {
    await this.#writeState(XenbusState.initialising);
    this.#gate.enter('waiting');
  }

  async #move(state: XenbusState, phase: GuestPhase): Promise<void> {
    if (this.phase === 'connected' || this.phase === 'announced') this.#native?.disconnect();
    await this.#writeState(state);
    this.#gate.enter(phase);
  }

  async #writeState(state: XenbusState): Promise<void> {
    await this.#store.write(`${this.#path}/state`, String(state));
  }

  #releaseNative(): void {
    this.#native?.close();
    this.#native = undefined;
    this.#agreed = undefined;
  }

  #failed(error: unknown): void {
    // Between the removal of a vif and the last event of it, its nodes are not there or not ours any more.
    if (isXenstoreError(error, 'CLOSED', 'EACCES', 'ENOENT') || this.phase === 'gone') return;
    this.#logger.warn({ domid: this.domid, handle: this.handle, err: error }, 'guest frontend failed');
    this.#gate.fail(error instanceof Error ? error : new Error(messageOf(error)));
  }
}
