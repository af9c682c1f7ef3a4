/** Rates of ports: the difference of two samples of the counters, by the time between them. */
import type { Clock } from '../base/clock.js';

export interface Counters {
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
}

export interface Rates {
  readonly rxPacketsPerSecond: number;
  readonly txPacketsPerSecond: number;
  readonly rxBitsPerSecond: number;
  readonly txBitsPerSecond: number;
}

export const noRates: Rates = {
  rxPacketsPerSecond: 0,
  txPacketsPerSecond: 0,
  rxBitsPerSecond: 0,
  txBitsPerSecond: 0,
};

interface Sample {
  readonly atMs: number;
  readonly counters: ReadonlyMap<number, Counters>;
}

/** Samples closer together than this are merged: the division would blow up noise. */
const INTERVAL_MIN_MS = 50;

/** One watcher's view: rates are over the time between its last two samples. */
export class RateMeter {
  readonly #clock: Clock;
  #last: Sample | undefined;
  #rates: ReadonlyMap<number, Rates> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the counters by port number. A port seen for the first time, or anew, has rate zero. */
  sample(counters: ReadonlyMap<number, Counters>): void {
    const atMs = this.#clock.nowMs();
    const last = this.#last;
    if (last !== undefined && atMs - last.atMs < INTERVAL_MIN_MS) return;
    if (last !== undefined) {
      const seconds = (atMs - last.atMs) / 1000;
      this.#rates = new Map(
        [...counters].map(([port, now]) => [port, between(last.counters.get(port) ?? now, now, seconds)]),
      );
    }
    this.#last = { atMs, counters };
  }

  of(port: number): Rates {
    return this.#rates.get(port) ?? noRates;
  }
}

function between(before: Counters, now: Counters, seconds: number): Rates {
  // Counters of a port that went and came back start at zero.
  const perSecond = (from: bigint, to: bigint) => (to > from ? Number(to - from) / seconds : 0);
  return {
    rxPacketsPerSecond: perSecond(before.rxPackets, now.rxPackets),
    txPacketsPerSecond: perSecond(before.txPackets, now.txPackets),
    rxBitsPerSecond: 8 * perSecond(before.rxBytes, now.rxBytes),
    txBitsPerSecond: 8 * perSecond(before.txBytes, now.txBytes),
  };
}
