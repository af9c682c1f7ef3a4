/** Match records: `field u8, width u8, hasMask u8, zero u8, value, mask` (docs/native-boundary.md). */
import { fields, firstRegister, matchFields } from './schema.gen.js';

const metadata: readonly string[] = [
  ...(['in_port', 'in_phy_port', 'metadata', 'tunnel_id', 'conj_id', 'actset_output', 'packet_type'] as const),
];

/** A field of a packet's headers, not of what goes along with it. */
export function isHeader(field: number): boolean {
  return field < firstRegister && !metadata.includes(fields[field]!.name);
}

/** One field of a match. Values are numbers in the mathematical sense, whatever their width. */
export interface MatchEntry {
  readonly field: number;
  readonly value: bigint;
  /** Absent: every bit of the field. */
  readonly mask: bigint | undefined;
}

/** Bytes of a field's value. */
export function fieldWidth(field: number): number {
  return (fields[field]!.bits + 7) >> 3;
}

/** All bits of a field. */
export function fieldOnes(field: number): bigint {
  return (1n << BigInt(fields[field]!.bits)) - 1n;
}

/** Reads a network-order number of `width` bytes. */
export function readBig(bytes: Uint8Array, at: number, width: number): bigint {
  let value = 0n;
  for (let i = 0; i < width; i++) value = (value << 8n) | BigInt(bytes[at + i]!);
  return value;
}

/** Writes a network-order number of `width` bytes. */
export function writeBig(bytes: Uint8Array, at: number, width: number, value: bigint): void {
  let rest = value;
  for (let i = width - 1; i >= 0; i--) {
    bytes[at + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** Encodes entries, which must come in ascending field order, each field once. */
export function encodeMatch(entries: readonly MatchEntry[]): Uint8Array {
  const size = entries.reduce((sum, e) => sum + 4 + fieldWidth(e.field) * (e.mask === undefined ? 1 : 2), 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const { field, value, mask } of entries) {
    const width = fieldWidth(field);
    bytes[at] = field;
    bytes[at + 1] = width;
    bytes[at + 2] = mask === undefined ? 0 : 1;
    writeBig(bytes, at + 4, width, value);
    at += 4 + width;
    if (mask !== undefined) {
      writeBig(bytes, at, width, mask);
      at += width;
    }
  }
  return bytes;
}

/** Decodes a match; undefined when it is not one. */
export function decodeMatch(bytes: Uint8Array): MatchEntry[] | undefined {
  const entries: MatchEntry[] = [];
  let at = 0;
  let last = -1;
  while (at < bytes.length) {
    if (bytes.length - at < 4) return undefined;
    const [field, width, hasMask] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
    const size = 4 + width * (hasMask === 0 ? 1 : 2);
    if (field <= last || field >= matchFields || width !== fieldWidth(field) || hasMask > 1) return undefined;
    if (bytes.length - at < size) return undefined;
    const value = readBig(bytes, at + 4, width);
    const mask = hasMask === 0 ? undefined : readBig(bytes, at + 4 + width, width);
    const allowed = mask ?? fieldOnes(field);
    if ((value & ~allowed) !== 0n || (allowed & ~fieldOnes(field)) !== 0n) return undefined;
    entries.push({ field, value, mask });
    last = field;
    at += size;
  }
  return entries;
}
