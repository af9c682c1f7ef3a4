/** Flow_mods of a bundle, as they came, one after the other: a million of them are no million objects. */
import { isPlainFlowMod } from './plain-messages.js';

const INITIAL_BYTES = 4096;

export class PlainRun implements Iterable<Uint8Array> {
  readonly type = 'plain_run';
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  #count = 0;

  /** Flow_mods in it. */
  get count(): number {
    return this.#count;
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
    this.#length = end;
    this.#count++;
    return true;
  }

  /** The messages, as views. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let at = 0; at < this.#length; ) {
      const end = at + ((this.#bytes[at + 2]! << 8) | this.#bytes[at + 3]!);
      yield this.#bytes.subarray(at, end);
      at = end;
    }
  }

  /** The message of this index, from 0; found by walking. */
  at(index: number): Uint8Array {
    let left = index;
    for (const message of this) if (left-- === 0) return message;
    throw new RangeError(`no message ${index} of ${this.#count}`);
  }
}
