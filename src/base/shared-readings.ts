/** What several ask for at about the same time is read once. */
import type { Clock } from './clock.js';

/** `atMs`: when it was read; not yet, while it is under way. */
interface Reading<Value> {
  readonly value: Promise<Value>;
  atMs: number | undefined;
}

export class SharedReadings<Value> {
  readonly #clock: Clock;
  readonly #readings = new Map<string, Reading<Value>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is being read for somebody, or was less than `freshMs` ago, also a failure; else what `read` gives now. */
  of(key: string, freshMs: number, read: () => Promise<Value>): Promise<Value> {
    const before = this.#readings.get(key);
    if (before !== undefined && (before.atMs === undefined || this.#clock.nowMs() - before.atMs < freshMs))
      return before.value;
    const reading: Reading<Value> = {
      value: read().finally(() => {
        reading.atMs = this.#clock.nowMs();
      }),
      atMs: undefined,
    };
    this.#readings.set(key, reading);
    return reading.value;
  }

  /** What keys mean is something else now. */
  clear(): void {
    this.#readings.clear();
  }
}
