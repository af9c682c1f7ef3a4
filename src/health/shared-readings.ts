/** What several ask for at about the same time is read once. */
import type { Clock } from '../base/clock.js';

interface Reading<Value> {
  readonly atMs: number;
  readonly value: Promise<Value>;
}

export class SharedReadings<Value> {
  readonly #clock: Clock;
  readonly #readings = new Map<string, Reading<Value>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As `read` gave it less than `freshMs` ago, to whoever asked; else as it gives it now. */
  of(key: string, freshMs: number, read: () => Promise<Value>): Promise<Value> {
    const now = this.#clock.nowMs();
    const before = this.#readings.get(key);
    if (before !== undefined && now - before.atMs < freshMs) return before.value;
    const value = read();
    this.#readings.set(key, { atMs: now, value });
    return value;
  }

  /** What keys mean is something else now. */
  clear(): void {
    this.#readings.clear();
  }
}
