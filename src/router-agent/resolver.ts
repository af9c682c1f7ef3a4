/** Asks for next hops whose MAC addresses are not known. Packets for them wait, as many as the limits say. */
import type { Clock, Timer } from '../base/clock.js';
import {
  ASKED_MAX,
  ASKED_PER_PORT,
  PARKED_FRAME_BYTES,
  PARKED_PER_HOP,
  QUESTION_INTERVAL_MS,
  QUESTIONS,
  REACHABLE_MS,
  REMEMBERED_MAX,
} from './limits.js';
import { LongFrames } from './long-frames.js';
import { type Hop, hopKey } from './route-table.js';

/** A frame, and the port that it came in by, or that packets came in by which it is about. */
export interface Parked {
  readonly frame: Uint8Array;
  readonly port: number;
  /** It is yet to be cut into segments with so many bytes. */
  readonly segmentBytes?: number | undefined;
}

export interface Place {
  readonly mac: string;
  readonly port: number;
}

interface Asked {
  readonly hop: Hop;
  /** The port whose packet was the first. */
  readonly port: number;
  readonly parked: Parked[];
  questions: number;
  timer: Timer;
}

export interface ResolverHooks {
  /** Asks everybody in the subnet. */
  ask(hop: Hop): void;
  /** The frame goes there. */
  found(hop: Hop, place: Place, parked: Parked): void;
  /** Nobody has answered. */
  lost(parked: Parked): void;
}

export class Resolver {
  readonly #clock: Clock;
  readonly #hooks: ResolverHooks;
  readonly #asked = new Map<string, Asked>();
  readonly #longFrames = new LongFrames();
  /** Keys of those that packets of a port ask for, the oldest first. */
  readonly #ofPort = new Map<number, Set<string>>();
  /** Who has answered, the oldest first: where flows have no room for it, not each packet is a question to all. */
  readonly #remembered = new Map<string, { readonly place: Place; readonly untilMs: number }>();

  constructor(clock: Clock, hooks: ResolverHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** `parked` wants to go there; undefined: who sent it sends it again. */
  want(hop: Hop, port: number, parked: Parked | undefined): void {
    const key = hopKey(hop);
    const known = this.#remembered.get(key);
    if (known !== undefined && this.#clock.nowMs() < known.untilMs) {
      if (parked !== undefined) this.#hooks.found(hop, known.place, parked);
      return;
    }
    const asked = this.#asked.get(key) ?? this.#begin(key, hop, port);
    if (asked !== undefined && parked !== undefined) this.#park(asked.parked, parked);
  }

  #park(waiting: Parked[], parked: Parked): void {
    if (waiting.length === PARKED_PER_HOP) this.#leave(waiting.shift()!);
    const { frame, port } = parked;
    if (!isLong(parked) || this.#longFrames.take(port, frame.length)) waiting.push(parked);
  }

  #leave(parked: Parked): void {
    if (isLong(parked)) this.#longFrames.give(parked.port, parked.frame.length);
  }

  /** It is there. */
  told(hop: Hop, place: Place): void {
    const key = hopKey(hop);
    const asked = this.#end(key);
    if (asked === undefined) {
      // Nobody asked. Where it is somewhere else now the next packet asks.
      if (this.#remembered.get(key)?.place.mac !== place.mac) this.#remembered.delete(key);
      return;
    }
    this.#remembered.delete(key);
    this.#remembered.set(key, { place, untilMs: this.#clock.nowMs() + REACHABLE_MS });
    if (this.#remembered.size > REMEMBERED_MAX) this.#remembered.delete(this.#remembered.keys().next().value!);
    for (const parked of asked.parked) this.#hooks.found(hop, place, parked);
  }

  close(): void {
    for (const key of [...this.#asked.keys()]) this.#end(key);
  }

  #begin(key: string, hop: Hop, port: number): Asked | undefined {
    if (!this.#makeRoom(port)) return undefined;
    const asked = { hop, port, parked: [], questions: 1, timer: this.#again(key) };
    this.#asked.set(key, asked);
    const ofPort = this.#ofPort.get(port) ?? new Set();
    this.#ofPort.set(port, ofPort.add(key));
    this.#hooks.ask(hop);
    return asked;
  }

  /** Where all are taken, the port that has most gives one, unless this one has as many. */
  #makeRoom(port: number): boolean {
    const own = this.#ofPort.get(port)?.size ?? 0;
    if (own >= ASKED_PER_PORT) return false;
    if (this.#asked.size < ASKED_MAX) return true;
    let most = new Set<string>();
    for (const keys of this.#ofPort.values()) if (keys.size > most.size) most = keys;
    if (most.size <= own + 1) return false;
    this.#end(most.values().next().value!);
    return true;
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
    for (const parked of asked.parked) this.#hooks.lost(parked);
  }

  #end(key: string): Asked | undefined {
    const asked = this.#asked.get(key);
    if (asked === undefined) return undefined;
    asked.timer.cancel();
    for (const parked of asked.parked) this.#leave(parked);
    this.#asked.delete(key);
    const ofPort = this.#ofPort.get(asked.port)!;
    ofPort.delete(key);
    if (ofPort.size === 0) this.#ofPort.delete(asked.port);
    return asked;
  }
}

const isLong = ({ frame }: Parked): boolean => frame.length > PARKED_FRAME_BYTES;
