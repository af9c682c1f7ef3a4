/**
 * One device: looks at xenstore, decides (decide.ts), acts, and looks again until there is nothing to do. However
 * often it is woken meanwhile, one reaction runs at a time and one more look follows; nothing queues up.
 */
import { Backoff } from '../base/backoff.js';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/error.js';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import { isXenstoreError, type XenstoreClient, XenstoreError } from '../xenstore/index.js';
import { BackendNode } from './backend-node.js';
import { Damper } from './damper.js';
import { decide, isRunning, type Phase, type Seen, type Step, stateOf } from './decide.js';
import type { DeviceAddress, DeviceDriver } from './driver.js';
import { XenbusState } from './state.js';

/** How long an unplugged frontend may take to close: less than libxl's LIBXL_DESTROY_TIMEOUT of 10 s. */
const CLOSE_TIMEOUT_MS = 8000;
/** The driver is connected. */
const holding: readonly Phase[] = ['attached', 'connected', 'reconfigured'];
/** Linux' netfront writes Reconfiguring first and the key it is about next; so long may pass between the two. */
const KEY_AFTER_STATE_MS = 50;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5000;

export interface DeviceContext {
  readonly store: XenstoreClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly mark: string | undefined;
  /**
   * The device is gone from xenstore, or the bus stopped; called once. With `woken` something happened while it was
   * ending, perhaps its directory being made anew.
   */
  ended(device: XenbusDevice, woken: boolean): void;
}

export class XenbusDevice {
  readonly address: DeviceAddress;
  readonly #context: DeviceContext;
  readonly #driver: DeviceDriver;
  readonly #node: BackendNode;
  readonly #log: RateLimitedLog;
  readonly #damper: Damper;
  readonly #retry = new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS });
  #phase: Phase = 'new';
  #everConnected = false;
  #domainDied = false;
  #fault: string | undefined;
  /** Reconfiguring was seen before what it is about. */
  #keyAwaited = false;
  /** Another backend's, and that was logged. */
  #isLeft = false;
  #closeTimer: Timer | undefined;
  #closeExpired = false;
  #retryTimer: Timer | undefined;
  #woken = false;
  #running: Promise<void> | undefined;
  #ended = false;

  constructor(address: DeviceAddress, driver: DeviceDriver, context: DeviceContext) {
    this.address = address;
    this.#driver = driver;
    this.#context = context;
    this.#node = new BackendNode(context.store, address, context.mark);
    this.#log = new RateLimitedLog(context.logger, { clock: context.clock });
    this.#damper = new Damper(context.clock);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Resolves when no reaction is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Something may have changed in xenstore. */
  wake(): void {
    this.#woken = true;
    if (this.#running !== undefined || this.#ended) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#woken) this.wake();
    });
  }

  /** The frontend's domain died, whatever its directory says. */
  domainDied(): void {
    this.#domainDied = true;
    this.wake();
  }

  /** The data path gave up on the frontend: disconnect and go to Closing; the frontend may come back by itself. */
  fault(reason: string): void {
    this.#fault = reason;
    this.wake();
  }

  /** Disconnects without a word in xenstore, so that a daemon started later takes the device over. */
  async stop(): Promise<void> {
    this.#end();
    await this.idle();
    await this.#disconnect('new');
    this.#driver.leave?.();
  }

  async #run(): Promise<void> {
    try {
      while (this.#woken && !this.#ended) {
        this.#woken = false;
        await this.#react();
      }
      this.#retry.reset();
    } catch (error) {
      this.#storeFailed(error);
    }
  }

  async #react(): Promise<void> {
    const delayMs = this.#damper.delayMs();
    if (delayMs > 0) {
      this.#wakeAfter(delayMs);
      return;
    }
    if (this.#fault !== undefined) await this.#reactToFault(this.#fault);
    const seen = await this.#node.observe();
    const step = decide(
      { phase: this.#phase, everConnected: this.#everConnected, closeExpired: this.#closeExpired },
      this.#domainDied ? { ...seen, frontend: 'gone' } : seen,
    );
    if (this.#phase === 'closing' && !seen.online) this.#startCloseTimer();
    if (step.kind !== 'reconfigure') this.#keyAwaited = false;
    if (this.#ended) return;
    if (step.kind !== 'rest') await this.#carryOut(step, seen);
    if (step.kind !== 'leave' && step.kind !== 'forget' && !this.#ended) await this.#accompany();
  }

  async #accompany(): Promise<void> {
    const keys = await this.#driver.accompany?.(this.#node.backendKeys);
    if (keys !== undefined) await this.#node.writeKeys(keys);
  }

  async #carryOut(step: Exclude<Step, { kind: 'rest' }>, seen: Seen): Promise<void> {
    switch (step.kind) {
      case 'leave':
        this.#leave(seen);
        return;
      case 'forget':
        await this.#forget();
        return;
      case 'restart':
        await this.#disconnect('new');
        this.#enter('new');
        this.#everConnected = false;
        break;
      case 'assume':
        this.#enter(step.phase);
        break;
      case 'advertise': {
        await this.#disconnect('new');
        const keys = await this.#driver.advertise(this.#node.backendKeys);
        if (await this.#node.writeState(XenbusState.initWait, keys)) this.#enter('waiting');
        break;
      }
      case 'connect':
        await this.#connect(seen);
        break;
      case 'publish':
        if (await this.#node.writeState(XenbusState.connected)) this.#enter('connected');
        break;
      case 'check':
        if (!(await this.#driver.changed(this.#node.frontendKeys))) {
          await this.#driver.refresh(this.#node.frontendKeys, this.#node.backendKeys);
          return;
        }
        await this.#disconnect('waiting');
        await this.#connect(seen);
        break;
      case 'reconfigure':
        if (!(await this.#driver.refresh(this.#node.frontendKeys, this.#node.backendKeys)) && !this.#keyAwaited) {
          this.#keyAwaited = true;
          this.#wakeAfter(KEY_AFTER_STATE_MS);
          return;
        }
        if (await this.#node.writeState(XenbusState.reconfigured)) this.#enter('reconfigured');
        break;
      case 'close':
        await this.#close(step.state, step.complaint, seen);
        break;
      case 'repair':
        if (this.#phase !== 'new') await this.#node.writeState(stateOf[this.#phase]);
        break;
      case 'removeHotplugStatus':
        await this.#node.removeHotplugStatus();
        break;
    }
    this.#woken = true;
  }

  async #connect(seen: Seen): Promise<void> {
    const takenOver = isRunning(seen.backend) && !this.#everConnected;
    try {
      await this.#driver.connect(this.#node.frontendKeys, this.#node.backendKeys, takenOver);
    } catch (error) {
      // Xenstored's trouble, not the frontend's, is tried again.
      if (error instanceof XenstoreError && error.code !== 'EACCES') throw error;
      await this.#fail(error instanceof Error ? error : new Error(messageOf(error)));
      return;
    }
    this.#everConnected = true;
    // Connected stands there already when rings were taken over or exchanged.
    this.#enter(isRunning(seen.backend) ? 'connected' : 'attached');
    await this.#node.removeError();
  }

  async #close(state: 5 | 6, complaint: string | undefined, seen: Seen): Promise<void> {
    if (complaint !== undefined) {
      await this.#fail(new Error(complaint));
      return;
    }
    await this.#disconnect(this.#phase);
    // The first state that we write carries our mark, whichever it is.
    const keys = seen.ours ? {} : await this.#driver.advertise(this.#node.backendKeys);
    if (await this.#writeEnd(state, keys)) this.#enter(state === XenbusState.closed ? 'closed' : 'closing');
  }

  /** Both ends wait for it: when there is no room for the keys it comes without. */
  async #writeEnd(state: 5 | 6, keys: Readonly<Record<string, string>>): Promise<boolean> {
    try {
      return await this.#node.writeState(state, keys);
    } catch (error) {
      if (!isXenstoreError(error, 'ENOSPC')) throw error;
      return await this.#node.writeState(state);
    }
  }

  async #reactToFault(reason: string): Promise<void> {
    this.#fault = undefined;
    if (this.#holds) await this.#fail(new Error(reason));
  }

  async #fail(error: Error): Promise<void> {
    this.#log.warn({ ...logAddress(this.address), reason: error.message }, 'device closed after an error');
    await this.#disconnect('waiting');
    this.#driver.failed(error);
    await this.#node.writeError(error.message);
    if (await this.#node.writeState(XenbusState.closing)) this.#enter('closing');
    this.#woken = true;
  }

  /** One line of log; the toolstack making the device anew is what changes it. */
  #leave({ backend }: Seen): void {
    if (!this.#isLeft) {
      this.#context.logger.warn({ ...logAddress(this.address), state: backend }, 'device is served by another backend');
    }
    this.#isLeft = true;
  }

  async #forget(): Promise<void> {
    const known = this.#phase !== 'new';
    await this.#disconnect('new');
    // Found gone at the first look: nothing is waited for, as the watch that came with the device would wake it
    // meanwhile, and it would be made anew without end.
    if (known || this.#node.hasError) await this.#node.removeError();
    this.#driver.leave?.();
    this.#driver.removed();
    this.#end();
  }

  /** The driver lets go if it holds anything; the phase tells that nothing is held before anything else may fail. */
  async #disconnect(next: Phase): Promise<void> {
    if (!this.#holds) return;
    this.#enter(holding.includes(next) ? 'waiting' : next);
    try {
      await this.#driver.disconnect();
    } catch (error) {
      this.#context.logger.error({ ...logAddress(this.address), err: error }, 'device did not disconnect cleanly');
    }
  }

  /** Whether the driver is connected. */
  get #holds(): boolean {
    return holding.includes(this.#phase);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    if (phase === 'closing') return;
    this.#closeTimer?.cancel();
    this.#closeTimer = undefined;
    this.#closeExpired = false;
  }

  #startCloseTimer(): void {
    this.#closeTimer ??= this.#context.clock.after(CLOSE_TIMEOUT_MS, () => {
      this.#closeExpired = true;
      this.wake();
    });
  }

  #wakeAfter(delayMs: number): void {
    this.#retryTimer?.cancel();
    this.#retryTimer = this.#context.clock.after(delayMs, () => this.wake());
  }

  #storeFailed(error: unknown): void {
    if (isXenstoreError(error, 'CLOSED') || this.#ended) return;
    const delayMs = this.#retry.nextMs();
    this.#log.warn({ ...logAddress(this.address), err: error, delayMs }, 'device reaction failed, trying again');
    this.#wakeAfter(delayMs);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closeTimer?.cancel();
    this.#retryTimer?.cancel();
    this.#context.ended(this, this.#woken);
  }
}

function logAddress({ type, domid, id }: DeviceAddress): { type: string; domid: number; id: number } {
  return { type, domid, id };
}
