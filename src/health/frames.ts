/** Frames of probes, and what is read of answers: ARP (RFC 826), ICMP echo (RFC 792), TCP without data (RFC 9293). */

const ETHERNET_BYTES = 14;
const ARP_BYTES = 28;
const IPV4_BYTES = 20;
const ECHO_BYTES = 8;
const TCP_BYTES = 20;
/** Guests' interfaces are not padded for us. */
const FRAME_BYTES_MIN = 60;

const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806 } as const;
const PROTOCOL = { icmp: 1, tcp: 6 } as const;
/** Ethernet, IPv4, and lengths of their addresses. */
const ARP_HEADER = [0x00, 0x01, 0x08, 0x00, 6, 4] as const;
const IPV4_VERSION_AND_LENGTH = 0x45;
const TTL = 64;
const DONT_FRAGMENT = 0x4000;
const FRAGMENT_MASK = 0x3fff;

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
export const ECHO_REQUEST = 8;
export const ECHO_REPLY = 0;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;
const WINDOW = 1024;

/** MAC addresses like 02:00:00:00:00:01, IPv4 addresses like 10.0.0.1. */
interface Ends {
  readonly sourceMac: string;
  readonly targetMac: string;
  readonly source: string;
  readonly target: string;
}

/** `target*` of the ARP packet; that of the frame is `frameTo`. */
export interface Arp extends Ends {
  readonly kind: 'arp';
  readonly operation: number;
  readonly frameTo: string;
}
export interface Echo extends Ends {
  readonly kind: 'echo';
  readonly type: number;
  /** 16 bits each. */
  readonly id: number;
  readonly sequence: number;
}
export interface Tcp extends Ends {
  readonly kind: 'tcp';
  readonly sourcePort: number;
  readonly targetPort: number;
  /** 32 bits each. */
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
}
export type Probe = Arp | Echo | Tcp;

const macBytes = (text: string): number[] => text.split(':').map((byte) => Number.parseInt(byte, 16));
const addressBytes = (text: string): number[] => text.split('.').map(Number);
const macText = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
const addressText = (bytes: Uint8Array): string => bytes.join('.');

/** RFC 1071, of an even number of bytes. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** With its checksums, 60 bytes long. */
export function encodeProbe(probe: Probe): Uint8Array {
  const frame = Buffer.alloc(FRAME_BYTES_MIN);
  frame.set(macBytes(probe.kind === 'arp' ? probe.frameTo : probe.targetMac), 0);
  frame.set(macBytes(probe.sourceMac), 6);
  frame.writeUInt16BE(probe.kind === 'arp' ? ETHERTYPE.arp : ETHERTYPE.ipv4, 12);
  const rest = frame.subarray(ETHERNET_BYTES);
  if (probe.kind === 'arp') putArp(rest, probe);
  else if (probe.kind === 'echo') putEcho(putIpv4(rest, probe, PROTOCOL.icmp, ECHO_BYTES), probe);
  else putTcp(putIpv4(rest, probe, PROTOCOL.tcp, TCP_BYTES), probe);
  return frame;
}

function putArp(into: Buffer, { operation, sourceMac, source, targetMac, target }: Arp): void {
  into.set(ARP_HEADER, 0);
  into.writeUInt16BE(operation, 6);
  into.set([...macBytes(sourceMac), ...addressBytes(source), ...macBytes(targetMac), ...addressBytes(target)], 8);
}

/** Where its payload goes. */
function putIpv4(into: Buffer, { source, target }: Ends, protocol: number, length: number): Buffer {
  into[0] = IPV4_VERSION_AND_LENGTH;
  into.writeUInt16BE(IPV4_BYTES + length, 2);
  into.writeUInt16BE(DONT_FRAGMENT, 6);
  into[8] = TTL;
  into[9] = protocol;
  into.set([...addressBytes(source), ...addressBytes(target)], 12);
  into.writeUInt16BE(checksum(into.subarray(0, IPV4_BYTES)), 10);
  return into.subarray(IPV4_BYTES, IPV4_BYTES + length);
}

function putEcho(into: Buffer, { type, id, sequence }: Echo): void {
  into[0] = type;
  into.writeUInt16BE(id, 4);
  into.writeUInt16BE(sequence, 6);
  into.writeUInt16BE(checksum(into), 2);
}

function putTcp(into: Buffer, probe: Tcp): void {
  into.writeUInt16BE(probe.sourcePort, 0);
  into.writeUInt16BE(probe.targetPort, 2);
  into.writeUInt32BE(probe.sequence, 4);
  into.writeUInt32BE(probe.acknowledgement, 8);
  into[12] = (TCP_BYTES / 4) << 4;
  into[13] = probe.flags;
  into.writeUInt16BE(WINDOW, 14);
  const pseudo = [...addressBytes(probe.source), ...addressBytes(probe.target), 0, PROTOCOL.tcp, 0, TCP_BYTES];
  into.writeUInt16BE(checksum(Buffer.from([...pseudo, ...into])), 16);
}

/**
 * Undefined for what is none of these, cut short, or a fragment. Checksums are not looked at: who would forge a packet could
 * as well make them right.
 */
export function decodeProbe(bytes: Uint8Array): Probe | undefined {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (frame.length < ETHERNET_BYTES) return undefined;
  const rest = frame.subarray(ETHERNET_BYTES);
  const type = frame.readUInt16BE(12);
  if (type === ETHERTYPE.arp) return arpOf(frame, rest);
  return type === ETHERTYPE.ipv4 ? ipv4Of(frame, rest) : undefined;
}

function arpOf(frame: Buffer, bytes: Buffer): Arp | undefined {
  if (bytes.length < ARP_BYTES || ARP_HEADER.some((byte, i) => bytes[i] !== byte)) return undefined;
  return {
    kind: 'arp',
    frameTo: macText(frame.subarray(0, 6)),
    operation: bytes.readUInt16BE(6),
    sourceMac: macText(bytes.subarray(8, 14)),
    source: addressText(bytes.subarray(14, 18)),
    targetMac: macText(bytes.subarray(18, 24)),
    target: addressText(bytes.subarray(24, 28)),
  };
}

function ipv4Of(frame: Buffer, bytes: Buffer): Echo | Tcp | undefined {
  if (bytes.length < IPV4_BYTES || bytes[0]! >> 4 !== 4) return undefined;
  const headerBytes = (bytes[0]! & 0x0f) * 4;
  const fragment = bytes.readUInt16BE(6) & FRAGMENT_MASK;
  if (headerBytes < IPV4_BYTES || fragment !== 0) return undefined;
  const ends: Ends = {
    targetMac: macText(frame.subarray(0, 6)),
    sourceMac: macText(frame.subarray(6, 12)),
    source: addressText(bytes.subarray(12, 16)),
    target: addressText(bytes.subarray(16, 20)),
  };
  const inside = bytes.subarray(headerBytes);
  if (bytes[9] === PROTOCOL.icmp && inside.length >= ECHO_BYTES) {
    return { kind: 'echo', ...ends, type: inside[0]!, id: inside.readUInt16BE(4), sequence: inside.readUInt16BE(6) };
  }
  if (bytes[9] !== PROTOCOL.tcp || inside.length < TCP_BYTES) return undefined;
  return {
    kind: 'tcp',
    ...ends,
    sourcePort: inside.readUInt16BE(0),
    targetPort: inside.readUInt16BE(2),
    sequence: inside.readUInt32BE(4),
    acknowledgement: inside.readUInt32BE(8),
    flags: inside[13]!,
  };
}
