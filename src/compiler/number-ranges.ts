/** Ranges of numbers as values with masks. */

export interface Masked {
  readonly value: bigint;
  readonly mask: bigint;
}

export const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** The fewest values with masks that cover `low..high` exactly; both inclusive, at most 2 · bits of them. */
export function rangeToMasks(low: bigint, high: bigint, bits: number): Masked[] {
  const found: Masked[] = [];
  let at = low;
  while (at <= high) {
    let size = at === 0n ? 1n << BigInt(bits) : at & -at;
    while (at + size - 1n > high) size >>= 1n;
    found.push({ value: at, mask: ones(bits) & ~(size - 1n) });
    at += size;
  }
  return found;
}

/** Number of leading ones where the mask is a prefix. */
export function prefixBits(mask: bigint, bits: number): number {
  let length = 0;
  while (length < bits && ((mask >> BigInt(bits - 1 - length)) & 1n) === 1n) length++;
  return length;
}
