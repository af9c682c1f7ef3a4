/**
 * What carries bytes to xenstored and back. The client and the emulated daemon know only this interface; there is a
 * unix socket (socket.ts), the character device /dev/xen/xenbus of a domain where xenstored does not run (device.ts), and
 * an in-process pair (pair.ts).
 */
export interface XenstoreTransport {
  /** Queues bytes; each call hands over whole messages. Ignored after close. */
  send(bytes: Buffer): void;
  /** Bytes accepted by send() that the other side has not taken yet. */
  readonly queuedBytes: number;
  /** Reads nothing more until resume(): what the peer sends meanwhile waits on its side. */
  pause(): void;
  resume(): void;
  /** Sets the one listener. Nothing is delivered before; nothing after close. */
  start(listener: TransportListener): void;
  /** Ends both directions. May be called again. The listener's `closed` is called, once. */
  close(): void;
}

export interface TransportListener {
  data(chunk: Uint8Array): void;
  /** Everything queued was taken by the other side. */
  drained(): void;
  /** `reason` is undefined after an orderly end. */
  closed(reason: Error | undefined): void;
}
