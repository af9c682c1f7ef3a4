/** Fragments of an IPv4 packet that is longer than what a subnet takes (RFC 791 §3.2, RFC 1812 §5.3.5.2). */
import { checksum, setU16, u16 } from './bytes.js';

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_BITS = 0x1fff;
const FIXED_BYTES = 20;
const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
/** This option stands in every fragment. */
const COPIED = 0x80;

export const mayBeFragmented = (packet: Uint8Array): boolean => (u16(packet, 6) & DONT_FRAGMENT) === 0;

const PACKET_BYTES_MAX = 65_535;

/**
 * From the IP header on, each at most `mtu` bytes (68 or more); none where it would end beyond what an IP packet can have.
 * The packet is whole and has a right header.
 */
export function fragments(packet: Uint8Array, mtu: number): readonly Uint8Array[] {
  const length = (packet[0]! & 0xf) * 4;
  const [first, later] = [packet.subarray(0, length), laterHeader(packet.subarray(0, length))];
  const [payload, flags] = [packet.subarray(length), u16(packet, 6)];
  const made: Uint8Array[] = [];
  if ((flags & OFFSET_BITS) * 8 + packet.length > PACKET_BYTES_MAX) return made;
  for (let at = 0; at < payload.length; ) {
    const header = at === 0 ? first : later;
    const room = (mtu - header.length) & ~7;
    const rest = payload.length - at;
    const taken = rest <= mtu - header.length ? rest : room;
    const more = taken < rest ? MORE_FRAGMENTS : flags & MORE_FRAGMENTS;
    made.push(withHeader(header, payload.subarray(at, at + taken), more | ((flags & OFFSET_BITS) + at / 8)));
    at += taken;
  }
  return made;
}

function withHeader(header: Uint8Array, payload: Uint8Array, fragment: number): Uint8Array {
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  bytes[0] = 0x40 | (header.length / 4);
  setU16(bytes, 2, bytes.length);
  setU16(bytes, 6, fragment);
  setU16(bytes, 10, 0);
  setU16(bytes, 10, checksum(bytes.subarray(0, header.length)));
  return bytes;
}

/** Without the options that only the first has. */
function laterHeader(header: Uint8Array): Uint8Array {
  const kept: number[] = [];
  for (let at = FIXED_BYTES; at < header.length && header[at] !== END_OF_OPTIONS; ) {
    const kind = header[at]!;
    const length = kind === NO_OPERATION ? 1 : (header[at + 1] ?? 0);
    if (kind !== NO_OPERATION && (length < 2 || at + length > header.length)) break;
    if ((kind & COPIED) !== 0) kept.push(...header.subarray(at, at + length));
    at += length;
  }
  const bytes = new Uint8Array(FIXED_BYTES + ((kept.length + 3) & ~3));
  bytes.set(header.subarray(0, FIXED_BYTES));
  bytes.set(kept, FIXED_BYTES);
  return bytes;
}
