/** OXM TLVs: header, value, mask (OpenFlow 1.3.5 §7.2.3.2 to §7.2.3.5), checked against the protocol's field table. */
import { OFPBAC, OFPBMC, OFPET } from '../of13/errors.js';
import { OFPXMC, type OxmFacts } from '../of13/oxm-fields.js';
import type { OxmFieldName, OxmId, OxmTlv } from '../types/oxm.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import type { Context } from './protocol.js';

/** What each way of being wrong is answered with; a match and a set_field action have different words for it. */
export interface OxmFailures {
  readonly type: number;
  readonly length: number;
  readonly field: number;
  readonly value: number;
  readonly mask: number;
  readonly wildcards: number;
}

export const matchFailures: OxmFailures = {
  type: OFPET.BAD_MATCH,
  length: OFPBMC.BAD_LEN,
  field: OFPBMC.BAD_FIELD,
  value: OFPBMC.BAD_VALUE,
  mask: OFPBMC.BAD_MASK,
  wildcards: OFPBMC.BAD_WILDCARDS,
};

export const setFieldFailures: OxmFailures = {
  type: OFPET.BAD_ACTION,
  length: OFPBAC.BAD_SET_LEN,
  field: OFPBAC.BAD_SET_TYPE,
  value: OFPBAC.BAD_SET_ARGUMENT,
  mask: OFPBAC.BAD_SET_ARGUMENT,
  wildcards: OFPBAC.BAD_SET_ARGUMENT,
};

/** True when the bits above the field's significant ones are 0, as in a VLAN id's upper three. */
function withinBits(value: Uint8Array, facts: OxmFacts): boolean {
  let excess = facts.bytes * 8 - facts.bits;
  for (let i = 0; excess > 0; i++, excess -= 8) {
    const forbidden = excess >= 8 ? 0xff : (0xff << (8 - excess)) & 0xff;
    if ((value[i]! & forbidden) !== 0) return false;
  }
  return true;
}

/** All significant bits of the mask are 1: it says no more than no mask (§7.2.3.5). */
export function isFullMask(mask: Uint8Array, facts: Pick<OxmFacts, 'bits' | 'bytes'>): boolean {
  let excess = facts.bytes * 8 - facts.bits;
  for (let i = 0; i < mask.length; i++, excess -= 8) {
    const wanted = excess >= 8 ? 0 : excess > 0 ? 0xff >> excess : 0xff;
    if ((mask[i]! & wanted) !== wanted) return false;
  }
  return true;
}

/** Bytes of a value: what the table says, or, of a field of variable width, what is there if that is possible. */
function widthOf(facts: OxmFacts, there: number): number {
  return facts.variable === true && there >= 0 && there <= facts.bytes && Number.isInteger(there) ? there : facts.bytes;
}

function decodeKnown(r: WireReader, facts: OxmFacts, hasMask: boolean, ctx: Context, failures: OxmFailures): OxmTlv {
  const { name } = facts;
  const width = widthOf(facts, hasMask ? r.remaining / 2 : r.remaining);
  if (r.remaining !== (hasMask ? 2 * width : width)) {
    throw new WireError(failures.type, failures.length, `${name} with ${r.remaining} bytes`);
  }
  const field = name as OxmFieldName;
  const value = r.bytes(width);
  if (facts.bits !== facts.bytes * 8 && !withinBits(value, facts)) {
    throw new WireError(failures.type, failures.value, `value of ${name} exceeds ${facts.bits} bits`);
  }
  if (!hasMask) return { field, value };
  const mask = r.bytes(width);
  // Open vSwitch masks fields that OpenFlow does not: a controller wants to read them.
  if (!facts.maskable && !ctx.keepUnknown && !isFullMask(mask, facts)) {
    throw new WireError(failures.type, failures.mask, `${name} cannot be masked`);
  }
  for (let i = 0; i < width; i++) {
    if ((value[i]! & ~mask[i]!) !== 0) {
      throw new WireError(failures.type, failures.wildcards, `value of ${name} has bits outside its mask`);
    }
  }
  return { field, value, mask };
}

/** One TLV. What the table does not know of the basic class is refused, unless unknown things are kept. */
export function decodeOxm(r: WireReader, ctx: Context, failures: OxmFailures): OxmTlv {
  if (r.remaining < 4) throw new WireError(failures.type, failures.length, 'too short for an OXM header');
  const oxmClass = r.u16();
  const head = r.u8();
  const oxmField = head >> 1;
  const hasMask = (head & 1) !== 0;
  const body = r.sub(r.u8(), failures.type, failures.length);
  if (oxmClass === OFPXMC.EXPERIMENTER) {
    const experimenter = body.u32();
    const facts = ctx.protocol.oxm.byExperimenter.get(experimenter * 128 + oxmField);
    if (facts !== undefined) return decodeKnown(body, facts, hasMask, ctx, failures);
    return { field: 'experimenter', experimenter, oxmField, hasMask, data: body.rest() };
  }
  const facts = ctx.protocol.oxm.byNumber.get(oxmClass * 128 + oxmField);
  if (facts !== undefined) return decodeKnown(body, facts, hasMask, ctx, failures);
  if (oxmClass === OFPXMC.OPENFLOW_BASIC && !ctx.keepUnknown) {
    throw new WireError(failures.type, failures.field, `unknown OXM field ${oxmField}`);
  }
  return { field: 'raw', oxmClass, oxmField, hasMask, data: body.rest() };
}

function factsOf(field: string, ctx: Context): OxmFacts {
  const facts = ctx.protocol.oxm.byName.get(field);
  if (facts === undefined) throw new EncodeError(`there is no field ${field} in version ${ctx.protocol.version}`);
  return facts;
}

function writeHeader(w: WireWriter, oxmClass: number, oxmField: number, hasMask: boolean, length: number): void {
  if (oxmField > 0x7f) throw new EncodeError(`${oxmField} is no 7-bit OXM field`);
  w.u16(oxmClass);
  w.u8((oxmField << 1) | (hasMask ? 1 : 0));
  w.u8(length);
}

export function encodeOxm(w: WireWriter, tlv: OxmTlv, ctx: Context): void {
  if (tlv.field === 'experimenter') {
    writeHeader(w, OFPXMC.EXPERIMENTER, tlv.oxmField, tlv.hasMask, 4 + tlv.data.length);
    w.u32(tlv.experimenter);
    w.bytes(tlv.data);
    return;
  }
  if (tlv.field === 'raw') {
    writeHeader(w, tlv.oxmClass, tlv.oxmField, tlv.hasMask, tlv.data.length);
    w.bytes(tlv.data);
    return;
  }
  const facts = factsOf(tlv.field, ctx);
  const { value, mask } = tlv;
  const width = widthOf(facts, value.length);
  writeId(w, facts, mask !== undefined, width);
  w.exactly(value, width);
  if (mask !== undefined) w.exactly(mask, width);
}

function writeId(w: WireWriter, facts: OxmFacts, hasMask: boolean, width = facts.bytes): void {
  const idLength = facts.experimenter === undefined ? 0 : 4;
  writeHeader(w, facts.oxmClass, facts.oxmField, hasMask, idLength + (hasMask ? 2 : 1) * width);
  if (facts.experimenter !== undefined) w.u32(facts.experimenter);
}

/** A header without its payload, in table features. Never refused for being unknown: nothing is to be matched by it. */
export function decodeOxmId(r: WireReader, ctx: Context): OxmId {
  const oxmClass = r.u16();
  const head = r.u8();
  const oxmField = head >> 1;
  const hasMask = (head & 1) !== 0;
  const length = r.u8();
  const vendor = oxmClass === OFPXMC.EXPERIMENTER;
  const experimenter = vendor ? r.u32() : 0;
  const { byExperimenter, byNumber } = ctx.protocol.oxm;
  const facts = vendor ? byExperimenter.get(experimenter * 128 + oxmField) : byNumber.get(oxmClass * 128 + oxmField);
  // A header alone says the width of a field of variable width: it stays as it is.
  if (facts !== undefined && length === (vendor ? 4 : 0) + (hasMask ? 2 : 1) * facts.bytes) {
    return { field: facts.name as OxmFieldName, hasMask };
  }
  if (vendor) return { field: 'experimenter', experimenter, oxmField, hasMask, length };
  return { field: 'raw', oxmClass, oxmField, hasMask, length };
}

export function encodeOxmId(w: WireWriter, id: OxmId, ctx: Context): void {
  if (id.field === 'experimenter') {
    writeHeader(w, OFPXMC.EXPERIMENTER, id.oxmField, id.hasMask, id.length);
    w.u32(id.experimenter);
  } else if (id.field === 'raw') {
    writeHeader(w, id.oxmClass, id.oxmField, id.hasMask, id.length);
  } else {
    writeId(w, factsOf(id.field, ctx), id.hasMask);
  }
}
