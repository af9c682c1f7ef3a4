/**
 * ofp_match of 1.1, 88 bytes (OpenFlow 1.1.0 §A.2.3): bits for wildcards, and masks of which a 1 means "does not
 * matter", the reverse of what masks are everywhere else.
 */
import { OFPMT } from '../of13/constants.js';
import { OFPBMC, OFPET } from '../of13/errors.js';
import type { Match, OxmFieldName, OxmKnown } from '../types/oxm.js';
import { WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_MPLS,
  ETH_MPLS_MULTICAST,
  exact,
  LegacyFields,
  masked,
  transportFields,
  vlanFields,
} from './legacy-match.js';
import type { Structure } from './protocol.js';

/** ofp_flow_wildcards */
export const OFPFW = {
  IN_PORT: 1 << 0,
  DL_VLAN: 1 << 1,
  DL_VLAN_PCP: 1 << 2,
  DL_TYPE: 1 << 3,
  NW_TOS: 1 << 4,
  NW_PROTO: 1 << 5,
  TP_SRC: 1 << 6,
  TP_DST: 1 << 7,
  MPLS_LABEL: 1 << 8,
  MPLS_TC: 1 << 9,
  ALL: (1 << 10) - 1,
} as const;

/** ofp_vlan_id */
export const OFPVID = { ANY: 0xfffe, NONE: 0xffff } as const;

export const OFPMT_STANDARD_LENGTH = 88;
const macLength = 6;

const inverted = (mask: Uint8Array): Uint8Array => mask.map((byte) => byte ^ 0xff);

/** An address and its mask; none when nothing of it matters. */
function maskedField(field: OxmFieldName, value: Uint8Array, wild: Uint8Array): OxmKnown[] {
  const mask = inverted(wild);
  return mask.every((byte) => byte === 0) ? [] : [masked(field, value, mask)];
}

const isMpls = (dlType: number | undefined): boolean => dlType === ETH_MPLS || dlType === ETH_MPLS_MULTICAST;

function atMost(max: number, value: number, field: string): number {
  if (value > max) throw new WireError(OFPET.BAD_MATCH, OFPBMC.BAD_VALUE, `${field} ${value}`);
  return value;
}

function decode(whole: WireReader): Match {
  const header = whole.sub(4, OFPET.BAD_MATCH, OFPBMC.BAD_LEN);
  const type = header.u16();
  const length = header.u16();
  if (type !== OFPMT.STANDARD) throw new WireError(OFPET.BAD_MATCH, OFPBMC.BAD_TYPE, `match type ${type}`);
  if (length !== OFPMT_STANDARD_LENGTH)
    throw new WireError(OFPET.BAD_MATCH, OFPBMC.BAD_LEN, `match of ${length} bytes`);
  const r = whole.sub(OFPMT_STANDARD_LENGTH - 4, OFPET.BAD_MATCH, OFPBMC.BAD_LEN);
  const inPort = r.u32();
  const wildcards = r.u32();
  const [dlSrc, dlSrcWild] = [r.bytes(macLength), r.bytes(macLength)];
  const [dlDst, dlDstWild] = [r.bytes(macLength), r.bytes(macLength)];
  const when = (bit: number, value: number): number | undefined => ((wildcards & bit) === 0 ? value : undefined);
  const vid = when(OFPFW.DL_VLAN, r.u16());
  const pcp = when(OFPFW.DL_VLAN_PCP, r.u8());
  r.skip(1);
  const dlType = when(OFPFW.DL_TYPE, r.u16());
  const tos = when(OFPFW.NW_TOS, r.u8());
  const nwProto = when(OFPFW.NW_PROTO, r.u8());
  const [nwSrc, nwSrcWild, nwDst, nwDstWild] = [r.bytes(4), r.bytes(4), r.bytes(4), r.bytes(4)];
  const ports = [when(OFPFW.TP_SRC, r.u16()), when(OFPFW.TP_DST, r.u16())] as const;
  const label = when(OFPFW.MPLS_LABEL, r.u32());
  const tc = when(OFPFW.MPLS_TC, r.u8());
  r.skip(3);
  const [metadata, metadataWild] = [r.bytes(8), r.bytes(8)];

  const match: OxmKnown[] = [];
  if ((wildcards & OFPFW.IN_PORT) === 0) match.push(exact('in_port', inPort, 4));
  match.push(...maskedField('metadata', metadata, metadataWild));
  match.push(...maskedField('eth_dst', dlDst, dlDstWild), ...maskedField('eth_src', dlSrc, dlSrcWild));
  if (dlType !== undefined) match.push(exact('eth_type', dlType, 2));
  if (vid !== undefined && vid < OFPVID.ANY) atMost(0x0fff, vid, 'dl_vlan');
  match.push(...vlanFields(vid, pcp === undefined ? pcp : atMost(7, pcp, 'dl_vlan_pcp'), OFPVID.NONE, OFPVID.ANY));
  if (dlType === ETH_IPV4) {
    if (tos !== undefined) match.push(exact('ip_dscp', tos >> 2, 1));
    if (nwProto !== undefined) match.push(exact('ip_proto', nwProto, 1));
    match.push(...maskedField('ipv4_src', nwSrc, nwSrcWild), ...maskedField('ipv4_dst', nwDst, nwDstWild));
    const [src, dst, width] = transportFields(nwProto) ?? [];
    const limit = width === 1 ? 0xff : 0xffff;
    if (src !== undefined && ports[0] !== undefined) match.push(exact(src, atMost(limit, ports[0], src), width!));
    if (dst !== undefined && ports[1] !== undefined) match.push(exact(dst, atMost(limit, ports[1], dst), width!));
  } else if (dlType === ETH_ARP) {
    if (nwProto !== undefined) match.push(exact('arp_op', nwProto, 2));
    match.push(...maskedField('arp_spa', nwSrc, nwSrcWild), ...maskedField('arp_tpa', nwDst, nwDstWild));
  } else if (isMpls(dlType)) {
    if (label !== undefined) match.push(exact('mpls_label', atMost(0xfffff, label, 'mpls_label'), 4));
    if (tc !== undefined) match.push(exact('mpls_tc', atMost(7, tc, 'mpls_tc'), 1));
  }
  return match;
}

function encode(w: WireWriter, match: Match): void {
  const fields = new LegacyFields(match, 'OpenFlow 1.1');
  const start = w.mark();
  let wildcards = 0;
  const orWild = (value: number | undefined, bit: number): number => {
    if (value === undefined) wildcards |= bit;
    return value ?? 0;
  };
  const withMask = (field: OxmFieldName | undefined, width: number): void => {
    const tlv = field === undefined ? undefined : fields.take(field);
    w.exactly(tlv?.value ?? new Uint8Array(width), width);
    const exactly = tlv === undefined ? 0xff : 0;
    w.exactly(tlv?.mask === undefined ? new Uint8Array(width).fill(exactly) : inverted(tlv.mask), width);
  };
  w.u16(OFPMT.STANDARD);
  w.u16(OFPMT_STANDARD_LENGTH);
  w.u32(orWild(fields.exact('in_port'), OFPFW.IN_PORT));
  w.u32(0);
  withMask('eth_src', macLength);
  withMask('eth_dst', macLength);
  const [vid, pcp] = fields.vlan(OFPVID.NONE, OFPVID.ANY);
  w.u16(orWild(vid, OFPFW.DL_VLAN));
  w.u8(orWild(pcp, OFPFW.DL_VLAN_PCP));
  w.zero(1);
  const dlType = fields.exact('eth_type');
  w.u16(orWild(dlType, OFPFW.DL_TYPE));
  const isIp = dlType === ETH_IPV4;
  const isArp = dlType === ETH_ARP;
  const dscp = isIp ? fields.exact('ip_dscp') : undefined;
  w.u8(orWild(dscp === undefined ? undefined : dscp << 2, OFPFW.NW_TOS));
  const nwProto = isIp ? fields.exact('ip_proto') : isArp ? fields.exact('arp_op') : undefined;
  if (nwProto !== undefined && nwProto > 0xff) fields.refuse(`arp_op ${nwProto}`);
  w.u8(orWild(nwProto, OFPFW.NW_PROTO));
  withMask(isIp ? 'ipv4_src' : isArp ? 'arp_spa' : undefined, 4);
  withMask(isIp ? 'ipv4_dst' : isArp ? 'arp_tpa' : undefined, 4);
  const transport = isIp ? transportFields(nwProto) : undefined;
  w.u16(orWild(transport && fields.exact(transport[0]), OFPFW.TP_SRC));
  w.u16(orWild(transport && fields.exact(transport[1]), OFPFW.TP_DST));
  w.u32(orWild(isMpls(dlType) ? fields.exact('mpls_label') : undefined, OFPFW.MPLS_LABEL));
  w.u8(orWild(isMpls(dlType) ? fields.exact('mpls_tc') : undefined, OFPFW.MPLS_TC));
  w.zero(3);
  withMask('metadata', 8);
  fields.expectNone();
  w.patchU16(start + 8, wildcards >>> 16);
  w.patchU16(start + 10, wildcards & 0xffff);
}

export const match11: Structure<Match> = { decode, encode };
