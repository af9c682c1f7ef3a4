/** What a guest sent, as far as it is IP and whole. Never throws. */
import type { Family } from '../compiler/index.js';
import { checksum, numberAt, sum16, u16 } from './bytes.js';

export const ETHERNET_BYTES = 14;
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

export interface IpPacket {
  readonly family: Family;
  readonly src: bigint;
  readonly dst: bigint;
  /** From the IP header to the end of the packet, without what pads the frame, as far as it is here. */
  readonly bytes: Uint8Array;
  /** Bytes that are not here. */
  readonly missing: number;
  /** TOS or traffic class. */
  readonly trafficClass: number;
  /** Of the payload; of a later fragment that of the whole. */
  readonly protocol: number;
  /** Where it stands in an IPv6 header that names it; the header's own place in IPv4. */
  readonly protocolAt: number;
  /** Behind all headers of IP. */
  readonly payload: Uint8Array;
  /** In bytes; 0: it has its first byte. */
  readonly fragmentOffset: number;
  /** Not all of the payload is there. */
  readonly fragmented: boolean;
}

/**
 * Of an Ethernet frame without tag; undefined: it is no IP, or not as RFC 791, RFC 8200 want it. `total`: bytes of the frame,
 * where not all of them are here.
 */
export function readIpPacket(frame: Uint8Array, total = frame.length): IpPacket | undefined {
  if (frame.length < ETHERNET_BYTES) return undefined;
  const rest = frame.subarray(ETHERNET_BYTES);
  switch (u16(frame, 12)) {
    case ETHERTYPE.ipv4:
      return readIpv4(rest, total - ETHERNET_BYTES);
    case ETHERTYPE.ipv6:
      return readIpv6(rest, total - ETHERNET_BYTES);
    default:
      return undefined;
  }
}

const IPV4_BYTES = 20;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_BITS = 0x1fff;

function readIpv4(rest: Uint8Array, most: number): IpPacket | undefined {
  if (rest.length < IPV4_BYTES || rest[0]! >> 4 !== 4) return undefined;
  const [header, total] = [(rest[0]! & 0xf) * 4, u16(rest, 2)];
  if (header < IPV4_BYTES || total < header || header > rest.length || total > most) return undefined;
  if (checksum(rest.subarray(0, header)) !== 0) return undefined;
  const bytes = rest.subarray(0, total);
  const fragment = u16(bytes, 6);
  return {
    family: 4,
    src: numberAt(bytes, 12, 4),
    dst: numberAt(bytes, 16, 4),
    bytes,
    missing: total - bytes.length,
    trafficClass: bytes[1]!,
    protocol: bytes[9]!,
    protocolAt: 9,
    payload: bytes.subarray(header),
    fragmentOffset: (fragment & OFFSET_BITS) * 8,
    fragmented: (fragment & (OFFSET_BITS | MORE_FRAGMENTS)) !== 0,
  };
}

const IPV6_BYTES = 40;
/** Headers that stand before the payload, and how long they are (RFC 8200 §4, RFC 4302 §2). */
const EXTENSION = { hopByHop: 0, routing: 43, fragment: 44, authentication: 51, destination: 60 } as const;
const EXTENSIONS_MAX = 8;

function readIpv6(rest: Uint8Array, most: number): IpPacket | undefined {
  if (rest.length < IPV6_BYTES || rest[0]! >> 4 !== 6) return undefined;
  const total = IPV6_BYTES + u16(rest, 4);
  if (total > most) return undefined;
  const bytes = rest.subarray(0, total);
  let [protocol, protocolAt, at, fragment] = [bytes[6]!, 6, IPV6_BYTES, 0];
  for (let headers = 0; isExtension(protocol) && (fragment & ~7 & 0xffff) === 0; headers++) {
    if (headers === EXTENSIONS_MAX || at + 8 > bytes.length) return undefined;
    const length = extensionBytes(protocol, bytes[at + 1]!);
    if (at + length > bytes.length) return undefined;
    if (protocol === EXTENSION.fragment) fragment = u16(bytes, at + 2);
    [protocol, protocolAt] = [bytes[at]!, at];
    at += length;
  }
  return {
    family: 6,
    src: numberAt(bytes, 8, 16),
    dst: numberAt(bytes, 24, 16),
    bytes,
    missing: total - bytes.length,
    trafficClass: (u16(bytes, 0) >> 4) & 0xff,
    protocol,
    protocolAt,
    payload: bytes.subarray(at),
    fragmentOffset: fragment & ~7,
    fragmented: (fragment & ~6) !== 0,
  };
}

const isExtension = (protocol: number): boolean => (Object.values(EXTENSION) as number[]).includes(protocol);

function extensionBytes(kind: number, length: number): number {
  if (kind === EXTENSION.fragment) return 8;
  return kind === EXTENSION.authentication ? (length + 2) * 4 : (length + 1) * 8;
}

/** Sum of the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 §3.1, RFC 8200 §8.1). */
export function pseudoHeaderSum(family: Family, src: bigint, dst: bigint, protocol: number, length: number): number {
  let addresses = 0;
  for (let shift = family === 4 ? 16n : 112n; shift >= 0n; shift -= 16n) {
    addresses += Number((src >> shift) & 0xffffn) + Number((dst >> shift) & 0xffffn);
  }
  return addresses + protocol + (length >>> 16) + (length & 0xffff);
}

/** Whether the checksum that TCP, UDP and ICMPv6 put over their payload is right. What is not all here cannot tell. */
export function hasRightChecksum({ family, src, dst, protocol, payload, missing, fragmented }: IpPacket): boolean {
  if (fragmented || missing > 0) return true;
  return sum16(payload, pseudoHeaderSum(family, src, dst, protocol, payload.length)) === 0xffff;
}
