/**
 * Packet types in the model (OpenFlow 1.5.1 §7.2.3.11): headers around packets and off them, and the service header.
 *
 * A packet without an Ethernet header is kept behind one that it does not have, as in native/actions/modify_type.h:
 * addresses of 0 and the ethertype that is its packet type.
 */
import { ethertype, fieldId, isMpls, isVlan, nsh, serviceHeaderBytes, u16At } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import type { EncapRecord } from './records-encap.js';
import { readBig, writeBig } from './records-match.js';

export type EncapVerdict = 'ok' | 'invalid_ttl' | 'no_room' | 'packet_type';

/** packet_type: namespace 1 has ethertypes. */
export const packetTypeOf = (type: number): number => 0x10000 | type;
const ETHERNET = 0;

const ETHERNET_BYTES = 14;
const LABEL_BYTES = 4;
const TTL_DEFAULT = 64;
const IPV6_EXPLICIT_NULL = 2;
/** kNshContextMax and kNshContextValueMax of native/base/limits.h. */
const CONTEXT_MAX = 40;
const CONTEXT_VALUE_MAX = 127;

const nextProtocols: ReadonlyMap<number, number> = new Map([
  [nsh.next.ipv4, ethertype.ipv4],
  [nsh.next.ipv6, ethertype.ipv6],
  [nsh.next.nsh, ethertype.nsh],
]);

function typed(rest: Uint8Array, type: number, header: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + header.length + rest.length);
  writeBig(frame, 12, 2, BigInt(type));
  frame.set(header, ETHERNET_BYTES);
  frame.set(rest, ETHERNET_BYTES + header.length);
  return frame;
}

/** In front of the packet, or behind the Ethernet header that it does not have. */
function wrap(packet: ModelPacket, type: number, header: Uint8Array): EncapVerdict {
  const room = header.length + (packet.bare ? 0 : ETHERNET_BYTES);
  if (packet.headroom < room) return 'no_room';
  packet.headroom -= room;
  const rest = packet.bare ? packet.frame.subarray(ETHERNET_BYTES) : packet.frame;
  packet.bare = true;
  packet.replace(typed(rest, type, header));
  return 'ok';
}

/** Without the first `bytes` behind the Ethernet header that is none; `type` 0: what is left is a frame. */
function unwrap(packet: ModelPacket, bytes: number, type: number): EncapVerdict {
  const rest = packet.frame.slice(ETHERNET_BYTES + bytes);
  if (type === 0) {
    if (rest.length < ETHERNET_BYTES) return 'packet_type';
    packet.headroom += ETHERNET_BYTES;
    packet.bare = false;
  }
  packet.headroom += bytes;
  packet.replace(type === 0 ? rest : typed(rest, type, new Uint8Array(0)));
  return 'ok';
}

function encapService(
  packet: ModelPacket,
  { mdType, context }: EncapRecord & { readonly kind: 'encap' },
): EncapVerdict {
  const type = Number(packet.field(fieldId.eth_type));
  const next = packet.bare ? [...nextProtocols].find(([, carried]) => carried === type)?.[0] : nsh.next.ethernet;
  if (next === undefined) return 'packet_type';
  const type2 = mdType === nsh.mdType2;
  const header = new Uint8Array(type2 ? 8 + context.length : 24);
  writeBig(header, 0, 2, BigInt((nsh.ttlMax << 6) | (header.length / 4)));
  header.set([type2 ? nsh.mdType2 : nsh.mdType1, next, 0, 0, 0, 255], 2);
  if (type2) header.set(context, 8);
  return wrap(packet, ethertype.nsh, header);
}

/** As Open vSwitch: of IP the traffic class and TTL, and the label that means IP. */
function firstEntry(packet: ModelPacket): number {
  const type = Number(packet.field(fieldId.eth_type));
  const label = type === ethertype.ipv6 ? IPV6_EXPLICIT_NULL : 0;
  const trafficClass = Number(packet.field(fieldId.ip_dscp)) & 7;
  const ttl = Number(packet.field(fieldId.nw_ttl));
  return (label << 12) | (trafficClass << 9) | 0x100 | (ttl === 0 ? TTL_DEFAULT : ttl);
}

function encapMpls(packet: ModelPacket, type: number): EncapVerdict {
  const { mpls } = packet.parsed.layout;
  const stacked = packet.bare && mpls !== 0;
  const entry = stacked ? readBig(packet.frame, mpls, LABEL_BYTES) & ~0x100n : BigInt(firstEntry(packet));
  const header = new Uint8Array(LABEL_BYTES);
  writeBig(header, 0, LABEL_BYTES, entry);
  return wrap(packet, type, header);
}

function encap(packet: ModelPacket, action: EncapRecord & { readonly kind: 'encap' }): EncapVerdict {
  if (packet.frame.length < ETHERNET_BYTES) return 'packet_type';
  if (action.packetType === packetTypeOf(ethertype.nsh)) return encapService(packet, action);
  if (action.packetType !== ETHERNET) return encapMpls(packet, action.packetType & 0xffff);
  if (!packet.bare) return 'packet_type';
  packet.bare = false;
  return 'ok';
}

function decapEthernet(packet: ModelPacket): EncapVerdict {
  const { ethertypeAt, lengthAt } = packet.parsed.layout;
  if (ethertypeAt !== 12 || lengthAt !== 0 || isVlan(u16At(packet.frame, 12))) return 'packet_type';
  packet.bare = true;
  packet.replace(typed(packet.frame.subarray(ETHERNET_BYTES), u16At(packet.frame, 12), new Uint8Array(0)));
  return 'ok';
}

function decapMpls(packet: ModelPacket, type: number, wanted: number): EncapVerdict {
  const { mpls } = packet.parsed.layout;
  if (mpls === 0) return 'packet_type';
  const last = (packet.frame[mpls + 2]! & 1) !== 0;
  const carried = wanted & 0xffff;
  if (!last) return unwrap(packet, LABEL_BYTES, type);
  if (wanted === ETHERNET) return unwrap(packet, LABEL_BYTES, 0);
  const known = wanted === packetTypeOf(carried) && carried >= 0x600 && !isVlan(carried);
  return known ? unwrap(packet, LABEL_BYTES, carried) : 'packet_type';
}

function decap(packet: ModelPacket, wanted: number): EncapVerdict {
  if (packet.frame.length < ETHERNET_BYTES) return 'packet_type';
  if (!packet.bare) return decapEthernet(packet);
  const type = Number(packet.field(fieldId.eth_type));
  if (isMpls(type)) return decapMpls(packet, type, wanted);
  const bytes = type === ethertype.nsh ? serviceHeaderBytes(packet.frame, ETHERNET_BYTES) : 0;
  if (bytes === 0) return 'packet_type';
  const next = packet.frame[ETHERNET_BYTES + 3]!;
  if (next === nsh.next.ethernet) return unwrap(packet, bytes, 0);
  const carried = nextProtocols.get(next);
  return carried === undefined ? 'packet_type' : unwrap(packet, bytes, carried);
}

function decrementTtl(packet: ModelPacket): EncapVerdict {
  const { nsh: at } = packet.parsed.layout;
  if (at === 0) return 'ok';
  const ttl = Number(packet.field(fieldId.nsh_ttl));
  if (ttl <= 1) return 'invalid_ttl';
  const frame = packet.frame.slice();
  writeBig(frame, at, 2, BigInt((u16At(frame, at) & ~0xfc0) | ((ttl - 1) << 6)));
  packet.replace(frame);
  return 'ok';
}

export function changeType(packet: ModelPacket, action: EncapRecord): EncapVerdict {
  if (action.kind === 'encap') return encap(packet, action);
  return action.kind === 'decap' ? decap(packet, action.packetType) : decrementTtl(packet);
}

/** Context headers of MD type 2, one behind the other. */
function areContexts(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at + 3];
    if (length === undefined || length > CONTEXT_VALUE_MAX) return false;
    const end = at + 4 + ((length + 3) & ~3);
    if (end > bytes.length || bytes.subarray(at + 4 + length, end).some((byte) => byte !== 0)) return false;
    at = end;
  }
  return true;
}

/** Right in itself (native/actions/validate_nicira.cc). */
export function isEncap(action: EncapRecord): boolean {
  if (action.kind !== 'encap') return true;
  const { packetType, mdType, context } = action;
  if (packetType !== packetTypeOf(ethertype.nsh)) {
    const type = packetType === ETHERNET || (packetType >>> 16 === 1 && isMpls(packetType & 0xffff));
    return type && mdType === 0 && context.length === 0;
  }
  return mdType <= nsh.mdType2 && context.length <= CONTEXT_MAX && areContexts(context);
}
