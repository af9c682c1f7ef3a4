/** How long the last probes took. */
import { LATENCIES_KEPT } from './limits.js';

/** Milliseconds. */
export interface Latency {
  readonly minMs: number;
  readonly averageMs: number;
  readonly samples: number;
}

export class Latencies {
  #kept: readonly number[] = [];

  add(ms: number): void {
    this.#kept = [...this.#kept, ms].slice(-LATENCIES_KEPT);
  }

  /** Undefined: there were none yet. */
  get latency(): Latency | undefined {
    const samples = this.#kept.length;
    if (samples === 0) return undefined;
    const sum = this.#kept.reduce((total, ms) => total + ms, 0);
    return { minMs: Math.min(...this.#kept), averageMs: sum / samples, samples };
  }
}
