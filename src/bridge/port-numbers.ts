/**
 * OpenFlow port numbers by name. A name keeps its number while the bridge lives, also while its port is away: flows
 * name ports by number, and a guest that is replugged must not get the flows of another.
 */

import type { PortNo } from '../datapath/datapath.js';
import { portsMax } from '../datapath/schema.gen.js';
import { Refusal } from './refusal.js';

export class PortNumbers {
  readonly #max: number;
  readonly #numbers = new Map<string, PortNo>();
  readonly #used = new Set<string>();
  /** Names without a port, the one longest away first. */
  readonly #away = new Set<string>();
  #next = 1;

  /** Numbers run from 1 to `max`. */
  constructor(max: number = portsMax - 1) {
    this.#max = max;
  }

  /** The number of `name`, which must not be in use. Refuses when every number is in use. */
  acquire(name: string): PortNo {
    if (this.#used.has(name)) throw new Refusal('exists', `a port "${name}" exists already`);
    const number = this.#numbers.get(name) ?? this.#fresh();
    this.#numbers.set(name, number);
    this.#away.delete(name);
    this.#used.add(name);
    return number;
  }

  /** The port is gone; its number is kept for its name until numbers run out. */
  release(name: string): void {
    if (this.#used.delete(name)) this.#away.add(name);
  }

  #fresh(): PortNo {
    if (this.#next <= this.#max) return this.#next++ as PortNo;
    const [oldest] = this.#away;
    if (oldest === undefined) throw new Refusal('unavailable', `all ${this.#max} port numbers are in use`);
    const number = this.#numbers.get(oldest)!;
    this.#numbers.delete(oldest);
    this.#away.delete(oldest);
    return number;
  }
}
