/**
 * Keeps the event loop from sleeping for a moment after a controller spoke: waking a processor up takes longer than most
 * answers do, on both sides. How long is earned, as by the data plane's workers (native/worker/spin.h): more when the next
 * words came so soon that staying awake would have met them, less when not.
 */

const MAX_MS = 0.1;
const MIN_MS = 0.005;

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
  #heardMs = Number.NEGATIVE_INFINITY;
  #awake = false;

  constructor({ nowMs = () => performance.now(), nextTurn = setImmediate }: LingerOptions = {}) {
    this.#nowMs = nowMs;
    this.#nextTurn = nextTurn;
  }

  /** A controller spoke, and what it said is dealt with. */
  heard(): void {
    const nowMs = this.#nowMs();
    const soon = nowMs - this.#heardMs < MAX_MS;
    this.#earnedMs = soon ? Math.min(Math.max(this.#earnedMs * 2, MIN_MS), MAX_MS) : this.#earnedMs / 2;
    this.#heardMs = nowMs;
    if (this.#awake || this.#earnedMs < MIN_MS) return;
    this.#awake = true;
    this.#nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#nowMs() - this.#heardMs < this.#earnedMs) this.#nextTurn(this.#turn);
    else this.#awake = false;
  };
}
