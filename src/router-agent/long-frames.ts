/** Room for what waits and is longer than a link takes, as frames yet to be segmented are: each port has so much, and all. */
import { LONG_FRAMES_BYTES } from './limits.js';

export class LongFrames {
  #all = 0;
  readonly #ofPort = new Map<number, number>();

  /** Whether there is room; then it is taken. */
  take(port: number, bytes: number): boolean {
    const own = (this.#ofPort.get(port) ?? 0) + bytes;
    if (own > LONG_FRAMES_BYTES.port || this.#all + bytes > LONG_FRAMES_BYTES.all) return false;
    this.#set(port, own, bytes);
    return true;
  }

  give(port: number, bytes: number): void {
    this.#set(port, this.#ofPort.get(port)! - bytes, -bytes);
  }

  #set(port: number, own: number, more: number): void {
    this.#all += more;
    if (own === 0) this.#ofPort.delete(port);
    else this.#ofPort.set(port, own);
  }
}
