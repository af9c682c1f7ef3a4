/** ICMP errors about a packet (RFC 792, RFC 1812 §4.3.2, §5.2.7; RFC 4443 §3). */
import type { Family } from '../compiler/index.js';
import { checksum, setU16, setU32 } from './bytes.js';
import { composeIp } from './compose.js';
import { type IpPacket, PROTOCOL, pseudoHeaderSum } from './ip-packet.js';

interface Kind {
  readonly type: number;
  readonly code: number;
}

/** What can be wrong, in the words of both protocols. */
export const IcmpError = {
  timeExceeded: { 4: { type: 11, code: 0 }, 6: { type: 3, code: 0 } },
  noRoute: { 4: { type: 3, code: 0 }, 6: { type: 1, code: 0 } },
  /** Its neighbour does not answer: host unreachable, address unreachable. */
  noHost: { 4: { type: 3, code: 1 }, 6: { type: 1, code: 3 } },
  prohibited: { 4: { type: 3, code: 13 }, 6: { type: 1, code: 1 } },
  portUnreachable: { 4: { type: 3, code: 3 }, 6: { type: 1, code: 4 } },
  /** Protocol unreachable; with IPv6 a parameter problem, an unrecognized next header. */
  noProtocol: { 4: { type: 3, code: 2 }, 6: { type: 4, code: 1 } },
  tooBig: { 4: { type: 3, code: 4 }, 6: { type: 2, code: 0 } },
} as const satisfies Readonly<Record<string, Readonly<Record<Family, Kind>>>>;
export type IcmpError = keyof typeof IcmpError;

/** Bytes of an error with all that it quotes, from the IP header on: RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c). */
const BYTES_MAX: Readonly<Record<Family, number>> = { 4: 576, 6: 1280 };
const IP_BYTES: Readonly<Record<Family, number>> = { 4: 20, 6: 40 };
const ICMP_BYTES = 8;
/** Errors are internetwork control, and keep what the packet asks for otherwise (RFC 1812 §4.3.2.5). */
const INTERNETWORK_CONTROL = 0xc0;
const TOS_BITS = 0x1e;

/**
 * From the IP header on. `info` is the second word of the ICMP header: the MTU, or a place in the packet; 0 for others.
 * The packet is quoted as it is now, with the TTL that forwarding has left it (RFC 1812 §4.3.2.3 allows that).
 */
export function icmpError(about: IpPacket, error: IcmpError, source: bigint, info: number, id: number): Uint8Array {
  const { family, src, bytes, trafficClass } = about;
  const { type, code } = IcmpError[error][family];
  const quoted = bytes.subarray(0, BYTES_MAX[family] - IP_BYTES[family] - ICMP_BYTES);
  const icmp = new Uint8Array(ICMP_BYTES + quoted.length);
  icmp[0] = type;
  icmp[1] = code;
  setU32(icmp, 4, info);
  icmp.set(quoted, ICMP_BYTES);
  const protocol = family === 4 ? PROTOCOL.icmp : PROTOCOL.icmp6;
  const start = family === 4 ? 0 : pseudoHeaderSum(6, source, src, protocol, icmp.length);
  setU16(icmp, 2, checksum(icmp, start));
  const tos = family === 4 ? (trafficClass & TOS_BITS) | INTERNETWORK_CONTROL : 0;
  return composeIp({ family, src: source, dst: src, protocol, trafficClass: tos, id, dontFragment: false }, icmp);
}
