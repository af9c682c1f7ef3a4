/**
 * Bounds-checked reading of network-order bytes.
 *
 * A reader is told which OpenFlow error a lack of bytes is in the structure it covers, so the code that reads a
 * structure does not mention lengths: running out of an action is BAD_ACTION/BAD_LEN by construction.
 * Byte strings are returned as views, not copies; they live as long as the message they were cut from.
 */
import { WireError } from './error.js';

export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #errorType: number;
  readonly #errorCode: number;
  #offset: number;

  /** Reads bytes[start, end); `errorType`/`errorCode` are what a lack or an excess of bytes is answered with. */
  constructor(
    bytes: Uint8Array,
    errorType: number,
    errorCode: number,
    start = 0,
    end = bytes.length,
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  ) {
    this.#bytes = bytes;
    this.#view = view;
    this.#offset = start;
    this.#end = end;
    this.#errorType = errorType;
    this.#errorCode = errorCode;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** The failure this reader was given for its structure's length. */
  lengthError(what: string): WireError {
    return new WireError(this.#errorType, this.#errorCode, what);
  }

  #take(count: number): number {
    const at = this.#offset;
    if (count > this.#end - at || count < 0) {
      throw this.lengthError(`${count} bytes wanted, ${this.#end - at} there`);
    }
    this.#offset = at + count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** The next `count` bytes, as a view. Always a plain Uint8Array, also when the input is a Buffer. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, count);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** A field of `count` bytes holding text up to the first NUL. */
  text(count: number): string {
    const field = this.bytes(count);
    const nul = field.indexOf(0);
    return Buffer.from(field.buffer, field.byteOffset, nul < 0 ? count : nul).toString('utf8');
  }

  /** A reader over what is left, which this one does not skip: to look ahead. */
  fork(): WireReader {
    return new WireReader(this.#bytes, this.#errorType, this.#errorCode, this.#offset, this.#end, this.#view);
  }

  /** A reader over the next `count` bytes, which this one skips. If they are not there it is the inner length's fault. */
  sub(count: number, errorType = this.#errorType, errorCode = this.#errorCode): WireReader {
    const at = this.#offset;
    if (count > this.#end - at || count < 0) {
      throw new WireError(errorType, errorCode, `length ${count} where ${this.#end - at} bytes are left`);
    }
    this.#offset = at + count;
    return new WireReader(this.#bytes, errorType, errorCode, at, at + count, this.#view);
  }

  /**
   * A reader over the next structure, which says its own length in the 16-bit field at `lengthAt`; it starts at the
   * structure's first byte. A length that does not even cover its own field, or more than what is left, is an error.
   */
  sized(lengthAt: number, errorType = this.#errorType, errorCode = this.#errorCode): WireReader {
    const at = this.#offset + lengthAt;
    if (at + 2 > this.#end) throw new WireError(errorType, errorCode, 'too short for its header');
    const length = this.#view.getUint16(at);
    if (length < lengthAt + 2) throw new WireError(errorType, errorCode, `length ${length} is less than its header`);
    return this.sub(length, errorType, errorCode);
  }

  /** Everything must have been read: OpenFlow refuses a fixed structure that is too long, too. */
  expectEnd(): void {
    if (this.#offset !== this.#end) throw this.lengthError(`${this.remaining} bytes too many`);
  }
}
