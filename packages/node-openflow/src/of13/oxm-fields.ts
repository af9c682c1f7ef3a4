/**
 * The OXM match fields of OpenFlow 1.3, one line of facts each (OpenFlow 1.3.5 §7.2.3.7, tables 11 and 12).
 *
 * Decoding, encoding, text, value checks and prerequisites are all derived from this table; nothing else in the package
 * knows the width of a field. A further protocol version or a vendor's fields are further tables of the same shape.
 */

/** How a field's value reads in text; the bytes on the wire are the same for all. */
export type OxmKind = 'port' | 'dec' | 'hex' | 'mac' | 'ipv4' | 'ipv6';

/** What must stand earlier in the same match for a field to be legal (§7.2.3.6). */
export interface OxmPrerequisite {
  readonly field: string;
  /** The field must have one of these values; absent: any value will do. */
  readonly anyOf?: readonly number[];
  /** These bits must be set in the value (and not be masked out). */
  readonly bits?: number;
}

export interface OxmFacts {
  readonly name: string;
  readonly oxmClass: number;
  readonly oxmField: number;
  /** Only in class 0xffff: whose field numbers these are. */
  readonly experimenter?: number;
  /** Bytes on the wire, without mask. */
  readonly bytes: number;
  /** Significant low-order bits; the bits above must be 0. */
  readonly bits: number;
  readonly maskable: boolean;
  /** May a set_field action write it (§7.2.5)? */
  readonly settable: boolean;
  readonly kind: OxmKind;
  readonly requires?: OxmPrerequisite;
  /** The specification's symbol, where it is not OXM_OF_ and the name. */
  readonly symbol?: string;
  /** `bytes` and `bits` are the most there can be; a value says its own length. */
  readonly variable?: true;
  /** The field of OpenFlow's own class that says the same; a prerequisite on it is met by this field too. */
  readonly twin?: string;
}

/** ofp_oxm_class (§7.2.3.3). */
export const OFPXMC = {
  NXM_0: 0x0000,
  NXM_1: 0x0001,
  OPENFLOW_BASIC: 0x8000,
  PACKET_REGS: 0x8001,
  EXPERIMENTER: 0xffff,
} as const;

const basic = OFPXMC.OPENFLOW_BASIC;
const ip = { field: 'eth_type', anyOf: [0x0800, 0x86dd] } as const;
const ipv4 = { field: 'eth_type', anyOf: [0x0800] } as const;
const ipv6 = { field: 'eth_type', anyOf: [0x86dd] } as const;
const arp = { field: 'eth_type', anyOf: [0x0806] } as const;
const mpls = { field: 'eth_type', anyOf: [0x8847, 0x8848] } as const;
const pbb = { field: 'eth_type', anyOf: [0x88e7] } as const;
const tcp = { field: 'ip_proto', anyOf: [6] } as const;
const udp = { field: 'ip_proto', anyOf: [17] } as const;
const sctp = { field: 'ip_proto', anyOf: [132] } as const;
const icmpv4 = { field: 'ip_proto', anyOf: [1] } as const;
const icmpv6 = { field: 'ip_proto', anyOf: [58] } as const;
const neighbour = { field: 'icmpv6_type', anyOf: [135, 136] } as const;
const solicitation = { field: 'icmpv6_type', anyOf: [135] } as const;
const advertisement = { field: 'icmpv6_type', anyOf: [136] } as const;

/** Options in the fifth column: m = maskable, s = settable. */
function row<const Name extends string>(
  oxmField: number,
  name: Name,
  bits: number,
  bytes: number,
  flags: '' | 'm' | 's' | 'ms',
  kind: OxmKind,
  requires?: OxmPrerequisite,
) {
  return {
    name,
    oxmClass: basic as number,
    oxmField,
    bits,
    bytes,
    maskable: flags.includes('m'),
    settable: flags.includes('s'),
    kind,
    ...(requires === undefined ? {} : { requires }),
  };
}

export const oxmFields13 = [
  row(0, 'in_port', 32, 4, '', 'port'),
  row(1, 'in_phy_port', 32, 4, '', 'port', { field: 'in_port' }),
  row(2, 'metadata', 64, 8, 'm', 'hex'),
  row(3, 'eth_dst', 48, 6, 'ms', 'mac'),
  row(4, 'eth_src', 48, 6, 'ms', 'mac'),
  row(5, 'eth_type', 16, 2, 's', 'hex'),
  // Bit 12 is OFPVID_PRESENT: the value is a VLAN id with "there is a tag" above it.
  row(6, 'vlan_vid', 13, 2, 'ms', 'hex'),
  row(7, 'vlan_pcp', 3, 1, 's', 'dec', { field: 'vlan_vid', bits: 0x1000 }),
  row(8, 'ip_dscp', 6, 1, 's', 'dec', ip),
  row(9, 'ip_ecn', 2, 1, 's', 'dec', ip),
  row(10, 'ip_proto', 8, 1, 's', 'dec', ip),
  row(11, 'ipv4_src', 32, 4, 'ms', 'ipv4', ipv4),
  row(12, 'ipv4_dst', 32, 4, 'ms', 'ipv4', ipv4),
  row(13, 'tcp_src', 16, 2, 's', 'dec', tcp),
  row(14, 'tcp_dst', 16, 2, 's', 'dec', tcp),
  row(15, 'udp_src', 16, 2, 's', 'dec', udp),
  row(16, 'udp_dst', 16, 2, 's', 'dec', udp),
  row(17, 'sctp_src', 16, 2, 's', 'dec', sctp),
  row(18, 'sctp_dst', 16, 2, 's', 'dec', sctp),
  row(19, 'icmpv4_type', 8, 1, 's', 'dec', icmpv4),
  row(20, 'icmpv4_code', 8, 1, 's', 'dec', icmpv4),
  row(21, 'arp_op', 16, 2, 's', 'dec', arp),
  row(22, 'arp_spa', 32, 4, 'ms', 'ipv4', arp),
  row(23, 'arp_tpa', 32, 4, 'ms', 'ipv4', arp),
  row(24, 'arp_sha', 48, 6, 'ms', 'mac', arp),
  row(25, 'arp_tha', 48, 6, 'ms', 'mac', arp),
  row(26, 'ipv6_src', 128, 16, 'ms', 'ipv6', ipv6),
  row(27, 'ipv6_dst', 128, 16, 'ms', 'ipv6', ipv6),
  row(28, 'ipv6_flabel', 20, 4, 'ms', 'hex', ipv6),
  row(29, 'icmpv6_type', 8, 1, 's', 'dec', icmpv6),
  row(30, 'icmpv6_code', 8, 1, 's', 'dec', icmpv6),
  row(31, 'ipv6_nd_target', 128, 16, 's', 'ipv6', neighbour),
  row(32, 'ipv6_nd_sll', 48, 6, 's', 'mac', solicitation),
  row(33, 'ipv6_nd_tll', 48, 6, 's', 'mac', advertisement),
  row(34, 'mpls_label', 20, 4, 's', 'dec', mpls),
  row(35, 'mpls_tc', 3, 1, 's', 'dec', mpls),
  row(36, 'mpls_bos', 1, 1, 's', 'dec', mpls),
  row(37, 'pbb_isid', 24, 3, 'ms', 'hex', pbb),
  row(38, 'tunnel_id', 64, 8, 'ms', 'hex'),
  row(39, 'ipv6_exthdr', 9, 2, 'ms', 'hex', ipv6),
] as const satisfies readonly OxmFacts[];

/** Name of an OpenFlow 1.3 match field, such as `'eth_dst'`. */
export type Oxm13FieldName = (typeof oxmFields13)[number]['name'];
