/** Delays that double from `firstMs` up to `maxMs`, each shortened at random by up to half against lockstep. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: { readonly firstMs: number; readonly maxMs: number; readonly random?: () => number }) {
    this.#firstMs = options.firstMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random ?? Math.random;
  }

  /** Milliseconds to wait before the next attempt. */
  nextMs(): number {
    const full = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts++;
    return full * (1 - this.#random() / 2);
  }

  /** After a success: the next delay is the first again. */
  reset(): void {
    this.#attempts = 0;
  }
}
