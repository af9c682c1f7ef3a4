/**
 * /dev/xen/xenbus for a few requests and no longer: not blocking, looked at again and again. It takes and gives whole
 * messages of xenstored's protocol.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { TransportListener, XenstoreTransport } from '../../xenstore/index.js';

const POLL_MS = 5;
/** Header of 16 bytes and XENSTORE_PAYLOAD_MAX. */
const MESSAGE_BYTES_MAX = 16 + 4096;

export class XenbusDevice implements XenstoreTransport {
  readonly queuedBytes = 0;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(MESSAGE_BYTES_MAX);
  #listener: TransportListener | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;
  #closed = false;

  /** Throws the system's error. */
  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  }

  send(bytes: Buffer): void {
    if (this.#closed) return;
    try {
      writeSync(this.#fd, bytes);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  close(): void {
    this.#end(undefined);
  }

  #poll(): void {
    while (!this.#closed && !this.#paused) {
      let bytes: number;
      try {
        bytes = readSync(this.#fd, this.#buffer);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#end(error as Error);
        return;
      }
      if (bytes === 0) return;
      this.#listener?.data(Buffer.from(this.#buffer.subarray(0, bytes)));
    }
  }

  #end(reason: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    closeSync(this.#fd);
    setImmediate(() => this.#listener?.closed(reason));
  }
}
