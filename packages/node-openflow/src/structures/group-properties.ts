/**
 * Properties of groups (OpenFlow 1.5.1 §7.3.4.3): experimenters', of which one has a form here, Netronome's selection
 * method (Open vSwitch, Documentation/group-selection-method-property.txt).
 */
import { decodeOxmId, encodeOxmId, isFullMask } from '../codec/oxm.js';
import type { Codec, Context } from '../codec/protocol.js';
import { OFPBPC, OFPET } from '../of14/errors.js';
import type { OxmFieldName } from '../types/oxm.js';
import type { GroupProperty, SelectionMethodProperty } from '../types/property.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { experimenterProperty, propertyList } from './properties.js';

export const NTR_VENDOR_ID = 0x0000_154d;
const SELECTION_METHOD = 1;
const METHOD_BYTES = 16;

const refused = (why: string): WireError => new WireError(OFPET.BAD_PROPERTY, OFPBPC.BAD_VALUE, why);

function decodeSelection(r: WireReader, ctx: Context): SelectionMethodProperty {
  if (r.u32() !== 0) throw refused('the padding of a selection method is not 0');
  const name = r.bytes(METHOD_BYTES);
  const end = name.indexOf(0);
  if (end < 0) throw refused('the name of a selection method has no end');
  // Byte for byte: what is no text comes back as it was.
  const method = Buffer.from(name.subarray(0, end)).toString('latin1');
  const parameter = r.u64();
  const fields: { field: OxmFieldName; mask: Uint8Array }[] = [];
  while (r.remaining > 0) {
    const id = decodeOxmId(r, ctx);
    if (id.field === 'raw' || id.field === 'experimenter' || id.hasMask) throw refused('no field to select by');
    const facts = ctx.protocol.oxm.byName.get(id.field)!;
    fields.push({ field: id.field, mask: withinField(r.bytes(facts.bytes), facts.bits) });
  }
  return { type: 'selection_method', method, parameter, fields };
}

/** Open vSwitch sets the bits that lie above a whole field, too, and knows it by that. */
function withinField(mask: Uint8Array, bits: number): Uint8Array {
  return mask.map((byte, i) => {
    const excess = mask.length * 8 - bits - i * 8;
    return excess <= 0 ? byte : excess >= 8 ? 0 : byte & (0xff >> excess);
  });
}

function encodeSelection(w: WireWriter, { method, parameter, fields }: SelectionMethodProperty, ctx: Context): void {
  const name = Buffer.from(method, 'latin1');
  if (name.length >= METHOD_BYTES || name.includes(0) || name.toString('latin1') !== method)
    throw new EncodeError(`${method} is no selection method's name`);
  w.u32(NTR_VENDOR_ID);
  w.u32(SELECTION_METHOD);
  w.zero(4);
  w.bytes(name);
  w.zero(METHOD_BYTES - name.length);
  w.u64(parameter);
  for (const { field, mask } of fields) {
    encodeOxmId(w, { field, hasMask: false }, ctx);
    const facts = ctx.protocol.oxm.byName.get(field)!;
    w.exactly(isFullMask(mask, facts) ? mask.map(() => 0xff) : mask, facts.bytes);
  }
}

const experimenters: Codec<GroupProperty> = {
  code: experimenterProperty.code,
  type: 'experimenter',
  decode(r, ctx) {
    const experimenter = r.u32();
    const expType = r.u32();
    if (experimenter === NTR_VENDOR_ID && expType === SELECTION_METHOD) return decodeSelection(r, ctx);
    return { type: 'experimenter', experimenter, expType, data: r.rest() };
  },
  encode: experimenterProperty.encode as Codec<GroupProperty>['encode'],
};
const selectionMethod: Codec<GroupProperty> = {
  code: experimenterProperty.code,
  type: 'selection_method',
  decode: decodeSelection,
  encode: encodeSelection as Codec<GroupProperty>['encode'],
};

export const groupProperties = propertyList<GroupProperty>('group', [experimenters], [selectionMethod]);
