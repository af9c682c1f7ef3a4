/**
 * Keeps the event loop from sleeping for a moment after a controller spoke: waking a processor up takes longer than most
 * answers do, on both sides. How long is earned, as by the data plane's workers (native/worker/spin.h): more when the next
 * words came so soon that staying awake would have met them, less when not; and never more than half of the time.
 */

const MAX_MS = 0.1;
const MIN_MS = 0.005;
const WINDOW_MS = 10;
const SPENT_MAX_MS = WINDOW_MS / 2;

export interface LingerOptions {
  /** Milliseconds; only go forward. */
  readonly nowMs?: () => number;
  /** Calls back in the next turn of the event loop, which does not sleep before that. */
  readonly nextTurn?: (callback: () => void) => void;
}

export class Linger {
  readonly #nowMs: () => number;
  readonly #nextTurn: (callback: () => void) => void;
  #earnedMs = MAX_MS;
  /** When there was nothing left to do. */
  #idleMs = Number.NEGATIVE_INFINITY;
  /** Until when idle time is in `#spentMs`. */
  #countedMs = 0;
  #windowEndMs = 0;
  #spentMs = 0;
  #awake = false;

  constructor({ nowMs = () => performance.now(), nextTurn = setImmediate }: LingerOptions = {}) {
    this.#nowMs = nowMs;
    this.#nextTurn = nextTurn;
  }

  /** A controller spoke. */
  heard(): void {
    const soon = this.#nowMs() - this.#idleMs < MAX_MS;
    this.#earnedMs = soon ? Math.min(Math.max(this.#earnedMs * 2, MIN_MS), MAX_MS) : this.#earnedMs / 2;
  }

  /** What it said is dealt with, or waits for something else. */
  idle(): void {
    this.#idleMs = this.#nowMs();
    this.#countedMs = this.#idleMs;
    if (this.#awake || this.#earnedMs < MIN_MS || this.#isSpent(this.#idleMs)) return;
    this.#awake = true;
    this.#nextTurn(this.#turn);
  }

  #isSpent(nowMs: number): boolean {
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS;
      this.#spentMs = 0;
    }
    return this.#spentMs >= SPENT_MAX_MS;
  }

  readonly #turn = (): void => {
    const nowMs = this.#nowMs();
    this.#spentMs += nowMs - this.#countedMs;
    this.#countedMs = nowMs;
    if (nowMs - this.#idleMs < this.#earnedMs && !this.#isSpent(nowMs)) this.#nextTurn(this.#turn);
    else this.#awake = false;
  };
}
