/**
 * A netfront in an emulated domain: its xenbus side is here, its rings and its stack are the native frontend's. It
 * sees xenstore as its domain does, with that domain's rights, and follows the backend's state as its personality's
 * driver does, asserts and endless waits included (conduct.ts); close() and reopen() are the three steps every driver goes through when it is unloaded and loaded again.
 */
import { type Clock, systemClock, type Timer } from '../base/clock.js';
import { parseDecimal } from '../base/decimal.js';
import { messageOf } from '../base/error.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { EmulatedHypervisor, FrontendOptions, NativeFrontend } from '../datapath/native-addon.js';
import { parseState, XenbusState } from '../xenbus/index.js';
import { isXenstoreError, type XenstoreClient, type XenstoreWatch } from '../xenstore/index.js';
import { assertOn, driveFrom } from './conduct.js';
import { multicastGroups, scaleReceiving } from './enable.js';
import { frontendKeys, type Negotiated, negotiate } from './frontend-keys.js';
import { linuxPersonality, type Personality } from './personality.js';
import { type GuestPhase, PhaseGate } from './phase.js';
import { waitForNode } from './wait.js';

const MTU_DEFAULT = 1500;
const MTU_MAX = 65521;
const STEP_TIMEOUT_MS = 10_000;
/** What was written to get into a phase, and is written again by who repeats a step. */
const stateOf: Partial<Record<GuestPhase, XenbusState>> = {
  announced: XenbusState.connected,
  leaving: XenbusState.closing,
  left: XenbusState.closed,
};

export interface GuestFrontendOptions {
  /** A connection as the guest's domain; the caller closes it. */
  readonly store: XenstoreClient;
  readonly hypervisor: Pick<EmulatedHypervisor, 'createFrontend'>;
  readonly domid: number;
  readonly handle: number;
  readonly stack: FrontendOptions['stack'];
  readonly personality?: Partial<Personality>;
  readonly logger?: Logger;
  /** Of what the driver waits for; the time limits of the calls are the system's. */
  readonly clock?: Clock;
}

export class GuestFrontend {
  readonly domid: number;
  readonly handle: number;
  readonly #store: XenstoreClient;
  readonly #hypervisor: Pick<EmulatedHypervisor, 'createFrontend'>;
  readonly #stack: FrontendOptions['stack'];
  readonly #personality: Personality;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #gate: PhaseGate;
  #backendPath = '';
  readonly #watches: XenstoreWatch[] = [];
  #wanted: 'up' | 'down' = 'up';
  #native: NativeFrontend | undefined;
  #agreed: Negotiated | undefined;
  #woken = false;
  #running: Promise<void> | undefined;
  #panic: string | undefined;
  /** Backend state that was answered already by who drives it. */
  #driven: XenbusState | undefined;
  /** The step under way took too long for a driver that repeats it. */
  #overdue = false;
  #gaveUp = false;
  #listens = false;
  #stepTimer: Timer | undefined;
  readonly #complaints: string[] = [];

  constructor(options: GuestFrontendOptions) {
    this.domid = options.domid;
    this.handle = options.handle;
    this.#store = options.store;
    this.#hypervisor = options.hypervisor;
    this.#stack = options.stack;
    this.#personality = { ...linuxPersonality, ...options.personality };
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
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

  /** What the guest's kernel did not survive: the backend's fault. Undefined: it lives. */
  get panicked(): string | undefined {
    return this.#panic ?? this.#native?.panicked;
  }

  /** What the guest's kernel complained of in its log: steps that took too long. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** Loads the driver. Rejects when the domain has no such vif. */
  async start(): Promise<void> {
    this.#backendPath = await this.#store.read(`${this.#path}/backend`);
    this.#enter('waiting');
    const nodes = this.#personality.conduct.watchesOnline ? ['state', 'online'] : ['state'];
    for (const node of nodes) {
      this.#watches.push(await this.#store.watch(`${this.#backendPath}/${node}`, () => this.#wake()));
    }
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
    this.#gaveUp = false;
    this.#wanted = 'up';
    this.#wake();
    await this.waitConnected(timeoutMs);
  }

  /**
   * A kernel that crashed and was started anew by kexec: as the driver does it then, or, where it has no way for that,
   * Initialising without a word of farewell.
   */
  async restartAbruptly(timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
    await this.#running;
    this.#native?.disconnect();
    const { resetsBeforeProbe, drivesBackend } = this.#personality.conduct;
    this.#wanted = 'up';
    this.#driven = undefined;
    if (resetsBeforeProbe) {
      await this.#writeState(XenbusState.closing);
      this.#enter('leaving');
    } else {
      if (!drivesBackend) await this.#writeState(XenbusState.initialising);
      this.#enter('waiting');
    }
    this.#wake();
    await this.waitConnected(timeoutMs);
  }

  /**
   * What Linux' netfront does when an XDP program is loaded (256) or removed (0): Reconfiguring, then the key, then
   * Connected again once the backend is Reconfigured.
   */
  async setXdpHeadroom(bytes: number, timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
    await this.#writeState(XenbusState.reconfiguring);
    await this.#store.write(`${this.#path}/xdp-headroom`, String(bytes));
    const reconfigured = String(XenbusState.reconfigured);
    await waitForNode(this.#store, `${this.#backendPath}/state`, (state) => state === reconfigured, timeoutMs);
    await this.#writeState(XenbusState.connected);
  }

  /** Asks for only the multicast that native.sendMulticastControl() added, or for all. */
  async requestMulticastControl(on: boolean): Promise<void> {
    await this.#store.write(`${this.#path}/request-multicast-control`, on ? '1' : '0');
  }

  /** Lets go of everything without touching xenstore: the domain is dead. May be called again. */
  async abandon(): Promise<void> {
    this.#enter('gone');
    this.#native?.close(); // ends what waits for an answer
    await this.#running;
    for (const watch of this.#watches.splice(0)) {
      try {
        await watch.close();
      } catch (error) {
        if (!isXenstoreError(error, 'CLOSED')) throw error;
      }
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
      this.#enter('gone');
      return;
    }
    if (this.#isDead() || this.#gaveUp) return;
    const why = assertOn(this.#personality.conduct, backend, this.phase);
    if (why !== undefined) {
      this.#panic = why;
      this.#native?.disconnect();
      this.#gate.fail(new Error(`the guest's kernel panicked: ${why}`));
      return;
    }
    if (this.#personality.conduct.watchesOnline && !(await this.#isOnline())) {
      if (this.phase === 'waiting' && backend === XenbusState.closed) return this.#giveUp();
      this.#wanted = 'down';
    }
    if (this.#overdue) await this.#repeatStep();
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

  async #isOnline(): Promise<boolean> {
    return (await this.#store.readOrUndefined(`${this.#backendPath}/online`)) === '1';
  }

  /** The driver is not started. reopen() tries again. */
  #giveUp(): void {
    this.#gaveUp = true;
    this.#gate.fail(new Error('the driver gave up: the backend is Closed and offline'));
  }

  async #repeatStep(): Promise<void> {
    this.#overdue = false;
    this.#driven = undefined;
    const state = stateOf[this.phase];
    if (state !== undefined) await this.#writeState(state);
    this.#time(this.phase);
  }

  #stepUp(backend: XenbusState): (() => Promise<void>) | undefined {
    const closing = backend === XenbusState.closing || backend === XenbusState.closed;
    const { announcesEarly, drivesBackend, deafWhenConnected } = this.#personality.conduct;
    switch (this.phase) {
      case 'waiting':
        if (backend === XenbusState.initWait || announcesEarly) return () => this.#announce();
        return drivesBackend ? this.#drive(backend) : undefined;
      case 'announced':
        if (backend === XenbusState.connected) return () => this.#connected();
        return closing ? () => this.#dismissed() : undefined;
      case 'connected':
        return closing && !deafWhenConnected ? () => this.#dismissed() : undefined;
      case 'leaving':
      case 'left':
      case 'resetting':
        return this.#stepDown(backend);
      case 'closed':
        return () => this.#initialise();
      default:
        return undefined;
    }
  }

  #stepDown(backend: XenbusState): (() => Promise<void>) | undefined {
    const isUp = backend === XenbusState.initWait || backend === XenbusState.connected;
    const { drivesBackend } = this.#personality.conduct;
    switch (this.phase) {
      case 'waiting':
      case 'announced':
      case 'connected':
        // Who drives answers the state that there is.
        if (drivesBackend && backend === XenbusState.closing) return () => this.#dismissed();
        return () => this.#move(XenbusState.closing, 'leaving');
      case 'leaving':
        if (backend < XenbusState.closing) return undefined;
        return () => this.#move(XenbusState.closed, 'left');
      case 'left':
        if (backend !== XenbusState.closed) return undefined;
        if (this.#personality.conduct.closesWithInitialising) {
          return () => this.#move(XenbusState.initialising, 'resetting');
        }
        return async () => this.#enter('closed');
      case 'resetting':
        return isUp || backend === XenbusState.closing ? async () => this.#enter('closed') : undefined;
      default:
        return undefined;
    }
  }

  /** Leads the backend to InitWait, one answer to each state of it. */
  #drive(backend: XenbusState): (() => Promise<void>) | undefined {
    const state = driveFrom(backend);
    if (state === undefined || this.#driven === backend) return undefined;
    return async () => {
      this.#driven = backend;
      await this.#writeState(state);
    };
  }

  #isDead(): boolean {
    return this.panicked !== undefined;
  }

  #enter(phase: GuestPhase): void {
    this.#gate.enter(phase);
    this.#time(phase);
  }

  /** Steps of the handshake are timed by drivers that care. */
  #time(phase: GuestPhase): void {
    this.#stepTimer?.cancel();
    this.#stepTimer = undefined;
    this.#overdue = false;
    const { stepMs, timed, repeatsStep } = this.#personality.conduct;
    if (stepMs === undefined || !timed.includes(phase)) return;
    this.#stepTimer = this.#clock.after(stepMs, () => {
      this.#complaints.push(`still ${phase} after ${stepMs} ms`);
      this.#overdue = repeatsStep;
      if (repeatsStep) this.#wake();
    });
  }

  /** The backend holds no grant of ours in InitWait, so old rings can be ended and fresh ones made. */
  async #announce(): Promise<void> {
    const agreed = await negotiate(this.#store, this.#backendPath, this.#personality);
    if (this.#native !== undefined && JSON.stringify(agreed) === JSON.stringify(this.#agreed)) this.#native.reopen();
    else await this.#createNative(agreed);
    const keys = frontendKeys(this.#native!, agreed, this.#personality);
    await this.#store.transaction(async (nodes) => {
      for (const [key, value] of Object.entries(keys)) {
        if (value === undefined) await nodes.rm(`${this.#path}/${key}`);
        else await nodes.write(`${this.#path}/${key}`, value);
      }
      await nodes.write(`${this.#path}/state`, String(XenbusState.connected));
    });
    this.#enter('announced');
  }

  async #createNative(agreed: Negotiated): Promise<void> {
    this.#releaseNative();
    const mtuText = await this.#store.readOrUndefined(`${this.#path}/mtu`);
    const { ipv6CsumOffload: _, dynamicMulticast: __, ...options } = agreed;
    this.#native = this.#hypervisor.createFrontend(this.domid, {
      ...options,
      rules: this.#personality.rules,
      mac: await this.#store.read(`${this.#path}/mac`),
      mtu: parseDecimal(mtuText ?? '', 1, MTU_MAX) ?? MTU_DEFAULT,
      stack: this.#stack,
    });
    this.#agreed = agreed;
  }

  async #connected(): Promise<void> {
    this.#native!.connect();
    if (this.#personality.scalesReceiving && this.#agreed!.controlRing) {
      await scaleReceiving(this.#native!, this.#clock);
    }
    if (this.#agreed!.dynamicMulticast) await this.#listen();
    this.#enter('connected');
  }

  /** Asks for the multicast that the stack listens to, and for no other. */
  async #listen(): Promise<void> {
    const groups = multicastGroups(this.#stack);
    if (groups === undefined) return;
    for (const address of groups) this.#native!.sendMulticastControl({ action: 'add', address });
    await this.requestMulticastControl(true);
    this.#listens = true;
  }

  #listenNoMore(): void {
    if (!this.#listens) return;
    this.#listens = false;
    for (const address of multicastGroups(this.#stack) ?? []) {
      this.#native?.sendMulticastControl({ action: 'delete', address });
    }
  }

  /** The backend closes: by unplug, or because it gave up on us. */
  async #dismissed(): Promise<void> {
    this.#wanted = 'down';
    await this.#move(XenbusState.closed, 'left');
  }

  async #initialise(): Promise<void> {
    await this.#writeState(XenbusState.initialising);
    this.#driven = undefined;
    this.#enter('waiting');
  }

  async #move(state: XenbusState, phase: GuestPhase): Promise<void> {
    if (this.phase === 'connected') this.#listenNoMore();
    if (this.phase === 'connected' || this.phase === 'announced') this.#native?.disconnect();
    await this.#writeState(state);
    this.#enter(phase);
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
