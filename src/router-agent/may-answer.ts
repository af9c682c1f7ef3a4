/** About which packets an ICMP error may be sent (RFC 1812 §4.3.2.7, RFC 1122 §3.2.2, RFC 4443 §2.4 (e)). */
import { type Address, lastOf, networkOf, type RouterSubnet } from '../compiler/index.js';
import { type IpPacket, PROTOCOL } from './ip-packet.js';

/** ICMP messages that are no errors: echo, router discovery, timestamp, information, address mask. */
const ICMP_QUERIES: ReadonlySet<number> = new Set([0, 8, 9, 10, 13, 14, 15, 16, 17, 18]);
/** ICMPv6 errors are below (RFC 4443 §2.1). */
const ICMP6_INFORMATIONAL = 128;
const ICMP6_REDIRECT = 137;

export function mayAnswer(packet: IpPacket, subnets: readonly RouterSubnet[]): boolean {
  const { family, src, dst, fragmentOffset } = packet;
  // Of later fragments only IPv4 says it.
  if ((family === 4 && fragmentOffset !== 0) || isError(packet)) return false;
  return isOneHost({ family, value: src }, subnets) && !isGroup({ family, value: dst }, subnets);
}

/** What does not tell, being too short or a later fragment, is taken for one. */
function isError({ family, protocol, payload, fragmentOffset }: IpPacket): boolean {
  const type = fragmentOffset === 0 ? payload[0] : undefined;
  if (family === 4) return protocol === PROTOCOL.icmp && (type === undefined || !ICMP_QUERIES.has(type));
  if (protocol !== PROTOCOL.icmp6) return false;
  return type === undefined || type < ICMP6_INFORMATIONAL || type === ICMP6_REDIRECT;
}

function isOneHost(address: Address, subnets: readonly RouterSubnet[]): boolean {
  const { family, value } = address;
  if (isGroup(address, subnets)) return false;
  if (family === 6) return value > 1n;
  const first = value >> 24n;
  return first !== 0n && first !== 127n && first < 224n;
}

/** Multicast, or the broadcast address of all networks or of one that the router is in. */
export function isGroup({ family, value }: Address, subnets: readonly RouterSubnet[]): boolean {
  if (family === 6) return value >> 120n === 0xffn;
  if (value >> 28n === 0xen || value === 0xffff_ffffn) return true;
  return subnets.some(({ gateways }) =>
    gateways.some(
      (gateway) =>
        gateway.family === 4 &&
        gateway.length < 31 &&
        (value === lastOf(gateway) || value === networkOf(gateway).value),
    ),
  );
}
