/** Bits of a field in text: 'NXM_NX_REG0[0..15]', 'reg0[3]', 'eth_src[]', 'eth_src' (ovs-actions(7)). */
import { oxmFacts } from '../match/build.js';
import type { Subfield, SubfieldStart } from '../nicira/action-types.js';
import { parsing, TextFailure, type TextResult, unknownWord } from './error.js';
import { fieldsByName, fieldsBySymbol, fieldsByWire, type OvsField, structureField, symbolOf } from './ovs-fields.js';
import { type Span, slice, span } from './tokens.js';

export interface FieldBits {
  readonly field: OvsField;
  readonly offset: number;
  readonly bits: number;
}

/** By symbol, with or without _W, or by name. */
export function parseFieldName(name: Span): OvsField {
  const field = fieldsBySymbol.get(name.text.replace(/_W$/, '')) ?? fieldsByName.get(name.text);
  if (field !== undefined) return field;
  throw unknownWord('field', name.text, name.at, [...fieldsByName.keys(), ...fieldsBySymbol.keys()]);
}

/** A subfield at the beginning of `text` and what follows it. */
export function parseSubfieldHead(text: Span): FieldBits & { readonly rest: Span } {
  const [name] = /^[^[-]*/.exec(text.text)!;
  const field = parseFieldName(slice(text, 0, name.length));
  const after = slice(text, name.length);
  if (!after.text.startsWith('[')) return { field, offset: 0, bits: field.bits, rest: after };
  const range = /^\[(?:(\d+)(?:\.\.(\d+))?)?\]/.exec(after.text);
  if (range === null) throw new TextFailure('bits are written [], [3] or [0..3]', after.at);
  const rest = slice(after, range[0].length);
  if (range[1] === undefined) return { field, offset: 0, bits: field.bits, rest };
  const first = Number(range[1]);
  const last = Number(range[2] ?? range[1]);
  if (first > last) throw new TextFailure(`bit ${first} is after bit ${last}`, after.at);
  if (last >= field.bits)
    throw new TextFailure(`bit ${last} is not in ${field.name}, which has ${field.bits}`, after.at);
  return { field, offset: first, bits: last - first + 1, rest };
}

export function parseSubfield(text: Span): FieldBits {
  const { rest, ...found } = parseSubfieldHead(text);
  if (rest.text !== '') throw new TextFailure(`unexpected "${rest.text}" after a field`, rest.at);
  return found;
}

/** A list: 'NXM_OF_IN_PORT[], nw_src[8..31]'; none where the text is empty. */
export function parseSubfields(text: string): TextResult<readonly Subfield[]> {
  return parsing(() =>
    [...text.matchAll(/[^,\s]+/g)].map(({ 0: word, index }) => wireSubfield(parseSubfield(span(word, index)), index)),
  );
}

/** As it stands in Nicira's structures. */
export function wireSubfield({ field, offset, bits }: FieldBits, at: number): Subfield {
  const wire = structureField(field);
  if (wire === undefined) throw new TextFailure(`${field.name} has no number of its own and cannot be used here`, at);
  return { field: wire, offset, bits };
}

export const wireStart = (found: FieldBits, at: number): SubfieldStart => {
  const { field, offset } = wireSubfield(found, at);
  return { field, offset };
};

/** 'NXM_NX_REG0[0..15]'; the whole field is '[]'. */
export function subfieldText({ field, offset }: SubfieldStart, bits: number): string {
  const known = fieldsByWire.get(field);
  const wire = known === undefined ? field : (structureField(known) ?? field);
  const width = known?.bits ?? oxmFacts(field).bits;
  const range = offset === 0 && bits === width ? '' : bits === 1 ? `${offset}` : `${offset}..${offset + bits - 1}`;
  return `${symbolOf(wire)}[${range}]`;
}
