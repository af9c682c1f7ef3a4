/** Looks at what a client of xenstored asks for. */
import type { TransportListener, XenstoreTransport } from '../../../src/xenstore/index.js';
import { MessageFramer, MessageType } from '../../../src/xenstore/wire.js';

/** A transport that does what `inner` does, and tells of each request and each node written. */
export class RecordedTransport implements XenstoreTransport {
  readonly #inner: XenstoreTransport;
  readonly #framer = new MessageFramer();
  /** Requests so far. */
  requests = 0;
  readonly #written: (path: string, value: string) => void;

  constructor(inner: XenstoreTransport, written: (path: string, value: string) => void) {
    this.#inner = inner;
    this.#written = written;
  }

  get queuedBytes(): number {
    return this.#inner.queuedBytes;
  }

  start(listener: TransportListener): void {
    this.#inner.start(listener);
  }

  send(bytes: Buffer): void {
    for (const { type, payload } of this.#framer.push(bytes)) {
      this.requests++;
      if (type !== MessageType.write) continue;
      const end = payload.indexOf(0);
      this.#written(payload.toString('utf8', 0, end), payload.toString('utf8', end + 1));
    }
    this.#inner.send(bytes);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(): void {
    this.#inner.close();
  }
}
