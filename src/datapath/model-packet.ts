/**
 * The model's packet parser: a frame becomes the value of every match field, absent ones 0, and the places of its
 * headers. A truncated or malformed header counts as absent, as do all that would follow it (native/packet/parse.h).
 */
import { ipProto, u16At, walkExtensions } from './model-extensions.js';
import { readBig } from './records-match.js';
import { type FieldName, Frag, fields } from './schema.gen.js';

export { ipProto, u16At } from './model-extensions.js';

export const fieldId = Object.fromEntries(fields.map(({ name, id }) => [name, id])) as Record<FieldName, number>;

export const ethertype = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  serviceVlan: 0x88a8,
  pbb: 0x88e7,
  nsh: 0x894f,
  /** What an 802.3 frame without SNAP header has. */
  none: 0x05ff,
} as const;

/** Numbers of the service header (RFC 8300 §2.2). */
export const nsh = {
  mdType1: 1,
  mdType2: 2,
  ttlMax: 63,
  next: { ipv4: 1, ipv6: 2, ethernet: 3, nsh: 4 },
} as const;

/** Bytes of the service header at `at`; 0: it is cut, of another version, or of a length that its MD type cannot have. */
export function serviceHeaderBytes(frame: Uint8Array, at: number): number {
  if (frame.length < at + 8) return 0;
  const first = u16At(frame, at);
  const bytes = (first & 63) * 4;
  if (first >> 14 !== 0 || bytes < 8 || at + bytes > frame.length) return 0;
  return (frame[at + 2]! & 15) === nsh.mdType1 && bytes !== 24 ? 0 : bytes;
}

/** Where headers stand in the frame; 0 when there is none. */
export interface Layout {
  /** Place of the ethertype that says what follows the last VLAN tag (of the SNAP header, where there is one). */
  readonly ethertypeAt: number;
  /** Length of an 802.3 frame. */
  readonly lengthAt: number;
  /** First label stack entry. */
  readonly mpls: number;
  /** TCI of the I-TAG (PBB). */
  readonly pbb: number;
  /** Service header. */
  readonly nsh: number;
  /** IPv4, IPv6 or ARP header. */
  readonly l3: number;
  /** TCP, UDP, SCTP, ICMP or ICMPv6 header; none in later fragments. */
  readonly l4: number;
  /** The byte that says which protocol stands at l4. */
  readonly protoAt: number;
  /** Neighbour discovery: target, and the options source and target link-layer address. */
  readonly ndTarget: number;
  readonly ndSll: number;
  readonly ndTll: number;
  /** The first option of neighbour discovery, where it has 8 bytes. */
  readonly ndOption: number;
  /** A routing header with segments left: the destination address is not the final one. */
  readonly routed: boolean;
}

export interface Parsed {
  /** Indexed by field number. */
  readonly fields: bigint[];
  readonly layout: Layout;
  readonly frag: number;
}

export function isVlan(type: number): boolean {
  return type === ethertype.vlan || type === ethertype.serviceVlan;
}

export function isMpls(type: number): boolean {
  return type === ethertype.mpls || type === ethertype.mplsMulticast;
}

/** What parsing fills in as it goes down the headers. */
class Parser {
  readonly fields: bigint[] = fields.map(() => 0n);
  readonly layout = {
    ethertypeAt: 0,
    lengthAt: 0,
    mpls: 0,
    pbb: 0,
    nsh: 0,
    l3: 0,
    l4: 0,
    protoAt: 0,
    ndTarget: 0,
    ndSll: 0,
    ndTll: 0,
    ndOption: 0,
    routed: false,
  };
  frag: number = Frag.none;

  /** Where the IP packet ends by its own length; what follows is padding of the frame. */
  #end: number;

  constructor(readonly frame: Uint8Array) {
    this.#end = frame.length;
  }

  set(name: FieldName, value: number | bigint): void {
    this.fields[fieldId[name]] = BigInt(value);
  }

  copy(name: FieldName, at: number, width: number): void {
    this.set(name, readBig(this.frame, at, width));
  }

  has(at: number, bytes: number): boolean {
    return this.#end - at >= bytes;
  }

  ethernet(): void {
    if (!this.has(0, 14)) return;
    this.copy('eth_dst', 0, 6);
    this.copy('eth_src', 6, 6);
    let at = 12;
    let outermost = true;
    while (isVlan(u16At(this.frame, at)) && this.has(at, 6)) {
      if (outermost) {
        const tci = u16At(this.frame, at + 2);
        this.set('vlan_vid', 0x1000 | (tci & 0xfff));
        this.set('vlan_pcp', tci >> 13);
        outermost = false;
      }
      at += 4;
    }
    let type = u16At(this.frame, at);
    if (type < 0x600) {
      this.layout.lengthAt = at;
      [type, at] = this.snap(at);
    }
    // 802.3 without SNAP has no ethertype that could be changed.
    this.layout.ethertypeAt = type === ethertype.none ? 0 : at;
    this.set('eth_type', type);
    this.network(type, at + 2);
  }

  /** 802.3: the SNAP ethertype and its place. */
  snap(at: number): [number, number] {
    const snap = [0xaa, 0xaa, 0x03, 0, 0, 0];
    const found = this.has(at + 2, 8) && snap.every((byte, i) => this.frame[at + 2 + i] === byte);
    if (!found || u16At(this.frame, at + 8) < 0x600) return [ethertype.none, at];
    return [u16At(this.frame, at + 8), at + 8];
  }

  network(type: number, at: number): void {
    if (type === ethertype.ipv4) this.ipv4(at);
    else if (type === ethertype.ipv6) this.ipv6(at);
    else if (type === ethertype.arp) this.arp(at);
    else if (isMpls(type)) this.mpls(at);
    else if (type === ethertype.pbb) this.pbb(at);
    else if (type === ethertype.nsh) this.service(at);
  }

  /** IEEE 802.1ah: TCI, then the customer's Ethernet header, which is not looked into. */
  pbb(at: number): void {
    if (!this.has(at, 4 + 14)) return;
    this.layout.pbb = at;
    const tci = Number(readBig(this.frame, at, 4));
    this.set('pbb_uca', (tci >>> 27) & 1);
    this.set('pbb_isid', tci & 0xffffff);
  }

  service(at: number): void {
    if (serviceHeaderBytes(this.frame, at) === 0) return;
    this.layout.nsh = at;
    const first = u16At(this.frame, at);
    this.set('nsh_flags', (first >> 12) & 3);
    this.set('nsh_ttl', (first >> 6) & 63);
    this.set('nsh_mdtype', this.frame[at + 2]! & 15);
    this.copy('nsh_np', at + 3, 1);
    this.copy('nsh_spi', at + 4, 3);
    this.copy('nsh_si', at + 7, 1);
    if ((this.frame[at + 2]! & 15) !== nsh.mdType1) return;
    for (const [index, name] of (['nsh_c1', 'nsh_c2', 'nsh_c3', 'nsh_c4'] as const).entries()) {
      this.copy(name, at + 8 + 4 * index, 4);
    }
  }

  mpls(at: number): void {
    if (!this.has(at, 4)) return;
    this.layout.mpls = at;
    const entry = Number(readBig(this.frame, at, 4));
    this.set('mpls_label', entry >>> 12);
    this.set('mpls_tc', (entry >>> 9) & 7);
    this.set('mpls_bos', (entry >>> 8) & 1);
  }

  arp(at: number): void {
    const ethernetIpv4 = [0, 1, 8, 0, 6, 4];
    if (!this.has(at, 28) || !ethernetIpv4.every((byte, i) => this.frame[at + i] === byte)) return;
    this.layout.l3 = at;
    this.copy('arp_op', at + 6, 2);
    this.copy('arp_sha', at + 8, 6);
    this.copy('arp_spa', at + 14, 4);
    this.copy('arp_tha', at + 18, 6);
    this.copy('arp_tpa', at + 24, 4);
  }

  trafficClass(value: number): void {
    this.set('ip_dscp', value >> 2);
    this.set('ip_ecn', value & 3);
  }

  ipv4(at: number): void {
    if (!this.has(at, 20) || this.frame[at]! >> 4 !== 4) return;
    const header = (this.frame[at]! & 15) * 4;
    const total = u16At(this.frame, at + 2);
    if (header < 20 || !this.has(at, header) || total < header) return;
    this.layout.l3 = at;
    this.trafficClass(this.frame[at + 1]!);
    this.copy('nw_ttl', at + 8, 1);
    this.layout.protoAt = at + 9;
    this.copy('ip_proto', at + 9, 1);
    this.copy('ipv4_src', at + 12, 4);
    this.copy('ipv4_dst', at + 16, 4);
    const fragment = u16At(this.frame, at + 6);
    if ((fragment & 0x3fff) !== 0) this.frag = (fragment & 0x1fff) !== 0 ? Frag.later : Frag.first;
    if (this.frag === Frag.later) return;
    this.#end = Math.min(this.#end, at + total);
    this.transport(this.frame[at + 9]!, at + header, false);
  }

  ipv6(at: number): void {
    if (!this.has(at, 40) || this.frame[at]! >> 4 !== 6) return;
    this.layout.l3 = at;
    this.trafficClass(((this.frame[at]! & 15) << 4) | (this.frame[at + 1]! >> 4));
    this.copy('nw_ttl', at + 7, 1);
    this.set('ipv6_flabel', readBig(this.frame, at, 4) & 0xfffffn);
    this.copy('ipv6_src', at + 8, 16);
    this.copy('ipv6_dst', at + 24, 16);
    this.#end = Math.min(this.#end, at + 40 + u16At(this.frame, at + 4));
    const { protoAt, next, flags, frag, routed } = walkExtensions(this.frame, at, this.#end);
    const proto = this.frame[protoAt]!;
    this.layout.protoAt = protoAt;
    this.layout.routed = routed;
    this.set('ip_proto', proto);
    this.set('ipv6_exthdr', flags);
    this.frag = frag;
    if (next !== 0 && frag !== Frag.later) this.transport(proto, next, true);
  }

  transport(proto: number, at: number, ipv6: boolean): void {
    const ports = { [ipProto.tcp]: ['tcp', 20], [ipProto.udp]: ['udp', 8], [ipProto.sctp]: ['sctp', 12] } as const;
    if (proto === ipProto.tcp || proto === ipProto.udp || proto === ipProto.sctp) {
      const [name, header] = ports[proto];
      if (!this.has(at, header)) return;
      this.layout.l4 = at;
      this.copy(`${name}_src`, at, 2);
      this.copy(`${name}_dst`, at + 2, 2);
      if (name === 'tcp') this.set('tcp_flags', u16At(this.frame, at + 12) & 0xfff);
    } else if (proto === ipProto.icmp && !ipv6 && this.has(at, 4)) {
      this.layout.l4 = at;
      this.copy('icmpv4_type', at, 1);
      this.copy('icmpv4_code', at + 1, 1);
    } else if (proto === ipProto.icmpv6 && ipv6 && this.has(at, 4)) {
      this.layout.l4 = at;
      this.copy('icmpv6_type', at, 1);
      this.copy('icmpv6_code', at + 1, 1);
      this.neighbourDiscovery(at);
    }
  }

  /** RFC 4861 §4.3, §4.4: target and link-layer address option of solicitations and advertisements. */
  neighbourDiscovery(at: number): void {
    const type = this.frame[at]!;
    if ((type !== 135 && type !== 136) || this.frame[at + 1] !== 0 || !this.has(at, 24)) return;
    this.layout.ndTarget = at + 8;
    this.copy('icmpv6_nd_reserved', at + 4, 4);
    this.copy('ipv6_nd_target', at + 8, 16);
    let option = at + 24;
    if (this.has(option, 8) && this.frame[option + 1] === 1) this.layout.ndOption = option;
    while (this.has(option, 8)) {
      const length = this.frame[option + 1]! * 8;
      if (length === 0) return;
      if (type === 135 && this.frame[option] === 1 && length === 8 && this.layout.ndSll === 0) {
        this.layout.ndSll = option + 2;
        this.copy('ipv6_nd_sll', option + 2, 6);
        this.set('icmpv6_nd_options_type', 1);
      } else if (type === 136 && this.frame[option] === 2 && length === 8 && this.layout.ndTll === 0) {
        this.layout.ndTll = option + 2;
        this.copy('ipv6_nd_tll', option + 2, 6);
        this.set('icmpv6_nd_options_type', 2);
      }
      option += length;
    }
  }
}

export function parseFrame(frame: Uint8Array): Parsed {
  const parser = new Parser(frame);
  parser.ethernet();
  parser.set('ip_frag', parser.frag);
  return { fields: parser.fields, layout: parser.layout, frag: parser.frag };
}
