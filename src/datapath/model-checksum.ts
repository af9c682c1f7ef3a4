/** Checksums of the model: what an edit changed is carried into the checksums that cover it (RFC 1624). */
import { ipProto, type Layout, u16At } from './model-packet.js';

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

/** RFC 1624 equation 3. */
export function updated(checksum: number, from: number, to: number): number {
  let sum = (~checksum & 0xffff) + (~from & 0xffff) + to;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** `checksum` after the words of [from, to) changed from `before` to `after`; the word at `except` is the checksum. */
function updatedRange(
  checksum: number,
  before: Uint8Array,
  after: Uint8Array,
  range: { readonly from: number; readonly to: number; readonly except?: number },
): number {
  let result = checksum;
  for (let at = range.from; at + 1 < range.to; at += 2) {
    const [old, now] = [u16At(before, at), u16At(after, at)];
    if (at !== range.except && old !== now) result = updated(result, old, now);
  }
  return result;
}

export function isIpv4(frame: Uint8Array, l3: number): boolean {
  return l3 !== 0 && frame[l3]! >> 4 === 4;
}

/** The IPv4 header checksum, after anything in the header at `l3` changed. */
export function updateIpv4(before: Uint8Array, after: Uint8Array, l3: number): void {
  const end = l3 + (after[l3]! & 15) * 4;
  const checksum = updatedRange(u16At(after, l3 + 10), before, after, { from: l3, to: end, except: l3 + 10 });
  put16(after, l3 + 10, checksum);
}

/** Offset of the checksum in an L4 header, and the bytes the header needs to have one. */
const checksumPlace: Readonly<Record<number, number>> = {
  [ipProto.tcp]: 16,
  [ipProto.udp]: 6,
  [ipProto.icmp]: 2,
  [ipProto.icmpv6]: 2,
};

/**
 * The L4 checksum, after addresses, the protocol or the first words of the L4 header changed. `layout` is that of
 * `before`; lengths are the same. The protocol that was there says where the checksum stands.
 */
export function updateL4(before: Uint8Array, after: Uint8Array, layout: Layout, fragment: boolean): void {
  const { l3, l4, protoAt } = layout;
  if (l4 === 0) return;
  const proto = before[protoAt]!;
  if (proto === ipProto.sctp) {
    if (!fragment) updateSctp(before, after, layout);
    return;
  }
  const place = checksumPlace[proto];
  if (place === undefined) return;
  const at = l4 + place;
  const old = u16At(after, at);
  if (proto === ipProto.udp && old === 0) return;
  let checksum = old;
  if (proto !== ipProto.icmp) {
    // With segments left the pseudo header has the final destination, out of the routing header (RFC 8200 §8.1).
    const ipv6End = layout.routed ? l3 + 24 : l3 + 40;
    const addresses = isIpv4(before, l3) ? { from: l3 + 12, to: l3 + 20 } : { from: l3 + 8, to: ipv6End };
    checksum = updatedRange(checksum, before, after, addresses);
    if (after[protoAt] !== proto) checksum = updated(checksum, proto, after[protoAt]!);
  }
  checksum = updatedRange(checksum, before, after, { from: l4, to: after.length, except: at });
  if (proto === ipProto.udp && checksum === 0) checksum = 0xffff;
  put16(after, at, checksum);
}

/** CRC32c, bit by bit (RFC 9260 appendix A). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) !== 0 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** CRC is linear: the stored value changes by what the right value changes by. */
function updateSctp(before: Uint8Array, after: Uint8Array, layout: Layout): void {
  const length = ipEnd(before, layout.l3) - layout.l4;
  const change = sctpCrc(before, layout.l4, length) ^ sctpCrc(after, layout.l4, length);
  for (let i = 0; i < 4; i++) after[layout.l4 + 8 + i]! ^= (change >>> (8 * i)) & 0xff;
}

/** Of a message that is not whole the missing bytes do not matter: they are the same before and after. */
function sctpCrc(frame: Uint8Array, at: number, length: number): number {
  const message = new Uint8Array(length);
  message.set(frame.subarray(at, at + length));
  message.fill(0, 8, 12);
  return crc32c(message);
}

/** Where the IP packet at `l3` ends by its own length field. */
function ipEnd(frame: Uint8Array, l3: number): number {
  return isIpv4(frame, l3) ? l3 + u16At(frame, l3 + 2) : l3 + 40 + u16At(frame, l3 + 4);
}
