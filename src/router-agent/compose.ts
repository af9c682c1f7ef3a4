/** Headers of what the router says by itself. */
import type { Family } from '../compiler/index.js';
import { checksum, macBytes, setNumber, setU16 } from './bytes.js';
import { ETHERNET_BYTES, ETHERTYPE } from './ip-packet.js';

/** TTL and hop limit of a router's own packets (RFC 1700). */
const OWN_TTL = 64;
const DONT_FRAGMENT = 0x4000;

export interface IpHeader {
  readonly family: Family;
  readonly src: bigint;
  readonly dst: bigint;
  readonly protocol: number;
  readonly trafficClass: number;
  /** Of IPv4; 16 bits. */
  readonly id: number;
  readonly dontFragment: boolean;
  /** Default: 64. */
  readonly ttl?: number;
}

/** An IP packet; the payload has its checksum. */
export function composeIp(header: IpHeader, payload: Uint8Array): Uint8Array {
  const { family, src, dst, protocol, trafficClass, id, dontFragment, ttl = OWN_TTL } = header;
  const length = family === 4 ? 20 : 40;
  const bytes = new Uint8Array(length + payload.length);
  bytes.set(payload, length);
  if (family === 4) {
    bytes[0] = 0x45;
    bytes[1] = trafficClass;
    setU16(bytes, 2, bytes.length);
    setU16(bytes, 4, id);
    setU16(bytes, 6, dontFragment ? DONT_FRAGMENT : 0);
    bytes[8] = ttl;
    bytes[9] = protocol;
    setNumber(bytes, 12, 4, src);
    setNumber(bytes, 16, 4, dst);
    setU16(bytes, 10, checksum(bytes.subarray(0, length)));
  } else {
    setU16(bytes, 0, 0x6000 | (trafficClass << 4));
    setU16(bytes, 4, payload.length);
    bytes[6] = protocol;
    bytes[7] = ttl;
    setNumber(bytes, 8, 16, src);
    setNumber(bytes, 24, 16, dst);
  }
  return bytes;
}

/** `dst` and `src`: MAC addresses, `aa:bb:cc:dd:ee:ff`. */
export function composeFrame(dst: string, src: string, ethertype: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + payload.length);
  frame.set(macBytes(dst), 0);
  frame.set(macBytes(src), 6);
  setU16(frame, 12, ethertype);
  frame.set(payload, ETHERNET_BYTES);
  return frame;
}

export const ipEthertype = (family: Family): number => (family === 4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6);
