/** Asks for next hops whose MAC addresses are not known. Packets for them wait, as many as the limits say. */
import type { Clock, Timer } from '../base/clock.js';
import {
  ASKED_MAX,
  ASKED_PER_PORT,
  PARKED_FRAME_BYTES,
  PARKED_PER_HOP,
  QUESTION_INTERVAL_MS,
  QUESTIONS,
} from './limits.js';
import { type Hop, hopKey } from './route-table.js';

interface Asked {
  readonly hop: Hop;
  /** The port whose packet was the first. */
  readonly port: number;
  readonly parked: Uint8Array[];
  questions: number;
  timer: Timer;
}

export interface ResolverHooks {
  /** Asks everybody in the subnet. */
  ask(hop: Hop): void;
  /** The frame goes there. */
  found(hop: Hop, mac: string, frame: Uint8Array): void;
  /** Nobody has answered. */
  lost(hop: Hop, frame: Uint8Array): void;
}

export class Resolver {
  readonly #clock: Clock;
  readonly #hooks: ResolverHooks;
  readonly #asked = new Map<string, Asked>();
  readonly #ofPort = new Map<number, number>();

  constructor(clock: Clock, hooks: ResolverHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** Those that are asked for. */
  get size(): number {
    return this.#asked.size;
  }

  /** `frame` wants to go there; it came in by `port`. */
  want(hop: Hop, port: number, frame: Uint8Array): void {
    const key = hopKey(hop);
    const asked = this.#asked.get(key) ?? this.#begin(key, hop, port);
    if (asked === undefined || frame.length > PARKED_FRAME_BYTES) return;
    if (asked.parked.length === PARKED_PER_HOP) asked.parked.shift();
    asked.parked.push(frame);
  }

  /** It is there. */
  told(hop: Hop, mac: string): void {
    const asked = this.#end(hopKey(hop));
    for (const frame of asked?.parked ?? []) this.#hooks.found(hop, mac, frame);
  }

  close(): void {
    for (const key of [...this.#asked.keys()]) this.#end(key);
  }

  #begin(key: string, hop: Hop, port: number): Asked | undefined {
    const ofPort = this.#ofPort.get(port) ?? 0;
    if (this.#asked.size >= ASKED_MAX || ofPort >= ASKED_PER_PORT) return undefined;
    const asked = { hop, port, parked: [], questions: 1, timer: this.#again(key) };
    this.#asked.set(key, asked);
    this.#ofPort.set(port, ofPort + 1);
    this.#hooks.ask(hop);
    return asked;
  }

  #again(key: string): Timer {
    return this.#clock.after(QUESTION_INTERVAL_MS, () => this.#due(key));
  }

  #due(key: string): void {
    const asked = this.#asked.get(key);
    if (asked === undefined) return;
    if (asked.questions < QUESTIONS) {
      asked.questions++;
      asked.timer = this.#again(key);
      this.#hooks.ask(asked.hop);
      return;
    }
    this.#end(key);
    for (const frame of asked.parked) this.#hooks.lost(asked.hop, frame);
  }

  #end(key: string): Asked | undefined {
    const asked = this.#asked.get(key);
    if (asked === undefined) return undefined;
    asked.timer.cancel();
    this.#asked.delete(key);
    const left = this.#ofPort.get(asked.port)! - 1;
    if (left === 0) this.#ofPort.delete(asked.port);
    else this.#ofPort.set(asked.port, left);
    return asked;
  }
}
