/** Transport over xenstored's unix socket. */
import { connect, type Socket } from 'node:net';
import type { TransportListener, XenstoreTransport } from './transport.js';

/** Where xenstored listens unless the environment says otherwise (XEN_RUN_STORED). */
export const XENSTORED_SOCKET = '/run/xenstored/socket';

/** The socket's path by the rules of libxenstore: XENSTORED_PATH, XENSTORED_RUNDIR/socket, the default. */
export function xenstoredPath(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.XENSTORED_PATH) return env.XENSTORED_PATH;
  return env.XENSTORED_RUNDIR ? `${env.XENSTORED_RUNDIR}/socket` : XENSTORED_SOCKET;
}

export class SocketTransport implements XenstoreTransport {
  readonly #socket: Socket;
  #error: Error | undefined;

  /** Takes over a connected socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
    // Held from the first moment: an error before start() must not become an uncaught one.
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.pause();
  }

  /** Rejects with the system's error when nobody listens there. */
  static open(path: string = xenstoredPath()): Promise<SocketTransport> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new SocketTransport(socket));
      });
    });
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  start(listener: TransportListener): void {
    if (this.#socket.destroyed) {
      setImmediate(() => listener.closed(this.#error));
      return;
    }
    this.#socket.on('data', (chunk) => listener.data(chunk as Buffer));
    this.#socket.on('drain', () => listener.drained());
    this.#socket.once('close', () => listener.closed(this.#error));
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroySoon();
  }
}
