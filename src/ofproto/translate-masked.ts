/** Set-field of some bits: OpenFlow's of 1.5 (1.5.1 §7.2.6.7), before it Nicira's reg_load2. */
import type { Action, OxmKnown } from 'node-openflow';
import { type ActionRecord, fieldOnes, readBig, writeBig } from '../datapath/records.js';
import { fields } from '../datapath/schema.gen.js';
import { fieldIds, oxmName, oxmWidth } from './translate-match.js';
import { OF15 } from './versions.js';

type MaskedRecord = ActionRecord & { readonly kind: 'set_masked' };

/** Not set by set_field in any version: they are no headers. */
const pipelineFields: readonly string[] = ['metadata', 'in_port'];

/** The record of a set of some bits; undefined: the mask has all, or there is none. The field is one of the data plane. */
export function maskedRecord({ field, value, mask }: OxmKnown): MaskedRecord | undefined {
  if (mask === undefined) return undefined;
  const id = fieldIds.get(field)!;
  const bits = readBig(mask, 0, mask.length) & fieldOnes(id);
  if (bits === fieldOnes(id)) return undefined;
  return { kind: 'set_masked', field: id, value: readBig(value, 0, value.length) & bits, mask: bits };
}

function bytesOf(value: bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  writeBig(bytes, 0, width, value);
  return bytes;
}

export function readMasked({ field, value, mask }: MaskedRecord, version: number): Action {
  const width = oxmWidth(field);
  const oxm = { field: oxmName(field), value: bytesOf(value, width), mask: bytesOf(mask, width) };
  const standard = version >= OF15 && !pipelineFields.includes(fields[field]!.name);
  return standard ? { type: 'set_field', oxm } : { type: 'nx_reg_load2', oxm };
}
