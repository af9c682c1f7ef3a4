/** Health by counters: an instance that gets packets and gives none out is down, without anything being sent to it. */
import type { Timer } from '../base/clock.js';
import type { ProgramCheck } from '../compiler/index.js';
import type { Checker, CheckerWorld } from './checker.js';
import { LOOK_WHILE_DOWN_MS } from './limits.js';
import { type Checks, type Standing, type State, Tally } from './tally.js';

/** Packets since its flows and groups are there, both directions together. */
export interface Packets {
  readonly into: bigint;
  readonly outOf: bigint;
}

/** Rejects where it cannot be read; that tells nothing about the instance. */
export interface CounterWorld extends CheckerWorld {
  readonly packets: () => Promise<Packets>;
  /** Ports that can send. */
  readonly portsUp: () => Promise<ReadonlySet<number>>;
  /** No other instance would take its traffic: at once, as others may have gone down while counters were read. */
  readonly isLast: (up: ReadonlySet<number>) => boolean;
}

/**
 * What an instance refuses does not come out either, so the last one of a hop is never taken down: whoever sends what is
 * refused would cut off everybody.
 */
export class Counter implements Checker {
  readonly latency = undefined;
  readonly #check: ProgramCheck;
  readonly #world: CounterWorld;
  readonly #tally: Tally;
  #before: Packets | undefined;
  #timer: Timer | undefined;
  #retryAtMs = 0;
  #stopped = false;

  constructor(check: ProgramCheck, world: CounterWorld, before?: Standing) {
    this.#check = check;
    this.#world = world;
    this.#tally = new Tally(check.health, before);
    if (before?.state === 'down') this.#rest();
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

  start(afterMs: number): void {
    if (!this.#stopped) this.#timer = this.#world.clock.after(afterMs, () => void this.#look());
  }
  take(): void {}
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { packets, portsUp, isLast } = this.#world;
    const isDown = this.#tally.state === 'down';
    const found = await Promise.all([portsUp(), isDown ? undefined : packets()]).catch(() => undefined);
    if (this.#stopped) return;
    if (found !== undefined) {
      const [up, now] = found;
      const last = isLast(up);
      if (now === undefined) this.#tryAgain(last);
      else this.#judge(now, last);
    }
    const { intervalMs } = this.#check.health;
    this.start(this.#tally.state === 'down' ? Math.min(intervalMs, LOOK_WHILE_DOWN_MS) : intervalMs);
  }

  /** Nothing is sent to it any more, so that only traffic can tell whether it works again. */
  #tryAgain(isLast: boolean): void {
    if (!isLast && this.#world.clock.nowMs() < this.#retryAtMs) return;
    this.#tally.forget();
    this.#before = undefined;
    this.#world.changed(this.#check);
  }

  #rest(): void {
    this.#retryAtMs = this.#world.clock.nowMs() + this.#check.health.retryMs;
  }

  /** Counters that went down are those of new flows or groups: they begin anew. */
  #judge(now: Packets, isLast: boolean): void {
    const before = this.#before;
    const begun = before === undefined || now.into < before.into || now.outOf < before.outOf;
    if (begun) {
      this.#before = now;
      return;
    }
    const [into, outOf] = [now.into - before.into, now.outOf - before.outOf];
    const works = outOf > 0n;
    // Too few to tell are counted with those that follow.
    if (!works && into < BigInt(this.#check.health.packets)) return;
    const reason = `${into} packets went in and none came out`;
    if (!works && isLast) {
      this.#tally.note(`${reason}; it stays, as the last one`);
      return;
    }
    this.#before = now;
    if (!this.#tally.count(works ? { works } : { works, reason })) return;
    if (this.#tally.state === 'down') this.#rest();
    this.#world.changed(this.#check);
  }
}
