/** A match as ovs-ofctl prints it. What Open vSwitch does not know gets the specification's name, at the end. */
import { isFullMask } from '../codec/oxm.js';
import { oxmFacts } from '../match/build.js';
import type { OxmKind } from '../of13/oxm-fields.js';
import type { Match, OxmTlv } from '../types/oxm.js';
import { bytesToBigint, formatHex, formatIpv4, formatIpv6, formatMac, prefixLength } from './addresses.js';
import { allOnes, fieldText, hexText, maskedAddress, packetTypeText } from './field-values.js';
import { ctStateNames, maskedFlags, tcpFlagNames, tunFlagNames } from './flags.js';
import { usualMatchText } from './format-usual.js';
import { ETHERTYPE, isArp, PROTOCOL, slotsOf } from './match-wire.js';
import { type NamesOf, port11Text } from './numbers.js';
import { fieldsByName } from './ovs-fields.js';
import { type Slots, tagPresent } from './slots.js';

const nshType = 0x894f;
const hexPadded = (value: bigint, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** Most fields are in few matches. */
const NOTHING: readonly string[] = [];
const registers = Array.from({ length: 16 }, (_, n) => `reg${n}`);

/** 'name=value' of a whole field, in the field's own format; nothing where nothing is matched. */
function own(slots: Slots, name: string, shown = name): readonly string[] {
  const field = fieldsByName.get(name)!;
  if (slots.mask(field.slot) === 0n) return NOTHING;
  const { value, mask } = slots.field(field);
  if (mask === 0n) return NOTHING;
  if (field.format === 'ipv4' || field.format === 'ipv6' || field.format === 'mac') {
    return [`${shown}=${mask === allOnes(field.bits) ? fieldText(field, value) : maskedAddress(field, value, mask)}`];
  }
  return [`${shown}=${fieldText(field, value, mask)}`];
}

/** Decimal; with a mask both as hexadecimal of `digits` digits at least. */
function decimal(slots: Slots, name: string, shown = name, digits = 1): readonly string[] {
  const field = fieldsByName.get(name)!;
  if (slots.mask(field.slot) === 0n) return NOTHING;
  const { value, mask } = slots.field(field);
  if (mask === 0n) return NOTHING;
  const exact = mask === allOnes(field.bits) || slots.mask(field.slot) === 0xffffn;
  return [`${shown}=${exact ? value : `${hexPadded(value, digits)}/${hexPadded(mask, digits)}`}`];
}

/** The value whatever the mask. */
const bare = (slots: Slots, name: string, text: (value: bigint) => string, shown = name): readonly string[] => {
  const field = fieldsByName.get(name)!;
  if (slots.mask(field.slot) === 0n) return NOTHING;
  const { value, mask } = slots.field(field);
  return mask === 0n ? NOTHING : [`${shown}=${text(value)}`];
};

const decimalText = (value: bigint): string => value.toString();

/** `full`: the mask with which the flags are listed; absent: never. */
function flags(slots: Slots, name: string, names: readonly string[], full = -1): string[] {
  const { value, mask } = slots.field(fieldsByName.get(name)!);
  const width = allOnes(names.length);
  return mask === 0n ? [] : [`${name}=${maskedFlags(Number(value & width), Number(mask & width), names, full)}`];
}

/** 'tcp' and the like; which of ethertype and protocol it has said already. */
function protocolWord(slots: Slots): { readonly word: string[]; readonly type: boolean; readonly protocol: boolean } {
  if (slots.mask('eth_type') === 0n) return { word: [], type: true, protocol: false };
  const v6 = slots.ethertype === ETHERTYPE.ipv6;
  const protocols: Record<number, string> = {
    [PROTOCOL.tcp]: 'tcp',
    [PROTOCOL.udp]: 'udp',
    [PROTOCOL.sctp]: 'sctp',
    [v6 ? PROTOCOL.icmp6 : PROTOCOL.icmp]: 'icmp',
  };
  switch (slots.ethertype) {
    case ETHERTYPE.ip:
    case ETHERTYPE.ipv6: {
      const word = slots.mask('nw_proto') === 0n ? undefined : protocols[slots.protocol];
      const family = v6 ? (word === undefined ? 'ipv6' : `${word}6`) : (word ?? 'ip');
      return { word: [family], type: true, protocol: word !== undefined };
    }
    case ETHERTYPE.arp:
      return { word: ['arp'], type: true, protocol: false };
    case ETHERTYPE.rarp:
      return { word: ['rarp'], type: true, protocol: false };
    case ETHERTYPE.mpls:
      return { word: ['mpls'], type: true, protocol: false };
    case ETHERTYPE.mplsm:
      return { word: ['mplsm'], type: true, protocol: false };
    default:
      return { word: [], type: false, protocol: false };
  }
}

/** ovs-ofctl speaks of the tag as a whole when it cannot say "VLAN n" and "priority n". */
function vlanText(slots: Slots): readonly string[] {
  const [tci, mask] = [slots.value('vlan_tci'), slots.mask('vlan_tci')];
  if (mask === 0n) return [];
  const [vid, pcp] = [mask & 0xfffn, mask >> 13n];
  const tagged = (mask & tci & tagPresent) !== 0n;
  if (tagged && (vid === 0n || vid === 0xfffn) && (pcp === 0n || pcp === 7n) && (vid !== 0n || pcp !== 0n)) {
    return [...(vid === 0n ? [] : [`dl_vlan=${tci & 0xfffn}`]), ...(pcp === 0n ? [] : [`dl_vlan_pcp=${tci >> 13n}`])];
  }
  return [`vlan_tci=${hexPadded(tci, 4)}${mask === 0xffffn ? '' : `/${hexPadded(mask, 4)}`}`];
}

function ctState(slots: Slots): readonly string[] {
  const mask = Number(slots.mask('ct_state') & 0xffn);
  const value = Number(slots.value('ct_state') & 0xffn);
  return mask === 0 ? [] : [`ct_state=${maskedFlags(value, mask, ctStateNames, 0xff)}`];
}

function tunnel(slots: Slots): readonly string[] {
  const version = slots.known('tun_erspan_ver');
  const options = [...slots.options.entries()]
    .sort(([a], [b]) => a - b)
    .map(([index, { value, mask, bytes, masked }]) => {
      if (masked && mask === 0n) return `tun_metadata${index}`;
      const full = mask === allOnes(8 * bytes);
      return `tun_metadata${index}=${hexText(value)}${full ? '' : `/${hexText(mask)}`}`;
    });
  return [
    ...own(slots, 'tun_id'),
    ...['tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst'].flatMap((name) => own(slots, name)),
    ...decimal(slots, 'tun_gbp_id'),
    ...bare(slots, 'tun_gbp_flags', hexText),
    ...bare(slots, 'tun_erspan_ver', decimalText),
    ...(version === 1 ? bare(slots, 'tun_erspan_idx', hexText) : []),
    ...(version === 2 ? bare(slots, 'tun_erspan_dir', decimalText) : []),
    ...(version === 2 ? bare(slots, 'tun_erspan_hwid', hexText) : []),
    ...bare(slots, 'tun_gtpu_flags', hexText, 'gtpu_flags'),
    ...bare(slots, 'tun_gtpu_msgtype', decimalText, 'gtpu_msgtype'),
    ...flags(slots, 'tun_flags', tunFlagNames),
    ...options,
  ];
}

function addresses(slots: Slots): readonly string[] {
  const type = slots.ethertype;
  if (type === ETHERTYPE.ipv6) {
    const { value, mask } = slots.field(fieldsByName.get('ipv6_label')!);
    const label = `ipv6_label=${hexPadded(value, 5)}${mask === 0xfffffn ? '' : `/${hexPadded(mask, 5)}`}`;
    return [...own(slots, 'ipv6_src'), ...own(slots, 'ipv6_dst'), ...(mask === 0n ? [] : [label])];
  }
  if (isArp(type)) return [...own(slots, 'arp_spa'), ...own(slots, 'arp_tpa')];
  if (type === nshType) return nsh(slots);
  return [...own(slots, 'ip_src', 'nw_src'), ...own(slots, 'ip_dst', 'nw_dst')];
}

function nsh(slots: Slots): readonly string[] {
  const contexts = slots.known('nsh_mdtype') === 1 ? ['nsh_c1', 'nsh_c2', 'nsh_c3', 'nsh_c4'] : [];
  const context = (name: string): readonly string[] => {
    const { value, mask } = slots.field(fieldsByName.get(name)!);
    const [v, m] = [`0x${value.toString(16)}`, `0x${mask.toString(16)}`];
    return mask === 0n ? [] : [`${name}=${mask === allOnes(32) ? v : `${v}/${m}`}`];
  };
  return [
    ...['nsh_flags', 'nsh_ttl', 'nsh_mdtype', 'nsh_np'].flatMap((name) => decimal(slots, name, name, 2)),
    ...bare(slots, 'nsh_spi', (value) => `0x${value.toString(16)}`),
    ...decimal(slots, 'nsh_si', 'nsh_si', 2),
    ...contexts.flatMap(context),
  ];
}

function transport(slots: Slots): readonly string[] {
  const v6 = slots.ethertype === ETHERTYPE.ipv6;
  if (slots.ethertype === ETHERTYPE.ip && slots.protocol === PROTOCOL.icmp) {
    return [...decimal(slots, 'tcp_src', 'icmp_type'), ...decimal(slots, 'tcp_dst', 'icmp_code')];
  }
  if (v6 && slots.protocol === PROTOCOL.icmp6) {
    return [
      ...decimal(slots, 'tcp_src', 'icmp_type'),
      ...decimal(slots, 'tcp_dst', 'icmp_code'),
      ...own(slots, 'nd_target'),
      ...own(slots, 'nd_sll'),
      ...own(slots, 'nd_tll'),
      ...decimal(slots, 'nd_reserved'),
      ...decimal(slots, 'nd_options_type'),
    ];
  }
  return [...decimal(slots, 'tcp_src', 'tp_src'), ...decimal(slots, 'tcp_dst', 'tp_dst')];
}

function formatBytes(bytes: Uint8Array, kind: OxmKind): string {
  if (kind === 'mac') return formatMac(bytes);
  if (kind === 'ipv4') return formatIpv4(bytes);
  if (kind === 'ipv6') return formatIpv6(bytes);
  if (kind === 'port') return port11Text(Number(bytesToBigint(bytes)));
  return kind === 'dec' ? bytesToBigint(bytes).toString() : hexText(bytesToBigint(bytes));
}

/** A field that ovs-ofctl has no words for. */
export function otherText(tlv: OxmTlv): string {
  if (tlv.field === 'experimenter') {
    return `experimenter:${hexText(tlv.experimenter)}:${tlv.oxmField}${tlv.hasMask ? 'w' : ''}=${formatHex(tlv.data)}`;
  }
  if (tlv.field === 'raw') {
    return `oxm:${hexText(tlv.oxmClass)}:${tlv.oxmField}${tlv.hasMask ? 'w' : ''}=${formatHex(tlv.data)}`;
  }
  return `${tlv.field}=${otherValueText(tlv)}`;
}

export function otherValueText({ field, value, mask }: Exclude<OxmTlv, { readonly data: Uint8Array }>): string {
  const facts = oxmFacts(field);
  const text = formatBytes(value, facts.kind);
  if (mask === undefined || isFullMask(mask, facts)) return text;
  const prefix = facts.kind === 'ipv4' || facts.kind === 'ipv6' ? prefixLength(mask) : undefined;
  return `${text}/${prefix ?? formatBytes(mask, facts.kind)}`;
}

const isUnmatched = (tlv: OxmTlv): boolean => 'mask' in tlv && tlv.mask?.every((byte) => byte === 0) === true;

/** Places that most matches have to do with; of the others nothing is printed where only these are said. */
const usual: ReadonlySet<string> = new Set([
  ...['in_port', 'eth_src', 'eth_dst', 'eth_type', 'vlan_tci', 'nw_src', 'nw_dst', 'nw_proto', 'tp_src', 'tp_dst'],
  'metadata',
]);

/** What is known of a packet besides its headers. */
const metadataOf = (slots: Slots, port: (value: bigint) => string, packetType: number): readonly string[] => [
  ...own(slots, 'pkt_mark'),
  ...bare(slots, 'recirc_id', hexText),
  ...own(slots, 'dp_hash'),
  ...bare(slots, 'conj_id', decimalText),
  ...bare(slots, 'actset_output', port),
  ...ctState(slots),
  ...decimal(slots, 'ct_zone'),
  ...['ct_mark', 'ct_label', 'ct_nw_src', 'ct_ipv6_src', 'ct_nw_dst', 'ct_ipv6_dst'].flatMap((name) =>
    own(slots, name),
  ),
  ...bare(slots, 'ct_nw_proto', decimalText),
  ...decimal(slots, 'ct_tp_src'),
  ...decimal(slots, 'ct_tp_dst'),
  ...(packetType === 0 ? [] : [packetTypeText(packetType)]),
];

/** 'tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80'; the empty text for a match on everything. */
export const formatMatch = (match: Match, names: NamesOf = {}): string =>
  usualMatchText(match, names) ?? anyMatchText(match, names);

/** The same, whatever is matched. */
export function anyMatchText(match: Match, names: NamesOf): string {
  const { slots, others } = slotsOf(match);
  const { word, type, protocol } = protocolWord(slots);
  const packetType = slots.known('packet_type') ?? 0;
  const protocolName = isArp(slots.ethertype) ? 'arp_op' : 'nw_proto';
  const tcpFlags = slots.protocol === PROTOCOL.tcp ? flags(slots, 'tcp_flags', tcpFlagNames, 0xfff) : [];
  const port = (value: bigint): string => port11Text(Number(value), names);
  const rare = slots.options.size > 0 || slots.names.some((name) => !usual.has(name));
  return [
    ...(rare ? metadataOf(slots, port, packetType) : NOTHING),
    ...word,
    ...(rare ? [...registers.flatMap((name) => own(slots, name)), ...tunnel(slots)] : NOTHING),
    ...own(slots, 'metadata'),
    ...bare(slots, 'in_port_oxm', port, 'in_port'),
    ...vlanText(slots),
    ...own(slots, 'eth_src', 'dl_src'),
    ...own(slots, 'eth_dst', 'dl_dst'),
    ...(type ? [] : bare(slots, 'eth_type', (value) => hexPadded(value, 4), 'dl_type')),
    ...addresses(slots),
    ...(protocol ? [] : bare(slots, 'nw_proto', decimalText, protocolName)),
    ...(isArp(slots.ethertype) ? [...own(slots, 'arp_sha'), ...own(slots, 'arp_tha')] : []),
    ...bare(slots, 'ip_dscp', (value) => String(value << 2n), 'nw_tos'),
    ...['nw_ecn', 'nw_ttl', 'mpls_label', 'mpls_tc', 'mpls_ttl', 'mpls_bos'].flatMap((name) =>
      bare(slots, name, decimalText),
    ),
    ...own(slots, 'ip_frag', 'nw_frag'),
    ...transport(slots),
    ...tcpFlags,
    ...others.filter((tlv) => !isUnmatched(tlv)).map(otherText),
  ].join(',');
}
