/** How many errors each receiver gets: a bucket of tokens (RFC 4443 §2.4 (f)). */
import { ERRORS_AT_ONCE, ERRORS_PER_SECOND, RECEIVERS_MAX } from './limits.js';

interface Bucket {
  tokens: number;
  lastMs: number;
}

export class ReceiverLimits {
  /** The one that was used last is the last. */
  readonly #buckets = new Map<string, Bucket>();

  /** Whether one more may be sent now. */
  pass(receiver: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(receiver) ?? { tokens: ERRORS_AT_ONCE, lastMs: nowMs };
    this.#buckets.delete(receiver);
    this.#buckets.set(receiver, bucket);
    if (this.#buckets.size > RECEIVERS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!);
    const gained = ((nowMs - bucket.lastMs) * ERRORS_PER_SECOND) / 1000;
    bucket.tokens = Math.min(ERRORS_AT_ONCE, bucket.tokens + gained);
    bucket.lastMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
