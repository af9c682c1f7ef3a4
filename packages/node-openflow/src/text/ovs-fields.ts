/**
 * The fields of ovs-ofctl's text, one line each (ovs-fields(7)).
 *
 * ovs-ofctl does not speak of header bytes but of places in its view of a packet: tcp_src, udp_src and icmp_type are
 * one place, xreg0 is reg0 and reg1. `slot`, `shift` and `bits` say which place a field is; `wire` which match field
 * carries it in OpenFlow 1.3, `nxm` in structures of Nicira's (absent: as on the wire).
 */
import { oxmFacts } from '../match/build.js';
import type { OxmFieldName } from '../types/oxm.js';

/** How a value is written. */
export type FieldFormat =
  | 'dec'
  | 'hex'
  | 'mac'
  | 'ipv4'
  | 'ipv6'
  | 'port'
  | 'frag'
  | 'tun_flags'
  | 'tcp_flags'
  | 'ct_state'
  | 'packet_type';

/** What a packet must be for it to have the field. */
export type Prerequisite =
  | ''
  | 'vlan'
  | 'ip4'
  | 'ip6'
  | 'ip'
  | 'arp'
  | 'mpls'
  | 'tcp'
  | 'udp'
  | 'sctp'
  | 'icmp4'
  | 'icmp6'
  | 'nd'
  | 'nd_solicit'
  | 'nd_advert'
  | 'nsh'
  | 'ct';

export interface OvsField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly bits: number;
  readonly bytes: number;
  readonly maskable: boolean;
  readonly writable: boolean;
  readonly format: FieldFormat;
  readonly needs: Prerequisite;
  readonly slot: string;
  readonly shift: number;
  /** Absent: it cannot be matched on its own in OpenFlow 1.3 (dl_vlan, tun_ttl). */
  readonly wire?: OxmFieldName;
  readonly nxm?: OxmFieldName;
}

interface Where {
  readonly slot?: string;
  readonly shift?: number;
  readonly wire?: OxmFieldName;
  readonly nxm?: OxmFieldName;
}

/** Names with aliases, separated by spaces; bits; bytes; m = maskable, w = writable. */
function row(
  names: string,
  bits: number,
  bytes: number,
  flags: '' | 'm' | 'w' | 'mw',
  format: FieldFormat,
  needs: Prerequisite,
  where: Where,
): OvsField {
  const [name, ...aliases] = names.split(' ');
  const maskable = flags.includes('m');
  const writable = flags.includes('w');
  return { name: name!, aliases, bits, bytes, maskable, writable, format, needs, slot: name!, shift: 0, ...where };
}

const numbered = (count: number, make: (n: number) => OvsField): OvsField[] =>
  Array.from({ length: count }, (_, n) => make(n));

/** All registers are one slot: reg0 is its uppermost 32 bits. */
const registers = (name: 'reg' | 'xreg' | 'xxreg', bits: number): OvsField[] =>
  numbered(512 / bits, (n) => {
    const wire = `${name}${n}` as OxmFieldName;
    return row(wire, bits, bits / 8, 'mw', 'hex', '', { slot: 'regs', shift: 512 - bits * (n + 1), wire });
  });

export const tunMetadataBytes = 124;

export const ovsFields: readonly OvsField[] = [
  row('dp_hash', 32, 4, 'm', 'hex', '', { wire: 'dp_hash' }),
  row('recirc_id', 32, 4, '', 'dec', '', { wire: 'recirc_id' }),
  row('packet_type', 32, 4, '', 'packet_type', '', { wire: 'packet_type' }),
  row('conj_id', 32, 4, '', 'dec', '', { wire: 'conj_id' }),
  row('tun_id tunnel_id', 64, 8, 'mw', 'hex', '', { wire: 'tunnel_id', nxm: 'nxm_nx_tun_id' }),
  row('tun_src', 32, 4, 'mw', 'ipv4', '', { wire: 'tun_ipv4_src' }),
  row('tun_dst', 32, 4, 'mw', 'ipv4', '', { wire: 'tun_ipv4_dst' }),
  row('tun_ipv6_src', 128, 16, 'mw', 'ipv6', '', { wire: 'tun_ipv6_src' }),
  row('tun_ipv6_dst', 128, 16, 'mw', 'ipv6', '', { wire: 'tun_ipv6_dst' }),
  row('tun_flags', 1, 2, 'mw', 'tun_flags', '', { wire: 'tun_flags' }),
  row('tun_ttl', 8, 1, '', 'dec', '', {}),
  row('tun_tos', 8, 1, '', 'dec', '', {}),
  row('tun_gbp_id', 16, 2, 'mw', 'dec', '', { wire: 'tun_gbp_id' }),
  row('tun_gbp_flags', 8, 1, 'mw', 'hex', '', { wire: 'tun_gbp_flags' }),
  row('tun_erspan_idx', 20, 4, 'mw', 'hex', '', { wire: 'erspan_idx' }),
  row('tun_erspan_ver', 4, 1, 'mw', 'dec', '', { wire: 'erspan_ver' }),
  row('tun_erspan_dir', 1, 1, 'mw', 'dec', '', { wire: 'erspan_dir' }),
  row('tun_erspan_hwid', 6, 1, 'mw', 'hex', '', { wire: 'erspan_hwid' }),
  row('tun_gtpu_flags', 8, 1, 'm', 'hex', '', { wire: 'gtpu_flags' }),
  row('tun_gtpu_msgtype', 8, 1, 'm', 'dec', '', { wire: 'gtpu_msgtype' }),
  ...numbered(64, (n) => {
    const wire = `tun_metadata${n}` as OxmFieldName;
    return row(wire, 8 * tunMetadataBytes, tunMetadataBytes, 'mw', 'hex', '', { wire });
  }),
  row('metadata', 64, 8, 'mw', 'hex', '', { wire: 'metadata' }),
  row('in_port', 16, 2, 'w', 'port', '', { nxm: 'nxm_of_in_port' }),
  row('in_port_oxm', 32, 4, 'w', 'port', '', { slot: 'in_port', wire: 'in_port' }),
  row('actset_output', 32, 4, '', 'port', '', { wire: 'onf_actset_output' }),
  row('skb_priority', 32, 4, '', 'hex', '', {}),
  row('pkt_mark', 32, 4, 'mw', 'hex', '', { wire: 'pkt_mark' }),
  row('ct_state', 32, 4, 'm', 'ct_state', '', { wire: 'ct_state' }),
  row('ct_zone', 16, 2, '', 'hex', '', { wire: 'ct_zone' }),
  row('ct_mark', 32, 4, 'mw', 'hex', '', { wire: 'ct_mark' }),
  row('ct_label', 128, 16, 'mw', 'hex', '', { wire: 'ct_label' }),
  row('ct_nw_proto', 8, 1, '', 'dec', 'ct', { wire: 'ct_nw_proto' }),
  row('ct_nw_src', 32, 4, 'm', 'ipv4', 'ct', { wire: 'ct_nw_src' }),
  row('ct_nw_dst', 32, 4, 'm', 'ipv4', 'ct', { wire: 'ct_nw_dst' }),
  row('ct_ipv6_src', 128, 16, 'm', 'ipv6', 'ct', { wire: 'ct_ipv6_src' }),
  row('ct_ipv6_dst', 128, 16, 'm', 'ipv6', 'ct', { wire: 'ct_ipv6_dst' }),
  row('ct_tp_src', 16, 2, 'm', 'dec', 'ct', { wire: 'ct_tp_src' }),
  row('ct_tp_dst', 16, 2, 'm', 'dec', 'ct', { wire: 'ct_tp_dst' }),
  ...registers('reg', 32),
  ...registers('xreg', 64),
  ...registers('xxreg', 128),
  row('eth_src dl_src', 48, 6, 'mw', 'mac', '', { wire: 'eth_src', nxm: 'nxm_of_eth_src' }),
  row('eth_dst dl_dst', 48, 6, 'mw', 'mac', '', { wire: 'eth_dst', nxm: 'nxm_of_eth_dst' }),
  row('eth_type dl_type', 16, 2, '', 'hex', '', { wire: 'eth_type', nxm: 'nxm_of_eth_type' }),
  row('vlan_tci', 16, 2, 'mw', 'hex', '', { nxm: 'vlan_tci' }),
  row('dl_vlan', 12, 2, 'w', 'dec', '', { slot: 'vlan_tci' }),
  row('vlan_vid', 12, 2, 'mw', 'dec', '', { slot: 'vlan_tci', wire: 'vlan_vid' }),
  row('dl_vlan_pcp', 3, 1, 'w', 'dec', '', { slot: 'vlan_tci', shift: 13 }),
  row('vlan_pcp', 3, 1, 'w', 'dec', 'vlan', { slot: 'vlan_tci', shift: 13, wire: 'vlan_pcp' }),
  row('mpls_label', 20, 4, 'w', 'dec', 'mpls', { slot: 'mpls_lse', shift: 12, wire: 'mpls_label' }),
  row('mpls_tc', 3, 1, 'w', 'dec', 'mpls', { slot: 'mpls_lse', shift: 9, wire: 'mpls_tc' }),
  row('mpls_bos', 1, 1, '', 'dec', 'mpls', { slot: 'mpls_lse', shift: 8, wire: 'mpls_bos' }),
  row('mpls_ttl', 8, 1, 'w', 'dec', 'mpls', { slot: 'mpls_lse', wire: 'mpls_ttl' }),
  row('ip_src nw_src', 32, 4, 'mw', 'ipv4', 'ip4', { slot: 'nw_src', wire: 'ipv4_src', nxm: 'nxm_of_ip_src' }),
  row('ip_dst nw_dst', 32, 4, 'mw', 'ipv4', 'ip4', { slot: 'nw_dst', wire: 'ipv4_dst', nxm: 'nxm_of_ip_dst' }),
  row('ipv6_src', 128, 16, 'mw', 'ipv6', 'ip6', { wire: 'ipv6_src', nxm: 'nxm_nx_ipv6_src' }),
  row('ipv6_dst', 128, 16, 'mw', 'ipv6', 'ip6', { wire: 'ipv6_dst', nxm: 'nxm_nx_ipv6_dst' }),
  row('ipv6_label', 20, 4, 'mw', 'hex', 'ip6', { wire: 'ipv6_flabel', nxm: 'nxm_nx_ipv6_label' }),
  row('nw_proto ip_proto', 8, 1, '', 'dec', 'ip', { wire: 'ip_proto', nxm: 'nxm_of_ip_proto' }),
  row('nw_tos', 8, 1, 'w', 'dec', 'ip', { nxm: 'ip_tos' }),
  row('ip_dscp', 6, 1, 'w', 'dec', 'ip', { slot: 'nw_tos', shift: 2, wire: 'ip_dscp' }),
  row('nw_ecn ip_ecn', 2, 1, 'w', 'dec', 'ip', { slot: 'nw_tos', wire: 'ip_ecn', nxm: 'nxm_nx_ip_ecn' }),
  row('nw_ttl', 8, 1, 'w', 'dec', 'ip', { wire: 'ip_ttl' }),
  row('ip_frag nw_frag', 2, 1, 'm', 'frag', 'ip', { slot: 'nw_frag', wire: 'ip_frag' }),
  row('arp_op', 16, 2, 'w', 'dec', 'arp', { slot: 'nw_proto', wire: 'arp_op', nxm: 'nxm_of_arp_op' }),
  row('arp_spa', 32, 4, 'mw', 'ipv4', 'arp', { slot: 'nw_src', wire: 'arp_spa', nxm: 'nxm_of_arp_spa' }),
  row('arp_tpa', 32, 4, 'mw', 'ipv4', 'arp', { slot: 'nw_dst', wire: 'arp_tpa', nxm: 'nxm_of_arp_tpa' }),
  row('arp_sha', 48, 6, 'mw', 'mac', 'arp', { wire: 'arp_sha', nxm: 'nxm_nx_arp_sha' }),
  row('arp_tha', 48, 6, 'mw', 'mac', 'arp', { wire: 'arp_tha', nxm: 'nxm_nx_arp_tha' }),
  row('tcp_src tp_src', 16, 2, 'mw', 'dec', 'tcp', { slot: 'tp_src', wire: 'tcp_src', nxm: 'nxm_of_tcp_src' }),
  row('tcp_dst tp_dst', 16, 2, 'mw', 'dec', 'tcp', { slot: 'tp_dst', wire: 'tcp_dst', nxm: 'nxm_of_tcp_dst' }),
  row('tcp_flags', 12, 2, 'm', 'tcp_flags', 'tcp', { wire: 'onf_tcp_flags', nxm: 'nxm_nx_tcp_flags' }),
  row('udp_src', 16, 2, 'mw', 'dec', 'udp', { slot: 'tp_src', wire: 'udp_src', nxm: 'nxm_of_udp_src' }),
  row('udp_dst', 16, 2, 'mw', 'dec', 'udp', { slot: 'tp_dst', wire: 'udp_dst', nxm: 'nxm_of_udp_dst' }),
  row('sctp_src', 16, 2, 'mw', 'dec', 'sctp', { slot: 'tp_src', wire: 'sctp_src' }),
  row('sctp_dst', 16, 2, 'mw', 'dec', 'sctp', { slot: 'tp_dst', wire: 'sctp_dst' }),
  row('icmp_type', 8, 1, 'w', 'dec', 'icmp4', { slot: 'tp_src', wire: 'icmpv4_type', nxm: 'nxm_of_icmp_type' }),
  row('icmp_code', 8, 1, 'w', 'dec', 'icmp4', { slot: 'tp_dst', wire: 'icmpv4_code', nxm: 'nxm_of_icmp_code' }),
  row('icmpv6_type', 8, 1, 'w', 'dec', 'icmp6', { slot: 'tp_src', wire: 'icmpv6_type', nxm: 'nxm_nx_icmpv6_type' }),
  row('icmpv6_code', 8, 1, 'w', 'dec', 'icmp6', { slot: 'tp_dst', wire: 'icmpv6_code', nxm: 'nxm_nx_icmpv6_code' }),
  row('nd_target', 128, 16, 'mw', 'ipv6', 'nd', { wire: 'ipv6_nd_target', nxm: 'nxm_nx_nd_target' }),
  row('nd_sll', 48, 6, 'mw', 'mac', 'nd_solicit', { slot: 'arp_sha', wire: 'ipv6_nd_sll', nxm: 'nxm_nx_nd_sll' }),
  row('nd_tll', 48, 6, 'mw', 'mac', 'nd_advert', { slot: 'arp_tha', wire: 'ipv6_nd_tll', nxm: 'nxm_nx_nd_tll' }),
  row('nd_reserved', 32, 4, 'w', 'dec', 'nd', { wire: 'icmpv6_nd_reserved' }),
  row('nd_options_type', 8, 1, 'w', 'dec', 'nd', { wire: 'icmpv6_nd_options_type' }),
  row('nsh_flags', 8, 1, 'mw', 'dec', 'nsh', { wire: 'nsh_flags' }),
  row('nsh_mdtype', 8, 1, '', 'dec', 'nsh', { wire: 'nsh_mdtype' }),
  row('nsh_np', 8, 1, '', 'dec', 'nsh', { wire: 'nsh_np' }),
  row('nsh_spi nsp', 24, 4, 'w', 'hex', 'nsh', { wire: 'nsh_spi' }),
  row('nsh_si nsi', 8, 1, 'w', 'dec', 'nsh', { wire: 'nsh_si' }),
  row('nsh_c1 nshc1', 32, 4, 'mw', 'hex', 'nsh', { wire: 'nsh_c1' }),
  row('nsh_c2 nshc2', 32, 4, 'mw', 'hex', 'nsh', { wire: 'nsh_c2' }),
  row('nsh_c3 nshc3', 32, 4, 'mw', 'hex', 'nsh', { wire: 'nsh_c3' }),
  row('nsh_c4 nshc4', 32, 4, 'mw', 'hex', 'nsh', { wire: 'nsh_c4' }),
  row('nsh_ttl', 8, 1, 'w', 'dec', 'nsh', { wire: 'nsh_ttl' }),
];

/** By name or alias. */
export const fieldsByName: ReadonlyMap<string, OvsField> = new Map(
  ovsFields.flatMap((field) => [field.name, ...field.aliases].map((name) => [name, field] as const)),
);

/** 'NXM_OF_ETH_DST' of nxm_of_eth_dst, 'OXM_OF_ETH_DST' of eth_dst. */
export const symbolOf = (wire: OxmFieldName): string => oxmFacts(wire).symbol ?? `OXM_OF_${wire.toUpperCase()}`;

/** The match field that stands for it inside Nicira's structures, and in set_field; undefined: none does. */
export const structureField = (field: OvsField): OxmFieldName | undefined => field.nxm ?? field.wire;
export const setFieldField = (field: OvsField): OxmFieldName | undefined => field.wire ?? field.nxm;

const wireNames = (field: OvsField): readonly OxmFieldName[] =>
  [field.nxm, field.wire].filter((name) => name !== undefined);

/** By NXM or OXM symbol. */
export const fieldsBySymbol: ReadonlyMap<string, OvsField> = new Map(
  ovsFields.flatMap((field) => wireNames(field).map((wire) => [symbolOf(wire), field] as const)),
);

/** By the name of a match field. in_port is two: ovs-ofctl's of 16 bits, and in_port_oxm, which is OpenFlow 1.3's. */
export const fieldsByWire: ReadonlyMap<string, OvsField> = new Map(
  ovsFields.flatMap((field) => wireNames(field).map((wire) => [wire, field] as const)),
);
