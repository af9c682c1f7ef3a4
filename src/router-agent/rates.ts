/** How much may be sent: buckets of tokens (RFC 4443 §2.4 (f)). */
import { ERRORS, FRAGMENTS, PORTS_MAX, type Rate, RECEIVERS_MAX, SEGMENTS, TOO_BIG } from './limits.js';

interface Bucket {
  tokens: number;
  lastMs: number;
}

/** A bucket for each key; when there are too many, the one that was not used for longest goes. */
export class Buckets<Key> {
  readonly #rate: Rate;
  readonly #most: number;
  /** The one that was used last is the last. */
  readonly #buckets = new Map<Key, Bucket>();

  constructor(rate: Rate, most: number) {
    this.#rate = rate;
    this.#most = most;
  }

  /** Whether so many more may be sent now; then they count. */
  pass(key: Key, nowMs: number, tokens = 1): boolean {
    const { atOnce, perSecond } = this.#rate;
    const bucket = this.#buckets.get(key) ?? { tokens: atOnce, lastMs: nowMs };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#most) this.#buckets.delete(this.#buckets.keys().next().value!);
    bucket.tokens = Math.min(atOnce, bucket.tokens + ((nowMs - bucket.lastMs) * perSecond) / 1000);
    bucket.lastMs = nowMs;
    if (bucket.tokens < tokens) return false;
    bucket.tokens -= tokens;
    return true;
  }
}

export interface SharedRates {
  /** Of each port, whatever others do. */
  readonly assured: Rate;
  readonly port: Rate;
  /** Beyond what ports are assured of. */
  readonly all: Rate;
}

/** For what packets of a port bring about, and of all ports. */
export class PortRates {
  readonly #assured: Buckets<number>;
  readonly #port: Buckets<number>;
  readonly #all: Buckets<undefined>;

  constructor({ assured, port, all }: SharedRates) {
    this.#assured = new Buckets(assured, PORTS_MAX);
    this.#port = new Buckets(port, PORTS_MAX);
    this.#all = new Buckets(all, 1);
  }

  pass(port: number, nowMs: number, tokens = 1): boolean {
    if (!this.#port.pass(port, nowMs, tokens)) return false;
    return this.#assured.pass(port, nowMs, tokens) || this.#all.pass(undefined, nowMs, tokens);
  }
}

/** And of those that one receiver gets: who makes up senders uses up what is his port's alone. */
export class ReceiverRates {
  readonly #receiver: Buckets<string>;
  readonly #ports: PortRates;

  constructor({ receiver, ...ports }: SharedRates & { readonly receiver: Rate }) {
    this.#receiver = new Buckets(receiver, RECEIVERS_MAX);
    this.#ports = new PortRates(ports);
  }

  pass(port: number, receiver: bigint, nowMs: number): boolean {
    return this.#receiver.pass(`${port} ${receiver}`, nowMs) && this.#ports.pass(port, nowMs);
  }
}

/** Of all routers of a bridge. */
export class AgentRates {
  readonly errors = new ReceiverRates(ERRORS);
  readonly tooBig = new ReceiverRates(TOO_BIG);
  readonly fragments = new PortRates(FRAGMENTS);
  readonly segments = new PortRates(SEGMENTS);
}
