/** Headers around packets: Open vSwitch's encap and decap, and the service header's TTL (ovs-actions(7)), and records. */
import { type Action, type NiciraAction, nicira, of13 } from 'node-openflow';
import type { EncapRecord } from '../datapath/records.js';
import type { HeadersKnown } from './headers-known.js';
import { badAction, niciraError, type OfError } from './of-error.js';

const { PT } = nicira;

/** Bytes of all context headers, for which the data plane has room, and of the value of one (RFC 8300 §2.5.1). */
const CONTEXT_BYTES_MAX = 40;
const VALUE_BYTES_MAX = 127;
const MD_TYPES: readonly number[] = [1, 2];
const HEADER_TYPES: readonly number[] = [PT.ETHERNET, PT.NSH, PT.MPLS, PT.MPLS_MC];

type NxEncap = Extract<NiciraAction, { readonly type: 'nx_encap' }>;
type NxDecap = Extract<NiciraAction, { readonly type: 'nx_decap' }>;
export type EncapAction = NxEncap | NxDecap | { readonly type: 'nx_dec_nsh_ttl' };

/** The record of an action; an error where it cannot be. */
export function encapRecord(action: EncapAction, known: HeadersKnown): EncapRecord | OfError {
  switch (action.type) {
    case 'nx_encap':
      return encap(action, known);
    case 'nx_decap':
      known.decap();
      return { kind: 'decap', packetType: action.packetType };
    case 'nx_dec_nsh_ttl':
      return known.isNsh ? { kind: 'dec_nsh_ttl' } : badAction(of13.OFPBAC.MATCH_INCONSISTENT);
  }
}

function encap({ packetType, properties }: NxEncap, known: HeadersKnown): EncapRecord | OfError {
  if (!HEADER_TYPES.includes(packetType)) return niciraError('NXBAC_BAD_HEADER_TYPE');
  if (properties.some(({ type }) => type === 'other' || packetType !== PT.NSH))
    return niciraError('NXBAC_UNKNOWN_ED_PROP');
  const mdTypes = properties.flatMap((property) => (property.type === 'nsh_md_type' ? [property.mdType] : []));
  const mdType = mdTypes.at(-1) ?? 0;
  const contexts = properties.flatMap((property) => (property.type === 'nsh_tlv' ? [contextOf(property)] : []));
  const context = Uint8Array.from(contexts.flatMap((bytes) => [...bytes]));
  const values = properties.every((property) => property.type !== 'nsh_tlv' || property.data.length <= VALUE_BYTES_MAX);
  const right = mdTypes.every((type) => MD_TYPES.includes(type)) && values && context.length <= CONTEXT_BYTES_MAX;
  if (!right) return niciraError('NXBAC_BAD_ED_PROP');
  known.encap(packetType);
  return { kind: 'encap', packetType, mdType, context };
}

type Tlv = Extract<NxEncap['properties'][number], { readonly type: 'nsh_tlv' }>;

/** On the wire: class, type, length of the value, the value padded to 4 bytes. */
function contextOf({ tlvClass, tlvType, data }: Tlv): Uint8Array {
  const bytes = new Uint8Array(4 + ((data.length + 3) & ~3));
  bytes.set([tlvClass >>> 8, tlvClass & 0xff, tlvType, data.length]);
  bytes.set(data, 4);
  return bytes;
}

function tlvsOf(context: Uint8Array): Tlv[] {
  const found: Tlv[] = [];
  for (let at = 0; at < context.length; ) {
    const length = context[at + 3]!;
    const tlvClass = (context[at]! << 8) | context[at + 1]!;
    found.push({ type: 'nsh_tlv', tlvClass, tlvType: context[at + 2]!, data: context.slice(at + 4, at + 4 + length) });
    at += 4 + ((length + 3) & ~3);
  }
  return found;
}

export function fromEncap(record: EncapRecord): Action {
  switch (record.kind) {
    case 'encap': {
      const mdType = record.mdType === 0 ? [] : [{ type: 'nsh_md_type', mdType: record.mdType } as const];
      const properties = [...mdType, ...tlvsOf(record.context)];
      return { type: 'nx_encap', headerSize: 0, packetType: record.packetType, properties };
    }
    case 'decap':
      return { type: 'nx_decap', packetType: record.packetType };
    case 'dec_nsh_ttl':
      return { type: 'nx_dec_nsh_ttl' };
  }
}
