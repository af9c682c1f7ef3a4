/** Slots to match fields, in the order in which Open vSwitch writes them, and back. */
import { oxmFacts } from '../match/build.js';
import type { Match, OxmFieldName, OxmKnown, OxmTlv } from '../types/oxm.js';
import { bigintToBytes, bytesToBigint } from './addresses.js';
import { allOnes, type Masked } from './field-values.js';
import { fieldsByName, fieldsByWire, type OvsField } from './ovs-fields.js';
import { pcpShift, Slots, tagPresent } from './slots.js';

const ETHERTYPE = { ip: 0x0800, arp: 0x0806, rarp: 0x8035, ipv6: 0x86dd, mpls: 0x8847, mplsm: 0x8848 } as const;
const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;
const ND = { solicit: 135, advert: 136 } as const;

export const isMpls = (type: number): boolean => type === ETHERTYPE.mpls || type === ETHERTYPE.mplsm;
export const isArp = (type: number): boolean => type === ETHERTYPE.arp || type === ETHERTYPE.rarp;
export const isIp = (type: number): boolean => type === ETHERTYPE.ip || type === ETHERTYPE.ipv6;
export const isNd = (slots: Slots): boolean =>
  slots.ethertype === ETHERTYPE.ipv6 &&
  slots.protocol === PROTOCOL.icmp6 &&
  (slots.known('tp_src') === ND.solicit || slots.known('tp_src') === ND.advert) &&
  slots.mask('tp_src') === 0xffffn;

/** A match field from right-aligned bits, or none where nothing is matched. */
function tlv(field: OxmFieldName, { value, mask }: Masked): OxmKnown[] {
  if (mask === 0n) return [];
  const { bits, bytes } = oxmFacts(field);
  const wide = bigintToBytes(value, bytes)!;
  // Open vSwitch writes the mask of tun_flags always.
  if (mask === allOnes(bits) && field !== 'tun_flags') return [{ field, value: wide }];
  return [{ field, value: wide, mask: bigintToBytes(mask, bytes)! }];
}

function plain(slots: Slots, names: readonly string[]): OxmKnown[] {
  const found: OxmKnown[] = [];
  for (const name of names) {
    const field = fieldsByName.get(name)!;
    if (slots.mask(field.slot) !== 0n) found.push(...tlv(field.wire!, slots.field(field)));
  }
  return found;
}

function vlan(slots: Slots): OxmKnown[] {
  const tci = { value: slots.value('vlan_tci'), mask: slots.mask('vlan_tci') };
  const vid = { value: tci.value & 0x1fffn, mask: tci.mask & 0x1fffn };
  const priority = vid.value !== 0n && tci.mask >> pcpShift !== 0n;
  return [...tlv('vlan_vid', vid), ...(priority ? tlv('vlan_pcp', { value: tci.value >> pcpShift, mask: 7n }) : [])];
}

function transport(slots: Slots): OxmKnown[] {
  switch (slots.protocol) {
    case PROTOCOL.tcp:
      return plain(slots, ['tcp_src', 'tcp_dst', 'tcp_flags']);
    case PROTOCOL.udp:
      return plain(slots, ['udp_src', 'udp_dst']);
    case PROTOCOL.sctp:
      return plain(slots, ['sctp_src', 'sctp_dst']);
    case PROTOCOL.icmp:
      return slots.ethertype === ETHERTYPE.ip ? plain(slots, ['icmp_type', 'icmp_code']) : [];
    case PROTOCOL.icmp6:
      return slots.ethertype === ETHERTYPE.ipv6 ? [...plain(slots, ['icmpv6_type', 'icmpv6_code']), ...nd(slots)] : [];
    default:
      return [];
  }
}

function nd(slots: Slots): OxmKnown[] {
  if (!isNd(slots)) return [];
  const link = slots.known('tp_src') === ND.solicit ? 'nd_sll' : 'nd_tll';
  return plain(slots, ['nd_reserved', 'nd_target', 'nd_options_type', link]);
}

function network(slots: Slots): OxmKnown[] {
  const type = slots.ethertype;
  if (isMpls(type)) return plain(slots, ['mpls_tc', 'mpls_bos', 'mpls_ttl', 'mpls_label']);
  if (isArp(type)) return plain(slots, ['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha']);
  if (!isIp(type)) return [];
  const addresses = type === ETHERTYPE.ip ? ['ip_src', 'ip_dst'] : ['ipv6_src', 'ipv6_dst'];
  const protocol = slots.mask('nw_proto') === 0n ? [] : [...plain(slots, ['nw_proto']), ...transport(slots)];
  const label = type === ETHERTYPE.ipv6 ? ['ipv6_label'] : [];
  return [...plain(slots, [...addresses, 'ip_frag', 'ip_dscp', 'nw_ecn', 'nw_ttl', ...label]), ...protocol];
}

function options(slots: Slots): OxmKnown[] {
  return [...slots.options.entries()]
    .sort(([a], [b]) => a - b)
    .map(([index, { value, mask, bytes, masked }]): OxmKnown => {
      const field = `tun_metadata${index}` as OxmFieldName;
      const known = { field, value: bigintToBytes(value & mask, bytes)! };
      return !masked ? known : { ...known, mask: bigintToBytes(mask, bytes)! };
    });
}

const before = ['dp_hash', 'recirc_id', 'conj_id', 'in_port_oxm', 'actset_output', 'eth_src', 'eth_dst', 'eth_type'];
const tunnelFirst = [
  'tun_id',
  'tun_flags',
  'tun_src',
  'tun_dst',
  'tun_ipv6_src',
  'tun_ipv6_dst',
  'tun_gbp_id',
  'tun_gbp_flags',
];
const tunnelLast = ['erspan_idx', 'erspan_ver', 'erspan_dir', 'erspan_hwid', 'gtpu_flags', 'gtpu_msgtype'].map(
  (name) => `tun_${name}`,
);
const nsh = ['flags', 'ttl', 'mdtype', 'np', 'spi', 'si', 'c1', 'c2', 'c3', 'c4'].map((name) => `nsh_${name}`);
const registers = Array.from({ length: 16 }, (_, n) => `reg${n}`);
const after = [
  'pkt_mark',
  'ct_state',
  'ct_zone',
  'ct_mark',
  'ct_label',
  'ct_nw_src',
  'ct_ipv6_src',
  'ct_nw_dst',
  'ct_ipv6_dst',
];

/** What Open vSwitch sends for these slots in OpenFlow 1.3. What does not apply (tp_src of an ARP packet) is left out. */
export function matchOf(slots: Slots): Match {
  const ethernet = (slots.known('packet_type') ?? 0) === 0;
  const match = [
    ...(ethernet ? [] : plain(slots, ['packet_type'])),
    ...plain(slots, before),
    ...vlan(slots),
    ...network(slots),
    ...plain(slots, tunnelFirst),
    ...options(slots),
    ...plain(slots, tunnelLast),
    ...plain(slots, nsh),
    ...plain(slots, registers),
    ...plain(slots, after),
    ...(slots.known('ct_nw_proto') ? plain(slots, ['ct_nw_proto', 'ct_tp_src', 'ct_tp_dst']) : []),
    ...plain(slots, ['metadata']),
  ];
  // That it is an Ethernet packet goes without saying where a field says it.
  return slots.known('packet_type') !== 0 || match.some(isEthernet)
    ? match
    : [...plain(slots, ['packet_type']), ...match];
}

/** Does a field exist in Ethernet packets only? */
function isEthernet({ field }: OxmTlv): boolean {
  const known = fieldsByWire.get(field);
  return known !== undefined && (known.needs !== '' || /^(eth_|vlan_)/.test(known.name));
}

/** The slots of a match, and the fields that Open vSwitch does not know. */
export function slotsOf(match: Match): { readonly slots: Slots; readonly others: readonly OxmTlv[] } {
  const slots = new Slots();
  const others: OxmTlv[] = [];
  for (const one of match) {
    const field = fieldsByWire.get(one.field);
    if (field === undefined) others.push(one);
    else setKnown(slots, field, one as OxmKnown);
  }
  return { slots, others };
}

/** In the fields that ovs-ofctl's words become: matches of the same packets are the same, whatever fields they were in. */
export function canonicalMatch(match: Match): Match {
  const { slots, others } = slotsOf(match);
  return [...matchOf(slots), ...others];
}

function setKnown(slots: Slots, field: OvsField, { value, mask }: OxmKnown): void {
  if (field.name.startsWith('tun_metadata')) {
    slots.setOptionBytes(Number(field.name.slice('tun_metadata'.length)), value, mask);
    return;
  }
  const all = allOnes(8 * field.bytes);
  if (mask === undefined) {
    slots.set(field, { value: bytesToBigint(value), mask: all });
    return;
  }
  // Full is full, whether or not the bits above the field's are in the mask.
  const given = bytesToBigint(mask);
  const full =
    (given & allOnes(oxmFacts(field.wire ?? field.nxm!).bits)) === allOnes(oxmFacts(field.wire ?? field.nxm!).bits);
  slots.set(field, { value: bytesToBigint(value), mask: full ? all : given });
}

export { ETHERTYPE, PROTOCOL, tagPresent };
