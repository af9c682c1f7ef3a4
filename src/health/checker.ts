/** Checks of one instance, one every interval, for ever. */
import type { Clock, Timer } from '../base/clock.js';
import type { ProgramCheck } from '../compiler/index.js';
import { AtAddress } from './address.js';
import { Latencies, type Latency } from './latencies.js';
import type { Conversation, Verdict } from './probe.js';
import { type Checks, type Standing, type State, Tally } from './tally.js';
import { Through } from './through.js';

/** A timer that comes so much too late says that the daemon was held up; so often in a row it says nothing of instances. */
const LATE_MS = 250;
const HELD_UP_MAX = 3;

export interface Checker {
  readonly state: State;
  /** Of the last check that failed; empty: none did. */
  readonly reason: string;
  /** Since the instance is known. */
  readonly checks: Checks;
  /** Of probes: through it, or to its address and back. */
  readonly latency: Latency | undefined;
  start(afterMs: number): void;
  /** What came from the instance. */
  take(frame: Uint8Array): void;
  stop(): void;
}

export interface CheckerWorld {
  readonly clock: Clock;
  /** Why a frame was not sent; undefined: it was. */
  readonly send: (check: ProgramCheck, frame: Uint8Array) => string | undefined;
  /** The state is another one now. */
  readonly changed: (check: ProgramCheck) => void;
}

export class Prober implements Checker {
  readonly #check: ProgramCheck;
  readonly #world: CheckerWorld;
  readonly #conversation: Conversation;
  readonly #tally: Tally;
  readonly #latencies = new Latencies();
  /** When the last frame of the check was sent. */
  #askedMs = 0;
  /** Checks in a row that the daemon was too busy for. */
  #heldUp = 0;
  #next: Timer | undefined;
  /** Undefined: no check is under way. */
  #timeout: Timer | undefined;

  /** `before`: what is known of the instance already. */
  constructor(check: ProgramCheck, world: CheckerWorld, before?: Standing) {
    this.#check = check;
    this.#world = world;
    this.#conversation = check.address === undefined ? new Through(check) : new AtAddress(check);
    this.#tally = new Tally(check.health, before);
  }

  get state(): State {
    return this.#tally.state;
  }
  get reason(): string {
    return this.#tally.reason;
  }
  get checks(): Checks {
    return this.#tally.checks;
  }
  get latency(): Latency | undefined {
    return this.#latencies.latency;
  }

  start(afterMs: number): void {
    this.#next = this.#world.clock.after(afterMs, () => this.#begin());
  }

  take(frame: Uint8Array): void {
    const next = this.#conversation.take(frame);
    if (next === undefined) return;
    // What tells it who we are, or ends a connection, is sent whether or not a check is under way.
    const refused = this.#send(next.send);
    if (this.#timeout === undefined) return;
    if (refused !== undefined) this.#end({ works: false, reason: refused });
    else if (next.verdict !== undefined) {
      this.#latencies.add(this.#world.clock.nowMs() - this.#askedMs);
      this.#end(next.verdict);
    } else if (next.asks) this.#askedMs = this.#world.clock.nowMs();
  }

  stop(): void {
    this.#next?.cancel();
    this.#timeout?.cancel();
    this.#timeout = undefined;
  }

  #begin(): void {
    const { clock } = this.#world;
    const { intervalMs, timeoutMs } = this.#check.health;
    // The interval is not shorter than the timeout, but the two may end at once.
    if (this.#timeout !== undefined) {
      this.#next = clock.after(0, () => this.#begin());
      return;
    }
    this.#next = clock.after(intervalMs, () => this.#begin());
    const begunMs = clock.nowMs();
    this.#askedMs = begunMs;
    this.#timeout = clock.after(timeoutMs, () => {
      const late = clock.nowMs() - begunMs - timeoutMs;
      // An answer that came while the daemon was busy is heard first.
      this.#timeout = clock.after(0, () =>
        late > LATE_MS && this.#heldUp++ < HELD_UP_MAX ? this.#again() : this.#missed(),
      );
    });
    const refused = this.#send(this.#conversation.begin());
    if (refused !== undefined) this.#end({ works: false, reason: refused });
  }

  /** The daemon was held up, and answers may wait in the queue behind others' packets: that says nothing. */
  #again(): void {
    this.#timeout = undefined;
    this.#next?.cancel();
    this.#begin();
  }

  #missed(): void {
    this.#end({ works: false, reason: this.#conversation.missed() });
  }

  #end(verdict: Verdict): void {
    this.#timeout?.cancel();
    this.#timeout = undefined;
    this.#heldUp = 0;
    if (this.#tally.count(verdict)) this.#world.changed(this.#check);
  }

  #send(frames: readonly Uint8Array[]): string | undefined {
    for (const frame of frames) {
      const refused = this.#world.send(this.#check, frame);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }
}
