/** Small messages of one turn of the event loop leave together: one system call, and one write of the stream's. */
import type { Writable } from 'node:stream';

const GATHER_BYTES = 64 * 1024;

export class Gather {
  readonly #socket: Writable;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #taken: (() => void)[] = [];

  constructor(socket: Writable) {
    this.#socket = socket;
  }

  /** Bytes that are not on their way yet. */
  get length(): number {
    return this.#bytes;
  }

  /** `taken` is called when the peer has taken the bytes. They must not be overwritten meanwhile. False as with `Writable.write`. */
  write(bytes: Uint8Array, taken?: () => void): boolean {
    if (this.#pieces.length === 0) process.nextTick(() => this.flush());
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (taken !== undefined) this.#taken.push(taken);
    if (this.#bytes >= GATHER_BYTES) this.flush();
    return this.#socket.writableLength + this.#bytes < this.#socket.writableHighWaterMark;
  }

  flush(): void {
    if (this.#pieces.length === 0) return;
    const [pieces, taken] = [this.#pieces, this.#taken];
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, this.#bytes);
    [this.#pieces, this.#taken, this.#bytes] = [[], [], 0];
    const told = () => {
      for (const call of taken) call();
    };
    // What cannot be written any more is not waited for.
    if (this.#socket.writable) this.#socket.write(bytes, told);
    else told();
  }
}
