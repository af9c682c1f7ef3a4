/** Port security of the model: which frames a guarded port may send (native/pipeline/source_filter.h says why). */
import { parseIpv4, parseIpv6 } from '../base/ip-address.js';
import type { PortSources } from './datapath.js';
import { ipProto, walkExtensions } from './model-extensions.js';
import { ethertype, fieldId, isVlan, u16At } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import { readBig } from './records-match.js';
import { type FieldName, Frag } from './schema.gen.js';

const RESERVED_MACS = 0x0180c2000000n;
const ARP_REQUEST = 1n;
const DHCP = { client: 68n, server: 67n };
const icmpv6 = { mldReport: 131, rs: 133, ra: 134, ns: 135, na: 136, redirect: 137, mldv2Report: 143 };
/** Mobile prefix solicitation and advertisement, multicast router discovery. */
const ofRouters = [icmpv6.ra, icmpv6.redirect, 146, 147, 151, 152, 153];
/** Bytes before the options, from the ICMPv6 type on (RFC 4861 §4). */
const optionsAt: Readonly<Record<number, number>> = {
  [icmpv6.rs]: 8,
  [icmpv6.ra]: 16,
  [icmpv6.ns]: 24,
  [icmpv6.na]: 24,
  [icmpv6.redirect]: 40,
};

interface Own {
  readonly mac: bigint;
  /** Undefined: any. */
  readonly ipv4: readonly bigint[] | undefined;
  readonly ipv6: readonly bigint[] | undefined;
}

/** The addresses of a port; among them the link-local one made from its MAC (RFC 4291, appendix A). */
function ownOf(sources: PortSources): Own {
  const mac = BigInt(`0x${sources.mac.replaceAll(':', '')}`);
  const linkLocal = (0xfe80n << 112n) | (((mac >> 24n) ^ 0x020000n) << 40n) | (0xfffen << 24n) | (mac & 0xffffffn);
  const listed = sources.ipv6?.map((text) => parseIpv6(text)!);
  return {
    mac,
    ipv4: sources.ipv4?.map((text) => parseIpv4(text)!),
    ipv6: listed === undefined || listed.length === 0 ? listed : [...listed, linkLocal],
  };
}

/** Whether a port with these sources may send the packet. */
export function admits(sources: PortSources, packet: ModelPacket): boolean {
  const own = ownOf(sources);
  const field = (name: FieldName) => packet.field(fieldId[name]);
  const locked = own.ipv4 !== undefined || own.ipv6 !== undefined;
  if (packet.frame.length < 14 || field('eth_src') !== own.mac) return false;
  if ((field('eth_dst') & ~0xfn) === RESERVED_MACS) return false;
  if (locked && !isUntagged(packet)) return false;
  switch (Number(field('eth_type'))) {
    case ethertype.arp:
      return packet.parsed.layout.l3 !== 0 && admitsArp(own, field);
    case ethertype.ipv4:
      return packet.parsed.layout.l3 !== 0 && admitsIpv4(own, packet, field);
    case ethertype.ipv6:
      return packet.parsed.layout.l3 !== 0 && admitsIpv6(own, packet, field('ipv6_src'));
    default:
      return !locked;
  }
}

/** Without a tag, or with a priority tag only. */
function isUntagged({ frame, parsed }: ModelPacket): boolean {
  const container = parsed.fields[fieldId.vlan_vid]!;
  if (container === 0n) return true;
  return (container & 0xfffn) === 0n && u16At(frame, 12) === ethertype.vlan && !isVlan(u16At(frame, 16));
}

type FieldOf = (name: FieldName) => bigint;

function admitsArp({ mac, ipv4 }: Own, field: FieldOf): boolean {
  if (field('arp_sha') !== mac) return false;
  if (ipv4 === undefined) return true;
  return field('arp_spa') === 0n ? field('arp_op') === ARP_REQUEST : ipv4.includes(field('arp_spa'));
}

function admitsIpv4({ ipv4 }: Own, { parsed }: ModelPacket, field: FieldOf): boolean {
  if (ipv4 === undefined) return true;
  if (field('ipv4_src') !== 0n) return ipv4.includes(field('ipv4_src'));
  const isDhcp = field('udp_src') === DHCP.client && field('udp_dst') === DHCP.server;
  return parsed.frag === Frag.none && field('ip_proto') === BigInt(ipProto.udp) && isDhcp;
}

function admitsIpv6(own: Own, { frame, parsed }: ModelPacket, source: bigint): boolean {
  const guarded = own.ipv6 !== undefined;
  const unspecified = source === 0n;
  if (guarded && (unspecified ? own.ipv6.length === 0 : !own.ipv6.includes(source))) return false;
  const { l3 } = parsed.layout;
  const length = l3 + 40 + u16At(frame, l3 + 4);
  const end = Math.min(frame.length, length);
  const { protoAt, next, frag } = walkExtensions(frame, l3, end);
  const proto = frame[protoAt]!;
  const anything = !(unspecified && guarded);
  if (frag === Frag.later) return anything;
  if (next === 0) return (proto === ipProto.noNext || proto === ipProto.esp) && anything;
  if (proto !== ipProto.icmpv6) return anything;
  if (next >= end) return false;
  const whole = length <= frame.length && frag === Frag.none;
  return admitsIcmpv6(own, frame.subarray(next, end), whole, unspecified);
}

/** `whole`: nothing is missing, and it is no fragment. `unspecified`: the source is `::`. */
function admitsIcmpv6(own: Own, message: Uint8Array, whole: boolean, unspecified: boolean): boolean {
  const type = message[0]!;
  if (own.ipv6 !== undefined) {
    if (ofRouters.includes(type)) return false;
    const beforeAddress: readonly number[] = [icmpv6.ns, icmpv6.mldReport, icmpv6.mldv2Report];
    if (unspecified && !(whole && beforeAddress.includes(type))) return false;
  }
  const fixed = optionsAt[type];
  if (fixed === undefined) return true;
  if (!whole || message.length < fixed) return false;
  const claims = type === icmpv6.na || (type === icmpv6.ns && unspecified);
  if (claims && own.ipv6 !== undefined && !own.ipv6.includes(readBig(message, 8, 16))) return false;
  return admitsOptions(own.mac, message.subarray(fixed));
}

/** Source and target link-layer addresses must be the port's own. */
function admitsOptions(mac: bigint, options: Uint8Array): boolean {
  for (let rest = options; rest.length > 0; ) {
    const length = rest.length < 8 ? 0 : rest[1]! * 8;
    if (length === 0 || length > rest.length) return false;
    if ((rest[0] === 1 || rest[0] === 2) && (length !== 8 || readBig(rest, 2, 6) !== mac)) return false;
    rest = rest.subarray(length);
  }
  return true;
}
