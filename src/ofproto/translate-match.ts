/** Matches between OXM and records: values are network-order bytes on both sides, so only headers change. */
import { checkPrerequisites, type Match, type OxmFieldName, type OxmKnown, of13 } from 'node-openflow';
import { fieldWidth, type RecordWriter } from '../datapath/records.js';
import { fields, ReservedPort } from '../datapath/schema.gen.js';
import { badMatch, type OfError } from './of-error.js';

const { OFPBMC, OFPVID } = of13;

/** A field's number by its name; the names are the same on both sides. */
export const fieldIds: ReadonlyMap<string, number> = new Map(fields.map(({ name, id }) => [name, id]));
const oxmBytes: readonly number[] = fields.map(
  ({ name }) => of13.oxmFields.find((facts) => facts.name === name)?.bytes ?? 0,
);

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

function checkValue({ field, value, mask }: OxmKnown): OfError | undefined {
  if (field === 'in_port' && !isIngress(numberOf(value))) return badMatch(OFPBMC.BAD_VALUE);
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
    if (!fieldIds.has(tlv.field)) return badMatch(OFPBMC.BAD_FIELD);
    const wrong = checkValue(tlv as OxmKnown);
    if (wrong !== undefined) return wrong;
  }
  const missing = checkPrerequisites(match);
  return missing && { type: missing.type, code: missing.code };
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

/** Appends a checked match in ascending field order. Masks of all zeros say nothing and are left away. */
export function writeMatch(writer: RecordWriter, match: Match): void {
  let ascending = true;
  let last = -1;
  for (const tlv of match) {
    const id = fieldIds.get(tlv.field)!;
    ascending &&= id > last;
    last = id;
  }
  const ordered = ascending ? match : [...match].sort((a, b) => fieldIds.get(a.field)! - fieldIds.get(b.field)!);
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
    const value = widened(record, at + 4, width, oxmBytes[id]!);
    const field = fields[id]!.name as OxmFieldName;
    at += 4 + width;
    if (masked) {
      match.push({ field, value, mask: widened(record, at, width, oxmBytes[id]!) });
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
