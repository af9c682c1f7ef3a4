/** Flow_mods of a bundle, as they came, one after the other: a million of them are no million objects. */
import { isPlainFlowMod } from './plain-messages.js';

export class PlainRun implements Iterable<Uint8Array> {
  readonly type = 'plain_run';
  #bytes = new Uint8Array(0);
  #length = 0;
  /** Where each begins. */
  readonly #starts: number[] = [];

  /** Flow_mods in it. */
  get count(): number {
    return this.#starts.length;
  }

  /** Bytes of memory that it takes, about. */
  get size(): number {
    return this.#bytes.length + 8 * this.#starts.length;
  }

  /** Copies the message, if it is of the usual kind; false: it has to be decoded. */
  append(message: Uint8Array): boolean {
    if (!isPlainFlowMod(message)) return false;
    const end = this.#length + message.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(message, this.#length);
    this.#starts.push(this.#length);
    this.#length = end;
    return true;
  }

  /** The messages, as views. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let i = 0; i < this.count; i++) yield this.at(i);
  }

  /** The message of this index, from 0 to count - 1. */
  at(index: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[index], this.#starts[index + 1] ?? this.#length);
  }
}
