/** Health by counters: an instance that gets packets and gives none out is down, without anything being sent to it. */
import type { Timer } from '../base/clock.js';
import type { ProgramCheck } from '../compiler/index.js';
import type { Checker, CheckerWorld } from './checker.js';
import { type State, Tally } from './tally.js';

/** Packets since its flows and groups are there, both directions together. */
export interface Packets {
  readonly into: bigint;
  readonly outOf: bigint;
}

export class Counter implements Checker {
  readonly latency = undefined;
  readonly #check: ProgramCheck;
  readonly #world: CheckerWorld;
  readonly #read: () => Promise<Packets>;
  readonly #tally: Tally;
  #before: Packets | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  /** `read` rejects where counters cannot be read; that tells nothing about the instance. */
  constructor(check: ProgramCheck, world: CheckerWorld, read: () => Promise<Packets>) {
    this.#check = check;
    this.#world = world;
    this.#read = read;
    this.#tally = new Tally(check.health);
  }

  get state(): State {
    return this.#tally.state;
  }
  get reason(): string {
    return this.#tally.reason;
  }

  start(afterMs: number): void {
    this.#again(afterMs);
  }
  take(): void {}
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #again(afterMs: number): void {
    if (!this.#stopped) this.#timer = this.#world.clock.after(afterMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { intervalMs, retryMs } = this.#check.health;
    if (this.#tally.state === 'down') {
      // Nothing is sent to it any more, so that only traffic can tell whether it works again.
      this.#tally.forget();
      this.#before = undefined;
      this.#world.changed(this.#check);
    }
    const now = await this.#read().catch(() => undefined);
    if (this.#stopped) return;
    if (now !== undefined) this.#judge(now);
    this.#again(this.#tally.state === 'down' ? retryMs : intervalMs);
  }

  /** Counters that went down are those of new flows or groups: they begin anew. */
  #judge(now: Packets): void {
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
    this.#before = now;
    const reason = `${into} packets went in and none came out`;
    if (this.#tally.count(works ? { works } : { works, reason })) this.#world.changed(this.#check);
  }
}
