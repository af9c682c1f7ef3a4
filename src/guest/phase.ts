/** Where a guest's frontend stands, and who waits for it to get somewhere. */
import { systemClock } from '../base/clock.js';

/**
 * waiting: Initialising until the backend is in InitWait. announced: Connected is written, the backend is not there
 * yet. leaving: Closing is written. left: Closed is written, the backend is not there yet. resetting: Initialising is
 * written after that, the backend is not in InitWait yet. gone: the vif was
 * unplugged or the domain died; nothing follows.
 */
export type GuestPhase =
  | 'new'
  | 'waiting'
  | 'announced'
  | 'connected'
  | 'leaving'
  | 'left'
  | 'resetting'
  | 'closed'
  | 'gone';

export class PhaseGate {
  readonly #what: string;
  readonly #waiters = new Set<() => void>();
  #phase: GuestPhase = 'new';
  #error: Error | undefined;

  /** `what` is the subject of the sentences that until() rejects with. */
  constructor(what: string) {
    this.#what = what;
  }

  get phase(): GuestPhase {
    return this.#phase;
  }

  enter(phase: GuestPhase): void {
    if (this.#phase === 'gone') return;
    this.#phase = phase;
    this.#tell();
  }

  /** Whoever waits is told of the error, now and until forgive(). */
  fail(error: Error): void {
    this.#error = error;
    this.#tell();
  }

  forgive(): void {
    this.#error = undefined;
  }

  /** Rejects with the error, when the vif is gone, or after `timeoutMs`. */
  until(wanted: readonly GuestPhase[], timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        timer.cancel();
        this.#waiters.delete(check);
        if (error === undefined) resolve();
        else reject(error);
      };
      const check = () => {
        if (wanted.includes(this.#phase)) settle();
        else if (this.#error !== undefined) settle(this.#error);
        else if (this.#phase === 'gone') settle(new Error(`${this.#what} is gone`));
      };
      const timer = systemClock.after(timeoutMs, () => {
        settle(new Error(`${this.#what} is still ${this.#phase} after ${timeoutMs} ms`));
      });
      this.#waiters.add(check);
      check();
    });
  }

  #tell(): void {
    for (const check of [...this.#waiters]) check();
  }
}
