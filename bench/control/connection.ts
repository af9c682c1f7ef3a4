/** A controller that only counts: it looks at headers, and decodes nothing. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ERROR, hello } from './frames.js';

const PIECE_BYTES = 1 << 20;
const READ_BYTES = 1 << 16;

type Listener = (type: number, message: Buffer) => void;

export class Connection {
  #rest: Buffer = Buffer.alloc(0);
  #listener: Listener = () => {};

  private constructor(readonly socket: Socket) {}

  /** `target`: unix:PATH */
  static async open(target: string): Promise<Connection> {
    // One buffer for all that comes: else collecting garbage is most of the longest round trips.
    const onread = {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (bytes: number, buffer: Uint8Array) => {
        self.#take(Buffer.from(buffer.subarray(0, bytes)));
        return true;
      },
    };
    const socket = connect({ path: target.replace(/^unix:/, ''), onread });
    const self = new Connection(socket);
    await once(socket, 'connect');
    const greeted = self.until((type) => type === 0);
    socket.write(hello);
    await greeted;
    return self;
  }

  #take(segment: Buffer): void {
    let bytes = this.#rest.length === 0 ? segment : Buffer.concat([this.#rest, segment]);
    while (bytes.length >= 8) {
      const length = bytes.readUInt16BE(2);
      if (bytes.length < length) break;
      const type = bytes[1]!;
      const message = bytes.subarray(0, length);
      // Echo requests: whoever is asked and does not answer is dead.
      if (type === 2) this.socket.write(Buffer.concat([Buffer.from([4, 3]), message.subarray(2)]));
      this.#listener(type, message);
      bytes = bytes.subarray(length);
    }
    this.#rest = bytes;
  }

  /** Sees every message until it says that it has seen enough. An error message ends it with an exception. */
  until(enough: (type: number, message: Buffer) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#listener = (type, message) => {
        if (type === ERROR) reject(new Error(`an error: ${message.toString('hex', 0, 32)}`));
        else if (enough(type, message)) resolve();
      };
    });
  }

  /** Writes as fast as the peer reads. */
  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      if (!this.socket.write(bytes.subarray(at, at + PIECE_BYTES))) await once(this.socket, 'drain');
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
