/**
 * Transport over the character device /dev/xen/xenbus, the only way to xenstored from a domain where it does not run.
 * The kernel takes whole messages and gives back replies and watch events as a stream. Reads block, so one is always
 * under way on a thread of libuv's pool; it cannot be called back, but a request that nobody waits for makes it return.
 */
import { close, openSync, read, write } from 'node:fs';
import type { TransportListener, XenstoreTransport } from './transport.js';
import { encodeMessage, joinStrings, MessageType } from './wire.js';

export const XENBUS_DEVICE = '/dev/xen/xenbus';

const READ_BYTES = 64 * 1024;
/** Before a read that found nothing, of a device that does not block, is tried again. */
const READ_AGAIN_MS = 5;
/** Of the request that ends the last read; its reply is read by nobody. */
const FAREWELL_REQUEST_ID = 0xffffffff;

export class DeviceTransport implements XenstoreTransport {
  readonly #fd: number;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writing = false;
  #reading = false;
  #paused = true;
  #listener: TransportListener | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #error: Error | undefined;
  #reported = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Throws the system's error when the device is not there or not allowed. */
  static open(path: string = XENBUS_DEVICE): DeviceTransport {
    return new DeviceTransport(openSync(path, 'r+'));
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  send(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#write();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#read();
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    this.resume();
  }

  close(): void {
    if (this.#state !== 'open') return;
    if (this.#reading) {
      const farewell = { type: MessageType.getDomainPath, requestId: FAREWELL_REQUEST_ID, transactionId: 0 };
      this.send(encodeMessage({ ...farewell, payload: joinStrings('0') }));
    }
    this.#state = 'closing';
    this.#settle();
  }

  #write(): void {
    const next = this.#queue[0];
    if (this.#writing || next === undefined) {
      this.#settle();
      return;
    }
    this.#writing = true;
    write(this.#fd, next, (error, written) => {
      this.#writing = false;
      if (error !== null) return this.#fail(error);
      this.#queuedBytes -= written;
      if (written < next.length) this.#queue[0] = next.subarray(written);
      else this.#queue.shift();
      if (this.#queue.length === 0 && this.#state === 'open') this.#listener?.drained();
      this.#write();
    });
  }

  #read(): void {
    if (this.#reading || this.#paused || this.#state !== 'open') return;
    this.#reading = true;
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    read(this.#fd, buffer, 0, buffer.length, null, (error, bytes) => {
      this.#reading = false;
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#read(), READ_AGAIN_MS);
        return this.#settle();
      }
      if (error !== null) return this.#fail(error);
      if (this.#state !== 'open') return this.#settle();
      if (bytes === 0) return this.#fail(new Error('the device ended'));
      this.#listener?.data(buffer.subarray(0, bytes));
      this.#read();
    });
  }

  /** The listener hears of it at once: a read that is under way may never return. */
  #fail(error: Error): void {
    this.#error ??= error;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    if (this.#state === 'open') this.#state = 'closing';
    this.#report();
    this.#settle();
  }

  #report(): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#listener?.closed(this.#error);
  }

  /** The descriptor is closed when neither a read nor a write is under way. */
  #settle(): void {
    if (this.#state !== 'closing' || this.#reading || this.#writing || this.#queue.length > 0) return;
    this.#state = 'closed';
    close(this.#fd, () => this.#report());
  }
}
