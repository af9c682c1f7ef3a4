/** A packet of the model on its way through the tables, and where its fields stand in the frame. */
import { isIpv4 } from './model-checksum.js';
import { fieldId, ipProto, isVlan, nsh, type Parsed, parseFrame, u16At } from './model-packet.js';
import { fieldOnes } from './records-match.js';
import { type FieldName, fields, firstRegister, ReservedPort } from './schema.gen.js';

/** Room for pushed headers before a frame (kHeadroom of native/base/limits.h). */
const HEADROOM_BYTES = 64;

const ETHERNET_BYTES = 14;

const REGISTER_BITS = 512n;
const registerName = /^x*reg(\d+)$/;

/** Of a register, or of a number made of some (xreg, xxreg): how far it is from the lowest bit of all registers. */
function registerShift(id: number): bigint {
  const { name, bits } = fields[id]!;
  const [, number] = registerName.exec(name)!;
  return REGISTER_BITS - BigInt(bits) * (BigInt(number!) + 1n);
}

/** A packet on its way through the tables. */
export class ModelPacket {
  #frame: Uint8Array;
  #parsed: Parsed;
  metadata = 0n;
  tunnelId = 0n;
  /** Where the action set outputs to; ReservedPort.unset for nowhere. */
  actsetOutput: number = ReservedPort.unset;
  /** What the flows see as in_port; actions may write to it. */
  seenPort: number;
  /** All sixteen, the first in the highest bits. */
  registers = 0n;
  headroom = HEADROOM_BYTES;
  /** It has no Ethernet header: what stands there are addresses of 0 and the ethertype that is its packet type. */
  bare = false;

  constructor(
    frame: Uint8Array,
    readonly inPort: number,
  ) {
    this.#frame = frame.slice();
    this.#parsed = parseFrame(this.#frame);
    this.seenPort = inPort;
  }

  get frame(): Uint8Array {
    return this.#frame;
  }
  /** The packet's own bytes: without the Ethernet header that it does not have. */
  get own(): Uint8Array {
    return this.bare ? this.#frame.subarray(ETHERNET_BYTES) : this.#frame;
  }
  get parsed(): Parsed {
    return this.#parsed;
  }

  replace(frame: Uint8Array): void {
    this.#frame = frame;
    this.#parsed = parseFrame(frame);
  }

  clone(): ModelPacket {
    const copy = new ModelPacket(this.#frame, this.inPort);
    copy.metadata = this.metadata;
    copy.tunnelId = this.tunnelId;
    copy.seenPort = this.seenPort;
    copy.registers = this.registers;
    copy.actsetOutput = this.actsetOutput;
    copy.headroom = this.headroom;
    copy.bare = this.bare;
    return copy;
  }

  /** The frame as if it came in now. */
  anew(): ModelPacket {
    const fresh = new ModelPacket(this.#frame, this.inPort);
    fresh.headroom = this.headroom;
    fresh.bare = this.bare;
    return fresh;
  }

  /** Registers that are not 0, by number. */
  registersSet(): ReadonlyMap<number, number> {
    const all = Array.from({ length: 16 }, (_, n) => [n, Number(this.field(firstRegister + n))] as const);
    return new Map(all.filter(([, value]) => value !== 0));
  }

  setRegister(id: number, value: bigint): void {
    const shift = registerShift(id);
    this.registers = (this.registers & ~(fieldOnes(id) << shift)) | (value << shift);
  }

  /** Gives it a field that it brings along: metadata, the tunnel's id or a register. */
  carry(id: number, value: bigint): void {
    if (id >= firstRegister) this.setRegister(id, value);
    else if (fields[id]!.name === 'metadata') this.metadata = value;
    else if (fields[id]!.name === 'tunnel_id') this.tunnelId = value;
  }

  field(id: number): bigint {
    if (id >= firstRegister) return (this.registers >> registerShift(id)) & fieldOnes(id);
    switch (fields[id]!.name) {
      case 'in_port':
        return BigInt(this.seenPort);
      case 'in_phy_port':
        return BigInt(this.inPort);
      case 'metadata':
        return this.metadata;
      case 'tunnel_id':
        return this.tunnelId;
      case 'packet_type':
        return this.bare ? 0x10000n | this.#parsed.fields[fieldId.eth_type]! : 0n;
      case 'actset_output':
        return BigInt(this.actsetOutput);
      default:
        return this.#parsed.fields[id]!;
    }
  }
}

/** Bits of a frame: `bytes` at `at` as one number, the field's lowest bit at `shift`. */
export interface Place {
  readonly at: number;
  readonly bytes: number;
  readonly shift: number;
  /** Where it has fewer than the field. */
  readonly bits?: bigint;
}

const whole = (at: number, bytes: number): Place => ({ at, bytes, shift: 0 });

/** Where a field stands in the packet; undefined when the packet does not have it. */
export function placeOf(packet: ModelPacket, field: number): Place | undefined {
  const { layout } = packet.parsed;
  const { frame } = packet;
  const name = fields[field]!.name;
  const proto = layout.l4 === 0 ? -1 : frame[layout.protoAt]!;
  const ip = layout.protoAt !== 0;
  const v4 = ip && isIpv4(frame, layout.l3);
  const arp = layout.l3 !== 0 && !ip;
  const when = (condition: boolean, at: number, bytes: number, shift = 0): Place | undefined =>
    condition ? { at, bytes, shift } : undefined;
  const service = layout.nsh !== 0;
  const context = service && (frame[layout.nsh + 2]! & 15) === nsh.mdType1;
  const tagged = frame.length >= 18 && isVlan(u16At(frame, 12));
  const places: Partial<Record<FieldName, Place | undefined>> = {
    eth_dst: when(!packet.bare, 0, 6),
    eth_src: when(!packet.bare, 6, 6),
    eth_type: when(!packet.bare && layout.ethertypeAt !== 0, layout.ethertypeAt, 2),
    vlan_vid: tagged ? { at: 14, bytes: 2, shift: 0, bits: 0xfffn } : undefined,
    vlan_pcp: when(tagged, 14, 2, 13),
    ip_dscp: v4 ? { at: layout.l3 + 1, bytes: 1, shift: 2 } : when(ip, layout.l3, 2, 6),
    ip_ecn: v4 ? whole(layout.l3 + 1, 1) : when(ip, layout.l3, 2, 4),
    ip_proto: when(ip, layout.protoAt, 1),
    ipv4_src: when(v4, layout.l3 + 12, 4),
    ipv4_dst: when(v4, layout.l3 + 16, 4),
    tcp_src: when(proto === ipProto.tcp, layout.l4, 2),
    tcp_dst: when(proto === ipProto.tcp, layout.l4 + 2, 2),
    tcp_flags: when(proto === ipProto.tcp, layout.l4 + 12, 2),
    nw_ttl: when(ip, v4 ? layout.l3 + 8 : layout.l3 + 7, 1),
    udp_src: when(proto === ipProto.udp, layout.l4, 2),
    udp_dst: when(proto === ipProto.udp, layout.l4 + 2, 2),
    sctp_src: when(proto === ipProto.sctp, layout.l4, 2),
    sctp_dst: when(proto === ipProto.sctp, layout.l4 + 2, 2),
    icmpv4_type: when(proto === ipProto.icmp, layout.l4, 1),
    icmpv4_code: when(proto === ipProto.icmp, layout.l4 + 1, 1),
    arp_op: when(arp, layout.l3 + 6, 2),
    arp_sha: when(arp, layout.l3 + 8, 6),
    arp_spa: when(arp, layout.l3 + 14, 4),
    arp_tha: when(arp, layout.l3 + 18, 6),
    arp_tpa: when(arp, layout.l3 + 24, 4),
    ipv6_src: when(ip && !v4, layout.l3 + 8, 16),
    ipv6_dst: when(ip && !v4, layout.l3 + 24, 16),
    ipv6_flabel: when(ip && !v4, layout.l3, 4),
    icmpv6_type: when(proto === ipProto.icmpv6, layout.l4, 1),
    icmpv6_code: when(proto === ipProto.icmpv6, layout.l4 + 1, 1),
    ipv6_nd_target: when(layout.ndTarget !== 0, layout.ndTarget, 16),
    ipv6_nd_sll: when(layout.ndSll !== 0, layout.ndSll, 6),
    ipv6_nd_tll: when(layout.ndTll !== 0, layout.ndTll, 6),
    icmpv6_nd_reserved: when(layout.ndTarget !== 0, layout.l4 + 4, 4),
    icmpv6_nd_options_type: when(layout.ndOption !== 0, layout.ndOption, 1),
    pbb_isid: when(layout.pbb !== 0, layout.pbb, 4),
    pbb_uca: when(layout.pbb !== 0, layout.pbb, 4, 27),
    nsh_flags: service ? { at: layout.nsh, bytes: 1, shift: 4, bits: 3n } : undefined,
    nsh_ttl: service ? { at: layout.nsh, bytes: 2, shift: 6, bits: 63n } : undefined,
    nsh_spi: when(service, layout.nsh + 4, 3),
    nsh_si: when(service, layout.nsh + 7, 1),
    nsh_c1: when(context, layout.nsh + 8, 4),
    nsh_c2: when(context, layout.nsh + 12, 4),
    nsh_c3: when(context, layout.nsh + 16, 4),
    nsh_c4: when(context, layout.nsh + 20, 4),
    mpls_label: when(layout.mpls !== 0, layout.mpls, 4, 12),
    mpls_tc: when(layout.mpls !== 0, layout.mpls, 4, 9),
    mpls_bos: when(layout.mpls !== 0, layout.mpls, 4, 8),
  };
  return places[name];
}
