/** Two transports joined inside the process: what one sends the other receives, later, in order. */
import type { TransportListener, XenstoreTransport } from './transport.js';

class PairedTransport implements XenstoreTransport {
  #peer: PairedTransport | undefined;
  #listener: TransportListener | undefined;
  #incoming: Buffer[] = [];
  #incomingBytes = 0;
  #paused = false;
  #scheduled = false;
  #closed = false;

  static pair(): [PairedTransport, PairedTransport] {
    const [a, b] = [new PairedTransport(), new PairedTransport()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get queuedBytes(): number {
    return this.#peer === undefined ? 0 : this.#peer.#incomingBytes;
  }

  send(bytes: Buffer): void {
    const peer = this.#peer;
    if (this.#closed || peer === undefined || peer.#closed) return;
    peer.#incoming.push(bytes);
    peer.#incomingBytes += bytes.length;
    peer.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    this.#schedule();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#incoming = [];
    this.#incomingBytes = 0;
    setImmediate(() => this.#listener?.closed(undefined));
    const peer = this.#peer;
    // After what was sent before: the peer's delivery was scheduled earlier.
    if (peer !== undefined) setImmediate(() => peer.close());
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed || this.#listener === undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#paused && !this.#closed) {
      const chunk = this.#incoming.shift();
      if (chunk === undefined) {
        const peer = this.#peer;
        if (peer !== undefined) peer.#listener?.drained();
        return;
      }
      this.#incomingBytes -= chunk.length;
      this.#listener?.data(chunk);
    }
  }
}

export function transportPair(): [XenstoreTransport, XenstoreTransport] {
  return PairedTransport.pair();
}
