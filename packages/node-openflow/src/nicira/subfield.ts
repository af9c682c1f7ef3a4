/**
 * Fields named inside Nicira's actions: a field's header without a value, and bits of the field.
 *
 * Most structures have room for 32 bits of header; later ones take any OXM header, an experimenter's 64 bits too.
 */
import type { Context } from '../codec/protocol.js';
import { OFPBAC, OFPET } from '../of13/errors.js';
import { OFPXMC, type OxmFacts } from '../of13/oxm-fields.js';
import type { OxmFieldName } from '../types/oxm.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import type { Subfield, SubfieldStart } from './action-types.js';
import { isWritable } from './fields.js';

const bad = (code: number, reason: string): WireError => new WireError(OFPET.BAD_ACTION, code, reason);

/** An action names a field that no table has: where unknown things are kept the whole action stays bytes. */
export class UnknownFieldError extends WireError {}

/** A field and, where its width is not fixed and not the greatest, that width. */
export interface FieldHeader {
  readonly field: OxmFieldName;
  readonly length?: number;
}

/** Reads an OXM header; `wide` says that an experimenter's id may follow it. */
function read(r: WireReader, ctx: Context, wide: boolean): FieldHeader {
  const oxmClass = r.u16();
  const head = r.u8();
  const length = r.u8();
  const oxmField = head >> 1;
  let facts: OxmFacts | undefined;
  let width = length;
  if (oxmClass !== OFPXMC.EXPERIMENTER) facts = ctx.protocol.oxm.byNumber.get(oxmClass * 128 + oxmField);
  else if (wide) {
    facts = ctx.protocol.oxm.byExperimenter.get(r.u32() * 128 + oxmField);
    width -= 4;
  }
  if (facts === undefined) {
    throw new UnknownFieldError(OFPET.BAD_ACTION, OFPBAC.BAD_SET_TYPE, `unknown field ${oxmClass}:${oxmField}`);
  }
  const field = facts.name as OxmFieldName;
  if ((head & 1) !== 0) throw bad(OFPBAC.BAD_SET_ARGUMENT, `${field} with a mask`);
  if (facts.variable === true && width > 0 && width < facts.bytes) return { field, length: width };
  if (width !== facts.bytes) throw bad(OFPBAC.BAD_SET_LEN, `${field} of ${width} bytes`);
  return { field };
}

/** Any OXM header: 4 bytes, or 8 with an experimenter's id. */
export const readHeader = (r: WireReader, ctx: Context): FieldHeader => read(r, ctx, true);
/** An OXM header where there is room for 4 bytes only. */
export const readHeader32 = (r: WireReader, ctx: Context): FieldHeader => read(r, ctx, false);

function factsOf(field: string, ctx: Context): OxmFacts {
  const facts = ctx.protocol.oxm.byName.get(field);
  if (facts === undefined) throw new EncodeError(`there is no field ${field} in version ${ctx.protocol.version}`);
  return facts;
}

export function writeHeader(w: WireWriter, header: FieldHeader, ctx: Context): void {
  const facts = factsOf(header.field, ctx);
  const width = header.length ?? facts.bytes;
  w.u16(facts.oxmClass);
  w.u8(facts.oxmField << 1);
  w.u8(facts.experimenter === undefined ? width : width + 4);
  if (facts.experimenter !== undefined) w.u32(facts.experimenter);
}

export function writeHeader32(w: WireWriter, header: FieldHeader, ctx: Context): void {
  if (factsOf(header.field, ctx).experimenter !== undefined) {
    throw new EncodeError(`${header.field} has a header of 8 bytes, and there is room for 4`);
  }
  writeHeader(w, header, ctx);
}

/** The bits must lie in the field. */
export function checkBits(header: FieldHeader, offset: number, bits: number, ctx: Context): void {
  const facts = factsOf(header.field, ctx);
  const width = header.length === undefined ? facts.bits : 8 * header.length;
  if (bits < 1 || offset + bits > width) {
    throw bad(OFPBAC.BAD_SET_LEN, `bits ${offset} to ${offset + bits - 1} of ${header.field}, which has ${width}`);
  }
}

export function checkWritable(header: FieldHeader): void {
  if (!isWritable(header.field)) throw bad(OFPBAC.BAD_SET_ARGUMENT, `${header.field} cannot be written`);
}

export const startOf = (header: FieldHeader, offset: number): SubfieldStart => ({ ...header, offset });

/** ofs_nbits: the offset in the upper 10 bits, the number of bits minus one in the lower 6; then 4 bytes of header. */
export function readPacked(r: WireReader): { readonly offset: number; readonly bits: number } {
  const packed = r.u16();
  return { offset: packed >> 6, bits: (packed & 0x3f) + 1 };
}

export function writePacked(w: WireWriter, { offset, bits }: Subfield): void {
  if (offset > 0x3ff || bits < 1 || bits > 64) throw new EncodeError(`${bits} bits at ${offset} do not fit`);
  w.u16((offset << 6) | (bits - 1));
}

export function subfieldOf(
  header: FieldHeader,
  { offset, bits }: { readonly offset: number; readonly bits: number },
  ctx: Context,
): Subfield {
  checkBits(header, offset, bits, ctx);
  return { ...header, offset, bits };
}

/** Bytes that must be zero; OFPBAC_BAD_ARGUMENT if they are not. */
export function expectZeros(r: WireReader, count = r.remaining): void {
  if (r.bytes(count).some((byte) => byte !== 0)) throw bad(OFPBAC.BAD_ARGUMENT, 'padding that is not zero');
}
