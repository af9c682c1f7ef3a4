/**
 * Writing of network-order bytes into a buffer that grows.
 *
 * Lengths are not computed before, they are patched after: `const at = w.mark(); …; w.patchLength(at, 2)`. A value that
 * does not fit its field is the caller's bug and throws EncodeError; nothing is ever cut silently except names.
 */
import { EncodeError } from './error.js';

export class WireWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Position to be given to `patchLength` later. */
  mark(): number {
    return this.#length;
  }

  #grow(count: number): number {
    const at = this.#length;
    const length = at + count;
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    this.#length = length;
    return at;
  }

  u8(value: number): void {
    if ((value & 0xff) !== value) throw new EncodeError(`${value} is no 8-bit number`);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    if ((value & 0xffff) !== value) throw new EncodeError(`${value} is no 16-bit number`);
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    if (value >>> 0 !== value) throw new EncodeError(`${value} is no 32-bit number`);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  u64(value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new EncodeError(`${value} is no 64-bit number`);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  /** Bytes of a field whose width the protocol fixes. */
  exactly(value: Uint8Array, width: number): void {
    if (value.length !== width) throw new EncodeError(`${value.length} bytes where the field has ${width}`);
    this.bytes(value);
  }

  zero(count: number): void {
    const at = this.#grow(count);
    this.#bytes.fill(0, at, at + count);
  }

  /** Zeroes until the bytes since `start` are a multiple of 8. */
  padTo8(start: number): void {
    const over = (this.#length - start) & 7;
    if (over !== 0) this.zero(8 - over);
  }

  /** Text in a field of `width` bytes, NUL at the end; what does not fit is cut between characters. */
  text(value: string, width: number): void {
    let field = Buffer.from(value, 'utf8');
    if (field.length >= width) {
      let end = width - 1;
      while (end > 0 && (field[end]! & 0xc0) === 0x80) end--;
      field = field.subarray(0, end);
    }
    this.bytes(field);
    this.zero(width - field.length);
  }

  patchU16(at: number, value: number): void {
    if ((value & 0xffff) !== value) throw new EncodeError(`${value} is no 16-bit number`);
    this.#view.setUint16(at, value);
  }

  /** Copies the 16 bits at `from` to `to`; both have been written. */
  copyU16(from: number, to: number): void {
    this.#view.setUint16(to, this.#view.getUint16(from));
  }

  /** Writes the number of bytes since `start` into the 16-bit field `offset` bytes behind `start`. */
  patchLength(start: number, offset: number): void {
    const length = this.#length - start;
    if (length > 0xffff) throw new EncodeError(`${length} bytes are more than a length field can say`);
    this.#view.setUint16(start + offset, length);
  }

  /** Takes back what was written since `length`. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** What was written, without a copy: the writer must not be used any more. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
