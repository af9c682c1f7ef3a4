/** Matches between OXM and records: values are network-order bytes on both sides, so only headers change. */
import { checkPrerequisites, type Match, nicira, type OxmFieldName, type OxmKnown, of13, of15 } from 'node-openflow';
import { fieldWidth, isHeader, type RecordWriter, readBig, writeBig } from '../datapath/records.js';
import { type FieldName, fields, matchFields, ReservedPort } from '../datapath/schema.gen.js';
import { badMatch, type OfError } from './of-error.js';

const { OFPBMC, OFPVID } = of13;

const idByName: ReadonlyMap<string, number> = new Map(fields.map(({ name, id }) => [name, id]));
/** Fields whose names are others on the two sides. */
const others: Readonly<Record<string, FieldName>> = {
  ip_ttl: 'nw_ttl',
  nxm_nx_tcp_flags: 'tcp_flags',
};
type OxmFacts = (typeof nicira.oxmFields)[number];
const facts: readonly OxmFacts[] = [...of15.oxmFields, ...nicira.oxmFields];

/** A field's number by its OpenFlow name, whichever of its headers that is. Names are mostly the same on both sides. */
export const fieldIds: ReadonlyMap<string, number> = new Map(
  facts.flatMap(({ name, twin }) => {
    const id = idByName.get(others[name] ?? twin ?? name);
    return id === undefined ? [] : [[name, id] as const];
  }),
);
/** The first name of each field. */
const factsById: ReadonlyMap<number, OxmFacts> = new Map(
  [...facts].reverse().flatMap((each) => {
    const id = fieldIds.get(each.name);
    return id === undefined ? [] : [[id, each] as const];
  }),
);

export function oxmName(id: number): OxmFieldName {
  return factsById.get(id)!.name as OxmFieldName;
}
/** Bytes of a field's value in OpenFlow. */
export function oxmWidth(id: number): number {
  return factsById.get(id)!.bytes;
}

export function numberOf(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

/** Ports that a packet can have come in at. */
function isIngress(port: number): boolean {
  if (port === ReservedPort.local || port === ReservedPort.controller) return true;
  return port > 0 && port <= ReservedPort.max;
}

/** packet_type: OFPHTN_ONF, Ethernet; and the namespace of ethertypes, OFPHTN_ETHERTYPE (1.5.1 §7.2.3.11). */
const ETHERNET = 0;
const NAMESPACE_ETHERTYPE = 1;
const SMALLEST_ETHERTYPE = 0x600;
const PACKET_TYPE = idByName.get('packet_type')!;
const ofEthernet: readonly string[] = [
  ...['eth_dst', 'eth_src', 'eth_type', 'vlan_vid', 'vlan_pcp', 'vlan_tci'],
  ...['nxm_of_eth_dst', 'nxm_of_eth_src', 'nxm_of_eth_type'],
];

function isPacketType(type: number): boolean {
  return type === ETHERNET || (type >>> 16 === NAMESPACE_ETHERTYPE && (type & 0xffff) >= SMALLEST_ETHERTYPE);
}

/** Ports that an action set can output to, and none. */
function isActsetOutput(port: number): boolean {
  return port > 0 && port !== ReservedPort.any;
}

function checkValue({ field, value, mask }: OxmKnown): OfError | undefined {
  if (field === 'in_port' && !isIngress(numberOf(value))) return badMatch(OFPBMC.BAD_VALUE);
  if (field === 'packet_type' && !isPacketType(numberOf(value))) return badMatch(OFPBMC.BAD_VALUE);
  if (field === 'actset_output' && !isActsetOutput(numberOf(value))) return badMatch(OFPBMC.BAD_VALUE);
  if (field === 'vlan_vid' && mask === undefined) {
    const vid = numberOf(value);
    // A VLAN id without OFPVID_PRESENT matches nothing (§7.2.3.7, table 13).
    if (vid !== OFPVID.NONE && (vid & OFPVID.PRESENT) === 0) return badMatch(OFPBMC.BAD_VALUE);
  }
  return undefined;
}

/** Fields known to us, each legal in itself and with its prerequisites (§7.2.3.6). */
export function checkMatch(match: Match): OfError | undefined {
  for (const tlv of match) {
    if (!isMatchable(tlv.field)) return badMatch(OFPBMC.BAD_FIELD);
    const wrong = checkValue(tlv as OxmKnown);
    if (wrong !== undefined) return wrong;
  }
  // The same bits under two names: a register and a number that it is part of, or a VLAN tag and its parts.
  if (
    match.some(({ field }) => composite(field)) &&
    new Set(expanded(match).map(({ field }) => field)).size !== expanded(match).length
  ) {
    return badMatch(OFPBMC.DUP_FIELD);
  }
  if (isBare(match) && match.some(({ field }) => ofEthernet.includes(field))) return badMatch(OFPBMC.BAD_PREREQ);
  const missing = checkPrerequisites(match);
  return missing && { type: missing.type, code: missing.code };
}

/** Packets without an Ethernet header are asked for. */
function isBare(match: Match): boolean {
  const tlv = match.find(({ field }) => field === 'packet_type') as OxmKnown | undefined;
  return tlv !== undefined && numberOf(tlv.value) !== ETHERNET;
}

function isZero(mask: Uint8Array, from: number): boolean {
  for (let i = from; i < mask.length; i++) if (mask[i] !== 0) return false;
  return true;
}

/** Every significant bit is set. */
function isFull(mask: Uint8Array, from: number, bits: number): boolean {
  for (let i = mask.length - 1; i > from; i--) if (mask[i] !== 0xff) return false;
  const top = bits % 8 === 0 ? 0xff : (1 << (bits % 8)) - 1;
  return (mask[from]! & top) === top;
}

/** Such beside the views; that a packet is Ethernet goes without saying where a header is matched. */
const composites: readonly string[] = ['vlan_tci', 'ip_tos', 'nxm_of_in_port', 'packet_type'];

/** Fields that are one number in OpenFlow and several in records, another number, or none. */
function composite(field: string): boolean {
  return isView(field) || composites.includes(field);
}
const isView = (field: string): boolean => (fieldIds.get(field) ?? 0) >= matchFields;
const isMatchable = (field: string): boolean => fieldIds.has(field) || composite(field);

function expanded(match: Match): Match {
  const plain = match.flatMap((tlv) => (composite(tlv.field) ? parts(tlv as OxmKnown) : [tlv]));
  const implied = !isBare(match) && plain.some(({ field }) => isHeader(fieldIds.get(field)!));
  return implied ? plain.filter(({ field }) => field !== 'packet_type') : plain;
}

/** A piece of a field: `bits` from `shift` on, as a field of its own. */
function piece({ value, mask }: OxmKnown, field: OxmFieldName, shift: number, bits: number): OxmKnown[] {
  const width = oxmWidth(fieldIds.get(field)!);
  const cut = (bytes: Uint8Array): Uint8Array => {
    const number = (readBig(bytes, 0, bytes.length) >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
    const part = new Uint8Array(width);
    writeBig(part, 0, width, number);
    return part;
  };
  if (mask === undefined) return [{ field, value: cut(value) }];
  const partMask = cut(mask);
  return partMask.every((byte) => byte === 0) ? [] : [{ field, value: cut(value), mask: partMask }];
}

function parts(tlv: OxmKnown): OxmKnown[] {
  // The bit that says that there is a tag is the first of the VLAN id.
  if (tlv.field === 'vlan_tci') return [...piece(tlv, 'vlan_vid', 0, 13), ...piece(tlv, 'vlan_pcp', 13, 3)];
  if (tlv.field === 'packet_type') return [tlv];
  if (tlv.field === 'ip_tos') return piece(tlv, 'ip_dscp', 2, 6);
  if (tlv.field === 'nxm_of_in_port') {
    const port = numberOf(tlv.value);
    const wide = new Uint8Array(4);
    writeBig(wide, 0, 4, BigInt(port >= 0xff00 ? (port | 0xffff0000) >>> 0 : port));
    return [{ field: 'in_port', value: wide }];
  }
  const { bits, name } = fields[fieldIds.get(tlv.field)!]!;
  const count = bits / 32;
  const first = count * Number(/\d+$/.exec(name)![0]);
  return Array.from({ length: count }, (_, i) =>
    piece(tlv, `reg${first + i}` as OxmFieldName, 32 * (count - 1 - i), 32),
  ).flat();
}

/** Appends a checked match in ascending field order. Masks of all zeros say nothing and are left away. */
export function writeMatch(writer: RecordWriter, match: Match): void {
  const plain = match.some(({ field }) => composite(field)) ? expanded(match) : match;
  let ascending = true;
  let last = -1;
  for (const tlv of plain) {
    const id = fieldIds.get(tlv.field)!;
    ascending &&= id > last;
    last = id;
  }
  const ordered = ascending ? plain : [...plain].sort((a, b) => fieldIds.get(a.field)! - fieldIds.get(b.field)!);
  for (const tlv of ordered) writeField(writer, tlv as OxmKnown);
}

function writeField(writer: RecordWriter, { field, value, mask }: OxmKnown): void {
  const id = fieldIds.get(field)!;
  const width = fieldWidth(id);
  const from = value.length - width;
  if (mask !== undefined && isZero(mask, from)) return;
  const masked = mask !== undefined && !isFull(mask, from, fields[id]!.bits);
  const at = writer.reserve(4 + (masked ? 2 * width : width));
  writer.setU8(at, id);
  writer.setU8(at + 1, width);
  writer.setU8(at + 2, masked ? 1 : 0);
  writer.setBytes(at + 4, value, from, width);
  if (masked) writer.setBytes(at + 4 + width, mask, from, width);
}

/** A match record as OXM. The datapath wrote it, so it is right. */
export function readMatch(record: Uint8Array): Match {
  const match: OxmKnown[] = [];
  let at = 0;
  while (at < record.length) {
    const [id, width, masked] = [record[at]!, record[at + 1]!, record[at + 2] !== 0];
    const value = widened(record, at + 4, width, oxmWidth(id));
    const field = oxmName(id);
    at += 4 + width;
    // Others depend on it.
    if (id === PACKET_TYPE) {
      match.unshift({ field, value });
    } else if (masked) {
      match.push({ field, value, mask: widened(record, at, width, oxmWidth(id)) });
      at += width;
    } else {
      match.push({ field, value });
    }
  }
  return match;
}

function widened(record: Uint8Array, at: number, width: number, bytes: number): Uint8Array {
  if (width === bytes) return record.slice(at, at + width);
  const wide = new Uint8Array(bytes);
  wide.set(record.subarray(at, at + width), bytes - width);
  return wide;
}
