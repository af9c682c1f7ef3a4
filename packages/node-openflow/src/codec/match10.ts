/** ofp_match of 1.0, 40 bytes: a bit for each wildcard, and prefix lengths (OpenFlow 1.0.2 §5.2.3). */
import type { Match, OxmFieldName, OxmKnown } from '../types/oxm.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import {
  ETH_ARP,
  ETH_IPV4,
  exact,
  LegacyFields,
  masked,
  numberOf,
  transportFields,
  vlanFields,
} from './legacy-match.js';
import { ports16 } from './port-numbers.js';
import type { Structure } from './protocol.js';

/** ofp_flow_wildcards */
export const OFPFW = {
  IN_PORT: 1 << 0,
  DL_VLAN: 1 << 1,
  DL_SRC: 1 << 2,
  DL_DST: 1 << 3,
  DL_TYPE: 1 << 4,
  NW_PROTO: 1 << 5,
  TP_SRC: 1 << 6,
  TP_DST: 1 << 7,
  NW_SRC_SHIFT: 8,
  NW_SRC_BITS: 6,
  NW_SRC_MASK: 0x3f << 8,
  NW_SRC_ALL: 32 << 8,
  NW_DST_SHIFT: 14,
  NW_DST_BITS: 6,
  NW_DST_MASK: 0x3f << 14,
  NW_DST_ALL: 32 << 14,
  DL_VLAN_PCP: 1 << 20,
  NW_TOS: 1 << 21,
  ALL: (1 << 22) - 1,
} as const;

/** dl_vlan of a packet without a tag. */
export const OFP_VLAN_NONE = 0xffff;

const macLength = 6;
const prefixBits = 0x3f;

function address(field: OxmFieldName, value: Uint8Array, wildBits: number): OxmKnown[] {
  if (wildBits >= 32) return [];
  const mask = Uint8Array.from(
    { length: 4 },
    (_, i) => (0xff00 >> Math.min(8, Math.max(0, 32 - wildBits - 8 * i))) & 0xff,
  );
  return [masked(field, value, mask)];
}

const ETH_IPV6 = 0x86dd;
const ICMPV6 = 58;
const isIp = (dlType: number | undefined): boolean => dlType === ETH_IPV4 || dlType === ETH_IPV6;

/**
 * What tp_src and tp_dst are. The specification speaks of IPv4 alone; that nw_tos, nw_proto and the ports mean the same of
 * IPv6 is Open vSwitch's reading, and that of the certification for 1.0.
 */
function transportOf(dlType: number | undefined, proto: number | undefined): ReturnType<typeof transportFields> {
  if (dlType !== ETH_IPV6) return transportFields(proto);
  const fields = proto === ICMPV6 ? (['icmpv6_type', 'icmpv6_code', 1] as const) : transportFields(proto);
  return fields?.[0] === 'icmpv4_type' ? undefined : fields;
}

function decode(whole: WireReader): Match {
  const r = whole.sub(40);
  const wildcards = r.u32();
  const given = (bit: number): boolean => (wildcards & bit) === 0;
  const inPort = ports16.decode(r);
  const dlSrc = r.bytes(macLength);
  const dlDst = r.bytes(macLength);
  const vlan = r.u16();
  const pcp = r.u8();
  r.skip(1);
  const ethType = r.u16();
  const dlType = given(OFPFW.DL_TYPE) ? ethType : undefined;
  const tos = r.u8();
  const nwProto = r.u8();
  r.skip(2);
  const nwSrc = r.bytes(4);
  const nwDst = r.bytes(4);
  const ports = [r.u16(), r.u16()] as const;

  const match: OxmKnown[] = [];
  if (given(OFPFW.IN_PORT)) match.push(exact('in_port', inPort, 4));
  if (given(OFPFW.DL_DST)) match.push({ field: 'eth_dst', value: dlDst });
  if (given(OFPFW.DL_SRC)) match.push({ field: 'eth_src', value: dlSrc });
  if (dlType !== undefined) match.push(exact('eth_type', dlType, 2));
  match.push(
    ...vlanFields(given(OFPFW.DL_VLAN) ? vlan : undefined, given(OFPFW.DL_VLAN_PCP) ? pcp : undefined, OFP_VLAN_NONE),
  );
  const srcBits = (wildcards >>> OFPFW.NW_SRC_SHIFT) & prefixBits;
  const dstBits = (wildcards >>> OFPFW.NW_DST_SHIFT) & prefixBits;
  if (isIp(dlType)) {
    if (given(OFPFW.NW_TOS)) match.push(exact('ip_dscp', tos >> 2, 1));
    if (given(OFPFW.NW_PROTO)) match.push(exact('ip_proto', nwProto, 1));
    if (dlType === ETH_IPV4) match.push(...address('ipv4_src', nwSrc, srcBits), ...address('ipv4_dst', nwDst, dstBits));
    const transport = given(OFPFW.NW_PROTO) ? transportOf(dlType, nwProto) : undefined;
    if (transport !== undefined) {
      const [src, dst, width] = transport;
      if (given(OFPFW.TP_SRC)) match.push(exact(src, width === 1 ? ports[0] & 0xff : ports[0], width));
      if (given(OFPFW.TP_DST)) match.push(exact(dst, width === 1 ? ports[1] & 0xff : ports[1], width));
    }
  } else if (dlType === ETH_ARP) {
    if (given(OFPFW.NW_PROTO)) match.push(exact('arp_op', nwProto, 2));
    match.push(...address('arp_spa', nwSrc, srcBits), ...address('arp_tpa', nwDst, dstBits));
  }
  return match;
}

/** [address, bits that do not matter] */
function prefix(fields: LegacyFields, field: OxmFieldName): readonly [Uint8Array, number] {
  const tlv = fields.take(field);
  if (tlv === undefined) return [new Uint8Array(4), 32];
  if (tlv.mask === undefined) return [tlv.value, 0];
  const inverted = 0xffffffff - numberOf(tlv.mask);
  const bits = Math.log2(inverted + 1);
  if (!Number.isInteger(bits)) fields.refuse(`a mask of ${field} that is no prefix`);
  return [tlv.value, bits];
}

function encode(w: WireWriter, match: Match): void {
  const fields = new LegacyFields(match, 'OpenFlow 1.0');
  let wildcards = 0;
  const orWild = (value: number | undefined, bit: number): number => {
    if (value === undefined) wildcards |= bit;
    return value ?? 0;
  };
  const mac = (field: 'eth_src' | 'eth_dst', bit: number): Uint8Array => {
    const tlv = fields.take(field);
    if (tlv?.mask !== undefined) fields.refuse(`a mask of ${field}`);
    if (tlv === undefined) wildcards |= bit;
    return tlv?.value ?? new Uint8Array(macLength);
  };
  const inPort = orWild(fields.exact('in_port'), OFPFW.IN_PORT);
  const [dlSrc, dlDst] = [mac('eth_src', OFPFW.DL_SRC), mac('eth_dst', OFPFW.DL_DST)];
  const [vid, pcp] = fields.vlan(OFP_VLAN_NONE);
  const dlType = fields.exact('eth_type');
  let [tos, nwProto]: [number | undefined, number | undefined] = [undefined, undefined];
  let [src, dst]: (readonly [Uint8Array, number])[] = [
    [new Uint8Array(4), 32],
    [new Uint8Array(4), 32],
  ];
  let ports: readonly [number | undefined, number | undefined] = [undefined, undefined];
  if (isIp(dlType)) {
    const dscp = fields.exact('ip_dscp');
    tos = dscp === undefined ? undefined : dscp << 2;
    nwProto = fields.exact('ip_proto');
    if (dlType === ETH_IPV4) [src, dst] = [prefix(fields, 'ipv4_src'), prefix(fields, 'ipv4_dst')];
    const transport = transportOf(dlType, nwProto);
    if (transport !== undefined) ports = [fields.exact(transport[0]), fields.exact(transport[1])];
  } else if (dlType === ETH_ARP) {
    nwProto = fields.exact('arp_op');
    if (nwProto !== undefined && nwProto > 0xff) fields.refuse(`arp_op ${nwProto}`);
    [src, dst] = [prefix(fields, 'arp_spa'), prefix(fields, 'arp_tpa')];
  }
  fields.expectNone();

  const start = w.mark();
  w.u32(0);
  ports16.encode(w, inPort);
  w.bytes(dlSrc);
  w.bytes(dlDst);
  w.u16(orWild(vid, OFPFW.DL_VLAN));
  w.u8(orWild(pcp, OFPFW.DL_VLAN_PCP));
  w.zero(1);
  w.u16(orWild(dlType, OFPFW.DL_TYPE));
  w.u8(orWild(tos, OFPFW.NW_TOS));
  w.u8(orWild(nwProto, OFPFW.NW_PROTO));
  w.zero(2);
  w.exactly(src![0], 4);
  w.exactly(dst![0], 4);
  w.u16(orWild(ports[0], OFPFW.TP_SRC));
  w.u16(orWild(ports[1], OFPFW.TP_DST));
  wildcards |= (src![1] << OFPFW.NW_SRC_SHIFT) | (dst![1] << OFPFW.NW_DST_SHIFT);
  w.patchU16(start, wildcards >>> 16);
  w.patchU16(start + 2, wildcards & 0xffff);
}

export const match10: Structure<Match> = { decode, encode };
