/**
 * Cuts a byte stream into OpenFlow messages by the length in their header (OpenFlow 1.3.5 §7.1).
 *
 * Segments may split or join messages anywhere. A message within one segment is returned as a view of it; one that was
 * split is joined by one copy. A length below 8 (or above the limit) leaves no way to find the next message: the framer
 * then stays broken and the connection has to be closed. It buffers what it is given: the caller takes all messages out
 * with `next` before pushing more, which bounds it to one segment and one message.
 */

export interface FramerOptions {
  /** Longest message accepted, in bytes; the header itself cannot say more than 65 535. */
  readonly maxMessageLength?: number;
}

const headerLength = 8;
/** A peer that sends byte by byte must not make us keep one object per byte. */
const maxSegments = 64;

export class MessageFramer {
  readonly #maxMessageLength: number;
  #segments: Uint8Array[] = [];
  /** Bytes of the first segment that are already used. */
  #used = 0;
  #buffered = 0;
  #broken: string | undefined;

  constructor(options: FramerOptions = {}) {
    this.#maxMessageLength = options.maxMessageLength ?? 0xffff;
  }

  /** Bytes held and not yet returned. */
  get bufferedLength(): number {
    return this.#buffered;
  }

  /** Why no further message can be found; undefined as long as all is well. */
  get error(): string | undefined {
    return this.#broken;
  }

  push(segment: Uint8Array): void {
    if (this.#broken !== undefined || segment.length === 0) return;
    this.#segments.push(segment);
    this.#buffered += segment.length;
    if (this.#segments.length > maxSegments) this.#join();
  }

  #join(): void {
    this.#segments[0] = this.#segments[0]!.subarray(this.#used);
    this.#segments = [new Uint8Array(Buffer.concat(this.#segments, this.#buffered))];
    this.#used = 0;
  }

  /** The next whole message, or undefined when more bytes are needed (or `error` is set). */
  next(): Uint8Array | undefined {
    if (this.#buffered < headerLength || this.#broken !== undefined) return undefined;
    const length = (this.#byteAt(2) << 8) | this.#byteAt(3);
    if (length < headerLength || length > this.#maxMessageLength) {
      this.#broken = `message length ${length} is outside ${headerLength} to ${this.#maxMessageLength}`;
      this.#segments = [];
      this.#buffered = 0;
      return undefined;
    }
    return this.#buffered < length ? undefined : this.#take(length);
  }

  #byteAt(index: number): number {
    let at = this.#used + index;
    for (const segment of this.#segments) {
      if (at < segment.length) return segment[at]!;
      at -= segment.length;
    }
    throw new Error('unreachable: the caller has counted the bytes');
  }

  #take(length: number): Uint8Array {
    this.#buffered -= length;
    const first = this.#segments[0]!;
    const end = this.#used + length;
    if (end <= first.length) {
      const message = first.subarray(this.#used, end);
      this.#used = end;
      if (end === first.length) this.#dropSegments(1);
      return message;
    }
    const message = new Uint8Array(length);
    let filled = 0;
    let whole = 0;
    for (const segment of this.#segments) {
      const from = whole === 0 ? this.#used : 0;
      const part = segment.subarray(from, from + length - filled);
      message.set(part, filled);
      filled += part.length;
      if (filled === length) {
        this.#dropSegments(from + part.length === segment.length ? whole + 1 : whole);
        this.#used = this.#segments[0] === segment ? from + part.length : 0;
        return message;
      }
      whole++;
    }
    throw new Error('unreachable: the caller has counted the bytes');
  }

  #dropSegments(count: number): void {
    this.#segments.splice(0, count);
    this.#used = 0;
  }
}
