/**
 * The match fields that Open vSwitch 3.1 knows beyond OpenFlow 1.3's own, one line of facts each (ovs-fields(7)).
 *
 * A field is named by its symbol without the prefix, in lower case: NXM_NX_REG0 is `reg0`. Where OpenFlow has the same
 * field with other header bytes the whole symbol is the name: NXM_OF_ETH_DST is `nxm_of_eth_dst`, because `eth_dst` is
 * OXM_OF_ETH_DST; `twin` says which one. Only header bytes differ between twins.
 */
import { OFPXMC, type OxmFacts, type OxmKind, type OxmPrerequisite, oxmFields13 } from '../of13/oxm-fields.js';
import { ERICSSON_OXM_CLASS, NSH_EXPERIMENTER, NX_VENDOR_ID, ONF_VENDOR_ID } from './constants.js';

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type UpTo7 = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
type UpTo15 = Digit | 10 | 11 | 12 | 13 | 14 | 15;
type UpTo63 = Digit | `${1 | 2 | 3 | 4 | 5}${Digit}` | `6${0 | 1 | 2 | 3}`;

interface Options {
  readonly requires?: OxmPrerequisite;
  readonly twin?: string;
  readonly symbol?: string;
  readonly variable?: true;
}

/** Flags: m = maskable, s = settable. */
function row<const Name extends string>(
  prefix: string,
  where: { readonly oxmClass: number; readonly experimenter?: number },
  oxmField: number,
  name: Name,
  bits: number,
  bytes: number,
  flags: '' | 'm' | 's' | 'ms',
  kind: OxmKind,
  options: Options = {},
) {
  return {
    name,
    ...where,
    oxmField,
    bits,
    bytes,
    maskable: flags.includes('m'),
    settable: flags.includes('s'),
    kind,
    symbol: `${prefix}${name.toUpperCase()}`,
    ...options,
  };
}

const ip = { field: 'eth_type', anyOf: [0x0800, 0x86dd] } as const;
const mpls = { field: 'eth_type', anyOf: [0x8847, 0x8848] } as const;
const nsh = { field: 'eth_type', anyOf: [0x894f] } as const;
const tcp = { field: 'ip_proto', anyOf: [6] } as const;
const neighbour = { field: 'icmpv6_type', anyOf: [135, 136] } as const;

type Rest<Name extends string> = [
  oxmField: number,
  name: Name,
  bits: number,
  bytes: number,
  flags: '' | 'm' | 's' | 'ms',
  kind: OxmKind,
  options?: Options,
];
const nx = <const Name extends string>(...rest: Rest<Name>) => row('NXM_NX_', { oxmClass: OFPXMC.NXM_1 }, ...rest);
const et = <const Name extends string>(...rest: Rest<Name>) =>
  row('NXOXM_ET_', { oxmClass: OFPXMC.EXPERIMENTER, experimenter: NX_VENDOR_ID }, ...rest);
const nshField = <const Name extends string>(...rest: Rest<Name>) =>
  row('NXOXM_', { oxmClass: OFPXMC.EXPERIMENTER, experimenter: NSH_EXPERIMENTER }, ...rest);
const onf = <const Name extends string>(oxmField: number, name: Name, bits: number, bytes: number, options: Options) =>
  row(
    '',
    { oxmClass: OFPXMC.EXPERIMENTER, experimenter: ONF_VENDOR_ID },
    oxmField,
    name,
    bits,
    bytes,
    'm',
    'hex',
    options,
  );

/** The same field as one of OpenFlow 1.3, under an NXM header; `maskable` where NXM allows more than OXM does. */
function twin<const Name extends string>(oxmClass: number, oxmField: number, name: Name, of: string, maskable = false) {
  const { requires, bits, bytes, settable, kind, maskable: oxmMaskable } = standard.get(of)!;
  const flags = `${maskable || oxmMaskable ? 'm' : ''}${settable ? 's' : ''}` as '' | 'm' | 's' | 'ms';
  const options = { twin: of, ...(requires === undefined ? {} : { requires }) };
  return row('', { oxmClass }, oxmField, name, bits, bytes, flags, kind, options);
}
const standard: ReadonlyMap<string, OxmFacts> = new Map(oxmFields13.map((facts) => [facts.name, facts]));

const plainFields = [
  row('', { oxmClass: OFPXMC.NXM_0 }, 0, 'nxm_of_in_port', 16, 2, 's', 'dec', { twin: 'in_port' }),
  twin(OFPXMC.NXM_0, 1, 'nxm_of_eth_dst', 'eth_dst'),
  twin(OFPXMC.NXM_0, 2, 'nxm_of_eth_src', 'eth_src'),
  row('', { oxmClass: OFPXMC.NXM_0 }, 3, 'nxm_of_eth_type', 16, 2, '', 'hex', { twin: 'eth_type' }),
  row('NXM_OF_', { oxmClass: OFPXMC.NXM_0 }, 4, 'vlan_tci', 16, 2, 'ms', 'hex'),
  row('NXM_OF_', { oxmClass: OFPXMC.NXM_0 }, 5, 'ip_tos', 8, 1, 's', 'dec', { requires: ip }),
  row('', { oxmClass: OFPXMC.NXM_0 }, 6, 'nxm_of_ip_proto', 8, 1, '', 'dec', { twin: 'ip_proto', requires: ip }),
  twin(OFPXMC.NXM_0, 7, 'nxm_of_ip_src', 'ipv4_src'),
  twin(OFPXMC.NXM_0, 8, 'nxm_of_ip_dst', 'ipv4_dst'),
  twin(OFPXMC.NXM_0, 9, 'nxm_of_tcp_src', 'tcp_src', true),
  twin(OFPXMC.NXM_0, 10, 'nxm_of_tcp_dst', 'tcp_dst', true),
  twin(OFPXMC.NXM_0, 11, 'nxm_of_udp_src', 'udp_src', true),
  twin(OFPXMC.NXM_0, 12, 'nxm_of_udp_dst', 'udp_dst', true),
  twin(OFPXMC.NXM_0, 13, 'nxm_of_icmp_type', 'icmpv4_type'),
  twin(OFPXMC.NXM_0, 14, 'nxm_of_icmp_code', 'icmpv4_code'),
  twin(OFPXMC.NXM_0, 15, 'nxm_of_arp_op', 'arp_op'),
  twin(OFPXMC.NXM_0, 16, 'nxm_of_arp_spa', 'arp_spa'),
  twin(OFPXMC.NXM_0, 17, 'nxm_of_arp_tpa', 'arp_tpa'),
  twin(OFPXMC.NXM_1, 16, 'nxm_nx_tun_id', 'tunnel_id'),
  twin(OFPXMC.NXM_1, 17, 'nxm_nx_arp_sha', 'arp_sha'),
  twin(OFPXMC.NXM_1, 18, 'nxm_nx_arp_tha', 'arp_tha'),
  twin(OFPXMC.NXM_1, 19, 'nxm_nx_ipv6_src', 'ipv6_src'),
  twin(OFPXMC.NXM_1, 20, 'nxm_nx_ipv6_dst', 'ipv6_dst'),
  twin(OFPXMC.NXM_1, 21, 'nxm_nx_icmpv6_type', 'icmpv6_type'),
  twin(OFPXMC.NXM_1, 22, 'nxm_nx_icmpv6_code', 'icmpv6_code'),
  twin(OFPXMC.NXM_1, 23, 'nxm_nx_nd_target', 'ipv6_nd_target', true),
  twin(OFPXMC.NXM_1, 24, 'nxm_nx_nd_sll', 'ipv6_nd_sll', true),
  twin(OFPXMC.NXM_1, 25, 'nxm_nx_nd_tll', 'ipv6_nd_tll', true),
  nx(26, 'ip_frag', 2, 1, 'm', 'hex', { requires: ip }),
  twin(OFPXMC.NXM_1, 27, 'nxm_nx_ipv6_label', 'ipv6_flabel'),
  twin(OFPXMC.NXM_1, 28, 'nxm_nx_ip_ecn', 'ip_ecn'),
  nx(29, 'ip_ttl', 8, 1, 's', 'dec', { requires: ip }),
  nx(30, 'mpls_ttl', 8, 1, 's', 'dec', { requires: mpls }),
  nx(31, 'tun_ipv4_src', 32, 4, 'ms', 'ipv4'),
  nx(32, 'tun_ipv4_dst', 32, 4, 'ms', 'ipv4'),
  nx(33, 'pkt_mark', 32, 4, 'ms', 'hex'),
  nx(34, 'nxm_nx_tcp_flags', 12, 2, 'm', 'hex', { requires: tcp, symbol: 'NXM_NX_TCP_FLAGS' }),
  nx(35, 'dp_hash', 32, 4, 'm', 'hex'),
  nx(36, 'recirc_id', 32, 4, '', 'dec'),
  nx(37, 'conj_id', 32, 4, '', 'dec'),
  nx(38, 'tun_gbp_id', 16, 2, 'ms', 'dec'),
  nx(39, 'tun_gbp_flags', 8, 1, 'ms', 'hex'),
  nx(104, 'tun_flags', 1, 2, 'ms', 'hex'),
  nx(105, 'ct_state', 32, 4, 'm', 'hex'),
  nx(106, 'ct_zone', 16, 2, '', 'hex'),
  nx(107, 'ct_mark', 32, 4, 'ms', 'hex'),
  nx(108, 'ct_label', 128, 16, 'ms', 'hex'),
  nx(109, 'tun_ipv6_src', 128, 16, 'ms', 'ipv6'),
  nx(110, 'tun_ipv6_dst', 128, 16, 'ms', 'ipv6'),
  nx(119, 'ct_nw_proto', 8, 1, '', 'dec'),
  nx(120, 'ct_nw_src', 32, 4, 'm', 'ipv4'),
  nx(121, 'ct_nw_dst', 32, 4, 'm', 'ipv4'),
  nx(122, 'ct_ipv6_src', 128, 16, 'm', 'ipv6'),
  nx(123, 'ct_ipv6_dst', 128, 16, 'm', 'ipv6'),
  nx(124, 'ct_tp_src', 16, 2, 'm', 'dec'),
  nx(125, 'ct_tp_dst', 16, 2, 'm', 'dec'),
  et(11, 'erspan_idx', 20, 4, 'ms', 'hex'),
  et(12, 'erspan_ver', 4, 1, 'ms', 'dec'),
  et(13, 'erspan_dir', 1, 1, 'ms', 'dec'),
  et(14, 'erspan_hwid', 6, 1, 'ms', 'hex'),
  et(15, 'gtpu_flags', 8, 1, 'm', 'hex'),
  et(16, 'gtpu_msgtype', 8, 1, 'm', 'dec'),
  // OpenFlow 1.5's; Open vSwitch has it in all versions.
  row('OXM_OF_', { oxmClass: OFPXMC.OPENFLOW_BASIC }, 44, 'packet_type', 32, 4, '', 'hex'),
  nshField(1, 'nsh_flags', 8, 1, 'ms', 'dec', { requires: nsh }),
  nshField(2, 'nsh_mdtype', 8, 1, '', 'dec', { requires: nsh }),
  nshField(3, 'nsh_np', 8, 1, '', 'dec', { requires: nsh }),
  nshField(4, 'nsh_spi', 24, 4, 's', 'hex', { requires: nsh }),
  nshField(5, 'nsh_si', 8, 1, 's', 'dec', { requires: nsh }),
  nshField(6, 'nsh_c1', 32, 4, 'ms', 'hex', { requires: nsh }),
  nshField(7, 'nsh_c2', 32, 4, 'ms', 'hex', { requires: nsh }),
  nshField(8, 'nsh_c3', 32, 4, 'ms', 'hex', { requires: nsh }),
  nshField(9, 'nsh_c4', 32, 4, 'ms', 'hex', { requires: nsh }),
  nshField(10, 'nsh_ttl', 8, 1, 's', 'dec', { requires: nsh }),
  onf(42, 'onf_tcp_flags', 12, 2, { requires: tcp, symbol: 'ONFOXM_ET_TCP_FLAGS' }),
  {
    ...onf(43, 'onf_actset_output', 32, 4, { symbol: 'ONFOXM_ET_ACTSET_OUTPUT' }),
    maskable: false,
    kind: 'port' as const,
  },
  row('ERICOXM_OF_', { oxmClass: ERICSSON_OXM_CLASS }, 1, 'icmpv6_nd_reserved', 32, 4, 's', 'dec', {
    requires: neighbour,
  }),
  row('ERICOXM_OF_', { oxmClass: ERICSSON_OXM_CLASS }, 2, 'icmpv6_nd_options_type', 8, 1, 's', 'dec', {
    requires: neighbour,
  }),
] as const satisfies readonly OxmFacts[];

const numbered = (count: number, make: (n: number) => OxmFacts): readonly OxmFacts[] =>
  Array.from({ length: count }, (_, n) => make(n));

/** Longest tunnel option; the width of a tun_metadata field is what the switch's TLV table maps it to. */
const tunMetadataBytes = 124;

/** Name of a field of this table, such as `'reg0'`. */
export type NiciraFieldName =
  | (typeof plainFields)[number]['name']
  | `reg${UpTo15}`
  | `xreg${UpTo7}`
  | `xxreg${0 | 1 | 2 | 3}`
  | `tun_metadata${UpTo63}`;

export const niciraFields: readonly OxmFacts[] = [
  ...numbered(16, (n) => nx(n, `reg${n}`, 32, 4, 'ms', 'hex')),
  ...numbered(8, (n) => ({
    ...row('', { oxmClass: OFPXMC.PACKET_REGS }, n, `xreg${n}`, 64, 8, 'ms', 'hex', { symbol: `OXM_OF_PKT_REG${n}` }),
  })),
  ...numbered(4, (n) => nx(111 + n, `xxreg${n}`, 128, 16, 'ms', 'hex')),
  ...numbered(64, (n) =>
    nx(40 + n, `tun_metadata${n}`, 8 * tunMetadataBytes, tunMetadataBytes, 'ms', 'hex', { variable: true }),
  ),
  ...plainFields,
];

/** Fields of this table and of OpenFlow 1.3 that no action may write (ovs-fields(7), "Access: read-only"). */
const readOnly: ReadonlySet<string> = new Set([
  'eth_type',
  'ip_proto',
  'mpls_bos',
  'in_phy_port',
  ...niciraFields.filter((facts) => !facts.settable).map((facts) => facts.name),
]);

/** May an action such as NXAST_REG_LOAD write the field? Not the same as set_field's `settable`: metadata and in_port are. */
export const isWritable = (field: string): boolean => !readOnly.has(field);
