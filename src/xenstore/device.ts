/**
 * Transport over the character device /dev/xen/xenbus, the only way to xenstored from a domain where it does not run.
 * The kernel takes whole messages and gives back replies and watch events as a stream. Reads block, so one is always
 * under way on a thread of libuv's pool; it cannot be called back, but a request that nobody waits for makes it return.
 *
 * One request at a time: the kernel (xenbus_dev_request_and_reply) hands a thread of its own the buffer of the descriptor
 * and not a copy. A second request written before the first is in xenstored's ring overwrites it, which xenstored answers
 * with EINVAL, or with what stands somewhere else. A reply tells that the buffer is free.
 */
import { close, openSync, read, write } from 'node:fs';
import type { TransportListener, XenstoreTransport } from './transport.js';
import { encodeMessage, joinStrings, MessageFramer, MessageType } from './wire.js';

export const XENBUS_DEVICE = '/dev/xen/xenbus';

const READ_BYTES = 64 * 1024;
/** Before a read that found nothing, of a device that does not block, is tried again. */
const READ_AGAIN_MS = 5;
/** Of the request that ends the last read; its reply is read by nobody. */
const FAREWELL_REQUEST_ID = 0xffffffff;

export class DeviceTransport implements XenstoreTransport {
  readonly #fd: number;
  readonly #queue: Buffer[] = [];
  readonly #framer = new MessageFramer();
  #queuedBytes = 0;
  #writing = false;
  /** A request is written whose reply has not come. */
  #asked = false;
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
    // What is asked ends the read with its reply.
    if (this.#reading && !this.#isBusy) {
      const farewell = { type: MessageType.getDomainPath, requestId: FAREWELL_REQUEST_ID, transactionId: 0 };
      this.send(encodeMessage({ ...farewell, payload: joinStrings('0') }));
    }
    this.#state = 'closing';
    this.#read();
    this.#settle();
  }

  /** There are requests without replies. */
  get #isBusy(): boolean {
    return this.#asked || this.#queue.length > 0;
  }

  #write(): void {
    const next = this.#writing || this.#asked ? undefined : this.#queue.shift();
    if (next === undefined) {
      this.#settle();
      return;
    }
    // Already now, for the reply may come before word of the write.
    this.#asked = true;
    this.#writeOut(next);
  }

  #writeOut(bytes: Buffer): void {
    this.#writing = true;
    write(this.#fd, bytes, (error, written) => {
      this.#writing = false;
      if (error !== null) return this.#fail(error);
      this.#queuedBytes -= written;
      if (written < bytes.length) return this.#writeOut(bytes.subarray(written));
      if (this.#queue.length === 0 && this.#state === 'open') this.#listener?.drained();
      this.#write();
    });
  }

  #read(): void {
    const wanted = this.#state === 'open' ? !this.#paused : this.#state === 'closing' && this.#isBusy;
    if (this.#reading || !wanted) return;
    this.#reading = true;
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    read(this.#fd, buffer, 0, buffer.length, null, (error, bytes) => {
      this.#reading = false;
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#read(), READ_AGAIN_MS);
        return this.#settle();
      }
      if (error !== null) return this.#fail(error);
      if (bytes === 0) return this.#fail(new Error('the device ended'));
      this.#take(buffer.subarray(0, bytes));
    });
  }

  #take(chunk: Buffer): void {
    try {
      if (this.#framer.push(chunk).some(({ type }) => type !== MessageType.watchEvent)) this.#asked = false;
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (this.#state === 'open') this.#listener?.data(chunk);
    this.#write();
    this.#read();
  }

  /** The listener hears of it at once: a read that is under way may never return. */
  #fail(error: Error): void {
    this.#error ??= error;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#asked = false;
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
    if (this.#state !== 'closing' || this.#reading || this.#writing || this.#isBusy) return;
    this.#state = 'closed';
    close(this.#fd, () => this.#report());
  }
}
