/** ARP (RFC 826) and neighbour discovery (RFC 4861 §4.3, §4.4): what the router asks, and what it is told. */
import type { Address, Family } from '../compiler/index.js';
import { checksum, macBytes, macText, numberAt, setNumber, setU16, u16 } from './bytes.js';
import { composeFrame, composeIp } from './compose.js';
import { ETHERNET_BYTES, ETHERTYPE, hasRightChecksum, PROTOCOL, pseudoHeaderSum, readIpPacket } from './ip-packet.js';

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ARP_BYTES = 28;
const ARP_ETHERNET = 1;
const ARP_REQUEST = 1;
const ND_SOLICIT = 135;
const ND_ADVERTISE = 136;
const ND_HOP_LIMIT = 255;
const ND_BYTES = 24;
const SOURCE_LINK_OPTION = 1;
const TARGET_LINK_OPTION = 2;
/** Of an advertisement: it answers a question. */
const SOLICITED = 0x40;
/** ff02::1:ff00:0/104 (RFC 4291 §2.7.1). */
const SOLICITED_NODE = 0xff02_0000_0000_0000_0000_0001_ff00_0000n;

export interface Question {
  readonly target: Address;
  /** The router's own in that network. */
  readonly own: Address;
  readonly ownMac: string;
  /** Where it was last, to ask only there; undefined: all are asked. */
  readonly mac: string | undefined;
}

/** A frame that asks who has an address. */
export const question = (asked: Question): Uint8Array =>
  asked.target.family === 4 ? arpRequest(asked) : solicitation(asked);

function arpRequest({ target, own, ownMac, mac }: Question): Uint8Array {
  const arp = new Uint8Array(ARP_BYTES);
  setU16(arp, 0, ARP_ETHERNET);
  setU16(arp, 2, ETHERTYPE.ipv4);
  arp[4] = 6;
  arp[5] = 4;
  setU16(arp, 6, ARP_REQUEST);
  arp.set(macBytes(ownMac), 8);
  setNumber(arp, 14, 4, own.value);
  setNumber(arp, 24, 4, target.value);
  return composeFrame(mac ?? BROADCAST, ownMac, ETHERTYPE.arp, arp);
}

function solicitation({ target, own, ownMac, mac }: Question): Uint8Array {
  const message = new Uint8Array(ND_BYTES + 8);
  message[0] = ND_SOLICIT;
  setNumber(message, 8, 16, target.value);
  message[ND_BYTES] = SOURCE_LINK_OPTION;
  message[ND_BYTES + 1] = 1;
  message.set(macBytes(ownMac), ND_BYTES + 2);
  const last = target.value & 0xff_ffffn;
  const dst = mac === undefined ? SOLICITED_NODE | last : target.value;
  setU16(message, 2, checksum(message, pseudoHeaderSum(6, own.value, dst, PROTOCOL.icmp6, message.length)));
  const header = { family: 6 as const, src: own.value, dst, protocol: PROTOCOL.icmp6, trafficClass: 0, id: 0 };
  const packet = composeIp({ ...header, dontFragment: false, ttl: ND_HOP_LIMIT }, message);
  const group = `33:33:${macText(Uint8Array.of(0xff, ...[16n, 8n, 0n].map((shift) => Number((last >> shift) & 0xffn))))}`;
  return composeFrame(mac ?? group, ownMac, ETHERTYPE.ipv6, packet);
}

export interface Told {
  readonly family: Family;
  readonly value: bigint;
  /** Undefined: it does not say where. */
  readonly mac: string | undefined;
  /** It hears us: this answers a question. */
  readonly confirms: boolean;
}

/** Who says to be there, and where; undefined: it says nothing of the kind, or not as it has to be. Never throws. */
export function readTold(frame: Uint8Array): Told | undefined {
  if (frame.length < ETHERNET_BYTES) return undefined;
  const told = u16(frame, 12) === ETHERTYPE.arp ? readArp(frame.subarray(ETHERNET_BYTES)) : readAdvertisement(frame);
  if (told?.mac === undefined) return told && { ...told, mac: undefined };
  return isStation(told.mac) ? { ...told, mac: macText(told.mac) } : undefined;
}

/** Neither a group's nor 0. */
const isStation = (mac: Uint8Array): boolean => (mac[0]! & 1) === 0 && mac.some((byte) => byte !== 0);

interface Found extends Omit<Told, 'mac'> {
  readonly mac: Uint8Array | undefined;
}

function readArp(arp: Uint8Array): Found | undefined {
  if (arp.length < ARP_BYTES || u16(arp, 0) !== ARP_ETHERNET || u16(arp, 2) !== ETHERTYPE.ipv4) return undefined;
  if (arp[4] !== 6 || arp[5] !== 4) return undefined;
  return { family: 4, value: numberAt(arp, 14, 4), mac: arp.subarray(8, 14), confirms: true };
}

/** RFC 4861 §7.1.2 */
function readAdvertisement(frame: Uint8Array): Found | undefined {
  const packet = readIpPacket(frame);
  if (packet?.family !== 6 || packet.protocol !== PROTOCOL.icmp6 || packet.fragmented) return undefined;
  const { payload, bytes } = packet;
  if (payload.length < ND_BYTES || payload[0] !== ND_ADVERTISE || payload[1] !== 0) return undefined;
  if (bytes[7] !== ND_HOP_LIMIT || !hasRightChecksum(packet)) return undefined;
  // Without the option it only says that it is there (§7.2.5).
  const mac = targetLinkOf(payload.subarray(ND_BYTES));
  if (mac === 'malformed') return undefined;
  return { family: 6, value: numberAt(payload, 8, 16), mac, confirms: (payload[4]! & SOLICITED) !== 0 };
}

function targetLinkOf(options: Uint8Array): Uint8Array | undefined | 'malformed' {
  for (let at = 0; at < options.length; ) {
    const bytes = (options[at + 1] ?? 0) * 8;
    if (bytes === 0 || at + bytes > options.length) return 'malformed';
    if (options[at] === TARGET_LINK_OPTION) return options.subarray(at + 2, at + 8);
    at += bytes;
  }
  return undefined;
}
