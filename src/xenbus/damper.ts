import type { Clock } from '../base/clock.js';

/** Looks a device may take in a row, and what it gains per second afterwards. */
const BURST_LOOKS = 64;
const LOOKS_PER_SECOND = 50;

/**
 * Slows down a device whose frontend writes without end: each look at xenstore is dozens of requests, each connect
 * maps and unmaps rings, and one guest must not make us do that all day. Small against the 5 s that a guest's kernel
 * waits per step of the handshake.
 */
export class Damper {
  readonly #clock: Clock;
  #looks = BURST_LOOKS;
  #countedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedMs = clock.nowMs();
  }

  /** 0 and the look is counted, or the milliseconds until the next one is allowed. */
  delayMs(): number {
    const nowMs = this.#clock.nowMs();
    this.#looks = Math.min(BURST_LOOKS, this.#looks + ((nowMs - this.#countedMs) * LOOKS_PER_SECOND) / 1000);
    this.#countedMs = nowMs;
    if (this.#looks < 1) return ((1 - this.#looks) * 1000) / LOOKS_PER_SECOND;
    this.#looks--;
    return 0;
  }
}
