/**
 * The fixed matches of 1.0 and 1.1 as lists of fields: what both have in common.
 *
 * A fixed match has one place for several fields (tp_src is a port of TCP or of UDP or a type of ICMP), and says nothing
 * in places that mean nothing for its eth_type and ip_proto: those are read as if they were wildcards (OpenFlow 1.0.2
 * §3.4, 1.1.0 §A.2.3).
 */
import { OFPVID } from '../of13/constants.js';
import { allOxmFields } from '../of15/oxm-fields.js';
import type { Match, OxmFieldName, OxmKnown } from '../types/oxm.js';
import { EncodeError } from '../wire/error.js';
import { isFullMask } from './oxm.js';

export const ETH_IPV4 = 0x0800;
export const ETH_ARP = 0x0806;
export const ETH_MPLS = 0x8847;
export const ETH_MPLS_MULTICAST = 0x8848;
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const SCTP = 132;

export function bytesOf(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * (width - 1 - i))) & 0xff);
}

export function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

export function exact(field: OxmFieldName, value: number, width: number): OxmKnown {
  return { field, value: bytesOf(value, width) };
}

/** Value bits outside the mask mean nothing in a fixed match: they are cleared. A mask of all ones is left away. */
export function masked(field: OxmFieldName, value: Uint8Array, mask: Uint8Array): OxmKnown {
  if (mask.every((byte) => byte === 0xff)) return { field, value };
  return { field, value: value.map((byte, i) => byte & mask[i]!), mask };
}

/** The fields that tp_src and tp_dst are for an ip_proto. */
export function transportFields(
  ipProto: number | undefined,
): readonly [OxmFieldName, OxmFieldName, number] | undefined {
  switch (ipProto) {
    case ICMP:
      return ['icmpv4_type', 'icmpv4_code', 1];
    case TCP:
      return ['tcp_src', 'tcp_dst', 2];
    case UDP:
      return ['udp_src', 'udp_dst', 2];
    case SCTP:
      return ['sctp_src', 'sctp_dst', 2];
    default:
      return undefined;
  }
}

/** The VLAN of a fixed match; undefined: a wildcard. `none` and `any` are the special values of dl_vlan. */
export function vlanFields(vid: number | undefined, pcp: number | undefined, none: number, any?: number): OxmKnown[] {
  if (vid === none) return [exact('vlan_vid', OFPVID.NONE, 2)];
  if (vid === undefined && pcp === undefined) return [];
  const present = bytesOf(OFPVID.PRESENT, 2);
  const tag: OxmKnown =
    vid === undefined || vid === any
      ? { field: 'vlan_vid', value: present, mask: present }
      : exact('vlan_vid', (vid & 0x0fff) | OFPVID.PRESENT, 2);
  return pcp === undefined ? [tag] : [tag, exact('vlan_pcp', pcp & 7, 1)];
}

/** A match taken apart to be written into fixed places; whatever nobody takes has no form there. */
export class LegacyFields {
  readonly #fields = new Map<string, OxmKnown>();
  readonly #where: string;

  constructor(match: Match, where: string) {
    this.#where = where;
    for (const tlv of match) {
      if (tlv.field === 'raw' || tlv.field === 'experimenter') throw this.#refuse(`a field of class ${tlv.field}`);
      if (tlv.mask?.every((byte) => byte === 0) !== true) this.#fields.set(tlv.field, tlv);
    }
  }

  #refuse(what: string): EncodeError {
    return new EncodeError(`a match of ${this.#where} cannot say ${what}`);
  }

  /** The field, which is then no longer in the way; a mask of all ones is left away. */
  take(field: OxmFieldName): OxmKnown | undefined {
    const tlv = this.#fields.get(field);
    this.#fields.delete(field);
    if (tlv?.mask === undefined) return tlv;
    const facts = allOxmFields.find((each) => each.name === field)!;
    return isFullMask(tlv.mask, facts) ? { field, value: tlv.value } : tlv;
  }

  /** As a number; throws where there is a mask. */
  exact(field: OxmFieldName): number | undefined {
    const tlv = this.take(field);
    if (tlv?.mask !== undefined) throw this.#refuse(`a mask of ${field}`);
    return tlv === undefined ? undefined : numberOf(tlv.value);
  }

  /** [dl_vlan, dl_vlan_pcp]; `any` undefined: there is no word for "any tag" unless with a priority. */
  vlan(none: number, any?: number): readonly [number | undefined, number | undefined] {
    const vid = this.take('vlan_vid');
    const pcp = this.exact('vlan_pcp');
    if (vid === undefined) return [undefined, pcp];
    const value = numberOf(vid.value);
    if (vid.mask === undefined && value === OFPVID.NONE) {
      if (pcp !== undefined) throw this.#refuse('a VLAN priority without a VLAN');
      return [none, undefined];
    }
    if (vid.mask === undefined && (value & OFPVID.PRESENT) !== 0) return [value & 0x0fff, pcp];
    const isAny = vid.mask !== undefined && numberOf(vid.mask) === OFPVID.PRESENT && value === OFPVID.PRESENT;
    if (isAny && any !== undefined) return [any, pcp];
    if (isAny && pcp !== undefined) return [undefined, pcp];
    throw this.#refuse(isAny ? 'any VLAN' : 'part of a VLAN id');
  }

  /** Throws when a field is left that was not taken. */
  expectNone(): void {
    const left = this.#fields.keys().next();
    if (left.done !== true) throw this.#refuse(left.value);
  }

  refuse(what: string): never {
    throw this.#refuse(what);
  }
}
