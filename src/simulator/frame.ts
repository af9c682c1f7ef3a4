/** Frames from words: `tcp,in_port=1,nw_dst=10.0.0.1,tp_dst=80` → bytes, with what is not said made up. */
import { bytesToBigint, type Match, nicira, type OxmFieldName } from 'node-openflow';
import { fieldId } from '../datapath/model-packet.js';
import { decodeMatch, RecordWriter } from '../datapath/records.js';
import { fields, firstRegister } from '../datapath/schema.gen.js';
import type { Carried } from '../datapath/trace-steps.js';
import { fieldIds, writeMatch } from '../ofproto/translate-match.js';

/** Ethertypes and protocols that frames can be made of. */
const ETH = { ipv4: 0x0800, arp: 0x0806, rarp: 0x8035, ipv6: 0x86dd } as const;
const PROTO = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;

export interface Packet {
  readonly inPort: number | undefined;
  /** In ascending order of fields. */
  readonly carried: Carried;
  readonly frame: Uint8Array;
}

/** What of the packet's words cannot be in a frame. */
export class PacketError extends Error {
  override readonly name = 'PacketError';
}

const twins: ReadonlyMap<string, string> = new Map(
  nicira.oxmFields.flatMap(({ name, twin }) => (twin === undefined ? [] : [[name, twin] as const])),
);

function isCarried({ field }: Match[number]): boolean {
  const id = fieldIds.get(field);
  return id === fieldId.metadata || id === fieldId.tunnel_id || (id ?? 0) >= firstRegister;
}

function carriedOf(match: Match): Carried {
  const writer = new RecordWriter();
  writeMatch(writer, match);
  const carried = decodeMatch(writer.take());
  if (carried === undefined) throw new PacketError('a register is said twice');
  return carried.map(({ field, value, mask }) => {
    if (mask === undefined) return { field, value };
    throw new PacketError(`a packet has exact values; ${fields[field]!.name} has a mask`);
  });
}

/** Fields of a frame, each used once; what is left over at the end could not be put in. */
class Fields {
  readonly #values = new Map<string, bigint>();

  /** Metadata, the tunnel's id, registers. */
  readonly carried: Carried;

  constructor(match: Match) {
    this.carried = carriedOf(match.filter(isCarried));
    for (const one of match) {
      if (isCarried(one)) continue;
      if (!('value' in one)) throw new PacketError(`a packet cannot have the field ${one.field}`);
      const isTag = one.field === 'vlan_vid';
      if (one.mask !== undefined && !isTag) throw new PacketError(`a packet has exact values; ${one.field} has a mask`);
      this.#values.set(twins.get(one.field) ?? one.field, bytesToBigint(one.value));
    }
  }

  has(name: OxmFieldName): boolean {
    return this.#values.has(name);
  }
  take(name: OxmFieldName, fallback: bigint): bigint {
    const value = this.#values.get(name) ?? fallback;
    this.#values.delete(name);
    return value;
  }
  number(name: OxmFieldName, fallback: number): number {
    return Number(this.take(name, BigInt(fallback)));
  }
  get left(): string[] {
    return [...this.#values.keys()];
  }
}

/** Big-endian bytes. */
function bytes(value: bigint | number, length: number): number[] {
  const wide = BigInt(value);
  return Array.from({ length }, (_, i) => Number((wide >> BigInt(8 * (length - 1 - i))) & 0xffn));
}

function checksum(parts: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < parts.length; i += 2) sum += (parts[i]! << 8) | (parts[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const DEFAULT_SOURCE_MAC = 0x0200_0000_0001n;
const DEFAULT_DESTINATION_MAC = 0x0200_0000_0002n;
const BROADCAST = 0xffff_ffff_ffffn;
const DEFAULT_IPV4 = [0x0a00_0001n, 0x0a00_0002n] as const;
const DEFAULT_IPV6 = [(0xfd00n << 112n) | 1n, (0xfd00n << 112n) | 2n] as const;
const FRAME_BYTES_MIN = 60;

/** `macOf` says the address of a port, for the source. Throws {@link PacketError}. */
export function packetOf(match: Match, macOf: (port: number) => bigint | undefined = () => undefined): Packet {
  const made = new Fields(match);
  const inPort = made.has('in_port') ? made.number('in_port', 0) : undefined;
  const source = made.take('eth_src', (inPort === undefined ? undefined : macOf(inPort)) ?? DEFAULT_SOURCE_MAC);
  const type = made.number('eth_type', 0x88b5);
  const destination = made.take('eth_dst', type === ETH.arp ? BROADCAST : DEFAULT_DESTINATION_MAC);
  const frame = [
    ...bytes(destination, 6),
    ...bytes(source, 6),
    ...tag(made),
    ...bytes(type, 2),
    ...body(type, source, made),
  ];
  if (made.left.length > 0) throw new PacketError(`a packet cannot have ${made.left.join(', ')}`);
  while (frame.length < FRAME_BYTES_MIN) frame.push(0);
  return { inPort, carried: made.carried, frame: Uint8Array.from(frame) };
}

function tag(fields: Fields): number[] {
  if (!fields.has('vlan_vid') && !fields.has('vlan_pcp')) return [];
  const vid = fields.number('vlan_vid', 0x1000);
  const priority = fields.number('vlan_pcp', 0);
  return (vid & 0x1000) === 0 ? [] : [0x81, 0x00, ...bytes((priority << 13) | (vid & 0x0fff), 2)];
}

function body(type: number, source: bigint, fields: Fields): number[] {
  if (type === ETH.arp || type === ETH.rarp) return arp(source, fields);
  if (type === ETH.ipv4) return ipv4(fields);
  return type === ETH.ipv6 ? ipv6(source, fields) : [];
}

function arp(source: bigint, fields: Fields): number[] {
  const operation = fields.number('arp_op', 1);
  const sender = [...bytes(fields.take('arp_sha', source), 6), ...bytes(fields.take('arp_spa', DEFAULT_IPV4[0]), 4)];
  const target = [...bytes(fields.take('arp_tha', 0n), 6), ...bytes(fields.take('arp_tpa', DEFAULT_IPV4[1]), 4)];
  return [0, 1, 8, 0, 6, 4, ...bytes(operation, 2), ...sender, ...target];
}

/** Where a fragment is put in its packet, in units of 8 bytes, and whether more follow. */
const FRAGMENT = { offset: 185, more: 1, bytes: 8 } as const;
/** `nw_frag` as a match has it: 1 is the first, 3 a later one, here the last. */
const FRAG = { first: 1, later: 3 } as const;
const FRAGMENT_HEADER = 44;

/** Without ports and the like where it is a later fragment. */
const payloadOf = (frag: number, whole: () => number[]): number[] =>
  frag === FRAG.later ? Array<number>(FRAGMENT.bytes).fill(0) : whole();

function ipv4(fields: Fields): number[] {
  const protocol = fields.number('ip_proto', 253);
  const addresses = [
    ...bytes(fields.take('ipv4_src', DEFAULT_IPV4[0]), 4),
    ...bytes(fields.take('ipv4_dst', DEFAULT_IPV4[1]), 4),
  ];
  const tos = (fields.number('ip_dscp', 0) << 2) | fields.number('ip_ecn', 0);
  const ttl = fields.number('ip_ttl', 64);
  const frag = fields.number('ip_frag', 0);
  const payload = payloadOf(frag, () => transport(protocol, addresses, 0n, fields));
  // Others are not to be fragmented.
  const place = frag === FRAG.later ? FRAGMENT.offset : frag === FRAG.first ? FRAGMENT.more << 13 : 0x4000;
  const head = [
    0x45,
    tos,
    ...bytes(20 + payload.length, 2),
    0,
    0,
    ...bytes(place, 2),
    ttl,
    protocol,
    0,
    0,
    ...addresses,
  ];
  head.splice(10, 2, ...bytes(checksum(head), 2));
  return [...head, ...payload];
}

function ipv6(source: bigint, fields: Fields): number[] {
  const protocol = fields.number('ip_proto', 59);
  const addresses = [
    ...bytes(fields.take('ipv6_src', DEFAULT_IPV6[0]), 16),
    ...bytes(fields.take('ipv6_dst', DEFAULT_IPV6[1]), 16),
  ];
  const traffic = (fields.number('ip_dscp', 0) << 2) | fields.number('ip_ecn', 0);
  const first = (6n << 28n) | (BigInt(traffic) << 20n) | fields.take('ipv6_flabel', 0n);
  const hops = fields.number('ip_ttl', protocol === PROTO.icmp6 ? 255 : 64);
  const frag = fields.number('ip_frag', 0);
  const payload = payloadOf(frag, () => transport(protocol, addresses, source, fields));
  const place = frag === FRAG.later ? FRAGMENT.offset << 3 : FRAGMENT.more;
  const header = frag === 0 ? [] : [protocol, 0, ...bytes(place, 2), ...bytes(0, 4)];
  const next = frag === 0 ? protocol : FRAGMENT_HEADER;
  const length = bytes(header.length + payload.length, 2);
  return [...bytes(first, 4), ...length, next, hops, ...addresses, ...header, ...payload];
}

function transport(protocol: number, addresses: readonly number[], source: bigint, fields: Fields): number[] {
  const pseudo = (length: number) => [...addresses, ...bytes(length, 4), ...bytes(protocol, 4)];
  /** With the checksum at `at`, over the pseudo-header too if `withPseudo`. */
  const summed = (data: number[], at: number, withPseudo: boolean): number[] => {
    const sum = checksum([...(withPseudo ? pseudo(data.length) : []), ...data]);
    data.splice(at, 2, ...bytes(sum, 2));
    return data;
  };
  const ports = (name: 'tcp' | 'udp' | 'sctp') => [
    ...bytes(fields.number(`${name}_src`, 49_152), 2),
    ...bytes(fields.number(`${name}_dst`, 7), 2),
  ];
  switch (protocol) {
    case PROTO.tcp: {
      const flags = fields.number('tcp_flags', 2);
      return summed(
        [...ports('tcp'), ...bytes(1, 4), ...bytes(0, 4), 0x50 | (flags >> 8), flags & 0xff, 0xff, 0xff, 0, 0, 0, 0],
        16,
        true,
      );
    }
    case PROTO.udp:
      return summed([...ports('udp'), 0, 12, 0, 0, 0, 0, 0, 0], 6, true);
    case PROTO.sctp:
      return [...ports('sctp'), 0, 0, 0, 0, 0, 0, 0, 0];
    case PROTO.icmp:
      return summed([fields.number('icmpv4_type', 8), fields.number('icmpv4_code', 0), 0, 0, 0, 1, 0, 1], 2, false);
    case PROTO.icmp6:
      return summed(icmp6(source, fields), 2, true);
    default:
      return [];
  }
}

/** Echo, or neighbour discovery with the target and the link-layer address (RFC 4861 §4.3, §4.4). */
function icmp6(source: bigint, fields: Fields): number[] {
  const type = fields.number('icmpv6_type', 128);
  const head = [type, fields.number('icmpv6_code', 0), 0, 0];
  if (type !== 135 && type !== 136) return [...head, 0, 1, 0, 1];
  const target = bytes(fields.take('ipv6_nd_target', DEFAULT_IPV6[1]), 16);
  const link = type === 135 ? fields.take('ipv6_nd_sll', source) : fields.take('ipv6_nd_tll', source);
  return [...head, 0, 0, 0, 0, ...target, type === 135 ? 1 : 2, 1, ...bytes(link, 6)];
}
