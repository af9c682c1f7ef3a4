/** Values for fields as actions: set_field where the version can, which before 1.5 is for whole fields; else Nicira's loads. */
import { oxmFacts } from '../match/build.js';
import type { Action } from '../types/action.js';
import type { OxmFieldName, OxmKnown } from '../types/oxm.js';
import { bigintToBytes } from './addresses.js';
import { TextFailure } from './error.js';
import { allOnes } from './field-values.js';
import { type OvsField, setFieldField, structureField } from './ovs-fields.js';
import { OF13, OF15 } from './versions.js';

const mostBits = 64;

const minimalBytes = (value: bigint): number => (value === 0n ? 0 : Math.ceil(value.toString(2).length / 8));

/** A value, and a mask unless it is full, in the bytes of the wire. */
function oxmOf(field: OxmFieldName, value: bigint, mask: bigint): OxmKnown {
  const { bytes, bits, variable } = oxmFacts(field);
  const exact = mask === allOnes(bits);
  const width = variable ? minimalBytes(exact || value > mask ? value : mask) : bytes;
  const known = { field, value: bigintToBytes(value, width)! };
  return exact ? known : { ...known, mask: bigintToBytes(mask, width)! };
}

/** Runs of ones in the mask, of 64 bits at most, from the lowest. */
function* segments(value: bigint, mask: bigint): Generator<{ offset: number; bits: number; value: bigint }> {
  let offset = 0;
  for (let rest = mask; rest !== 0n; ) {
    while ((rest & 1n) === 0n) {
      rest >>= 1n;
      offset++;
    }
    let bits = 0;
    while ((rest & 1n) !== 0n && bits < mostBits) {
      rest >>= 1n;
      bits++;
    }
    yield { offset, bits, value: (value >> BigInt(offset)) & allOnes(bits) };
    offset += bits;
  }
}

/**
 * Before 1.5, which sets parts of fields, reg_load for each run of bits; reg_load2 for fields whose header is longer than
 * it has room for.
 */
export function loads(field: OvsField, value: bigint, mask: bigint, at: number, version = OF13): Action[] {
  const isSet = version >= OF15;
  const wire = isSet ? setFieldField(field) : structureField(field);
  if (wire === undefined) throw new TextFailure(`${field.name} has no number of its own and cannot be written`, at);
  if (isSet) return [{ type: 'set_field', oxm: oxmOf(wire, value, mask) }];
  const facts = oxmFacts(wire);
  if (facts.experimenter !== undefined || facts.variable)
    return [{ type: 'nx_reg_load2', oxm: oxmOf(wire, value, mask) }];
  return [...segments(value, mask)].map(({ offset, bits, value: part }) => ({
    type: 'nx_reg_load',
    destination: { field: wire, offset, bits },
    value: part,
  }));
}

/** `mask` is of the field's bits. */
export function setField(field: OvsField, value: bigint, mask: bigint, at: number, version = OF13): Action[] {
  if (mask !== allOnes(field.bits)) return loads(field, value, mask, at, version);
  const wire = setFieldField(field);
  if (wire === undefined) throw new TextFailure(`${field.name} has no number of its own and cannot be set`, at);
  return [{ type: 'set_field', oxm: oxmOf(wire, value, allOnes(oxmFacts(wire).bits)) }];
}
