/**
 * A growing buffer for records of the native boundary: little-endian integers, every record on 8 bytes.
 * Reused from batch to batch, so that a stream of flow_mods allocates nothing here.
 */

const INITIAL_BYTES = 4096;

/** Rounds up to the alignment of records. */
export function align8(length: number): number {
  return (length + 7) & ~7;
}

/** A view for reading little-endian integers out of records. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class RecordWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = viewOf(this.#bytes);
  }

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** Forgets everything written after `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What was written, without copying: valid until the next write or reset. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for `count` zero bytes at the end; returns where they start. */
  reserve(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.fill(0, at, end);
    this.#length = end;
    return at;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }

  setU8(at: number, value: number): void {
    this.#bytes[at] = value;
  }
  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }
  setU64(at: number, value: bigint): void {
    this.#view.setBigUint64(at, value, true);
  }
  /** Copies `count` bytes of `source` to `at`; the place must have been reserved. */
  setBytes(at: number, source: Uint8Array, from = 0, count = source.length - from): void {
    const target = this.#bytes;
    if (count > 64) target.set(source.subarray(from, from + count), at);
    else for (let i = 0; i < count; i++) target[at + i] = source[from + i]!;
  }

  u8(value: number): void {
    this.setU8(this.reserve(1), value);
  }
  u16(value: number): void {
    this.setU16(this.reserve(2), value);
  }
  u32(value: number): void {
    this.setU32(this.reserve(4), value);
  }
  u64(value: bigint): void {
    this.setU64(this.reserve(8), value);
  }
  bytes(source: Uint8Array, from = 0, count = source.length - from): void {
    this.setBytes(this.reserve(count), source, from, count);
  }
  zeros(count: number): void {
    this.reserve(count);
  }
  /** Zeros up to the next multiple of 8. */
  pad8(): void {
    const count = align8(this.#length) - this.#length;
    if (count > 0) this.reserve(count);
  }
}
