/**
 * How a select group chooses a bucket, as its property says it (Open vSwitch's
 * Documentation/group-selection-method-property.txt): 'hash', of what makes a flow or of the fields that are named, and
 * 'dp_hash', a hash of the switch's own.
 */
import { type GroupMod, type GroupProperty, neutralPair, type OxmFieldName } from 'node-openflow';
import { DEFAULT_SELECTION, readBig, type SelectionRecord, writeBig } from '../datapath/records.js';
import { GroupType, ModCommand, matchFields, SelectionMethod } from '../datapath/schema.gen.js';
import type { OfError } from './of-error.js';
import { fieldIds, oxmName, oxmWidth } from './translate-match.js';

const methods: ReadonlyMap<string, number> = new Map([
  ['hash', SelectionMethod.hash],
  ['dp_hash', SelectionMethod.dpHash],
]);

const NTR_VENDOR_ID = 0x154d;
const badValue = neutralPair('OFPBPC_BAD_VALUE');

/** What a group_mod asks for, or why it is refused. */
export function selectionOf(mod: GroupMod): SelectionRecord | OfError {
  const { properties = [] } = mod;
  const [property] = properties;
  if (property === undefined) return DEFAULT_SELECTION;
  const other = properties.find(({ type }) => type !== 'selection_method');
  if (other !== undefined) return refusal(other);
  if (properties.length > 1) return neutralPair('OFPBPC_DUP_TYPE');
  if (property.type !== 'selection_method') return badValue;
  const fits = mod.command === ModCommand.add || mod.command === ModCommand.modify;
  const method = methods.get(property.method);
  if (!fits || mod.groupType !== GroupType.select || method === undefined) return badValue;
  const fields = property.fields.map(({ field, mask }) => ({ field: fieldIds.get(field), mask: bitsOf(mask) }));
  const known = fields.filter(
    (each): each is SelectionRecord['fields'][number] => (each.field ?? matchFields) < matchFields,
  );
  const distinct = new Set(known.map(({ field }) => field)).size === fields.length;
  if (known.length < fields.length || !distinct || known.some(({ mask }) => mask === 0n)) return badValue;
  if (method === SelectionMethod.dpHash && fields.length > 0) return badValue;
  return { method, parameter: property.parameter, fields: known.sort((a, b) => a.field - b.field) };
}

function refusal(property: GroupProperty): OfError {
  const ours = property.type === 'experimenter' && property.experimenter === NTR_VENDOR_ID;
  return neutralPair(ours ? 'OFPBPC_BAD_EXP_TYPE' : 'OFPBPC_BAD_EXPERIMENTER');
}

const bitsOf = (mask: Uint8Array): bigint => readBig(mask, 0, mask.length);

/** Of a group as it is told; nothing where it chooses in the switch's own way. */
export function selectionProperty(selection: SelectionRecord): { readonly properties?: readonly GroupProperty[] } {
  const method = [...methods].find(([, number]) => number === selection.method)?.[0];
  if (method === undefined) return {};
  const fields = selection.fields.map(({ field, mask }) => {
    const bytes = new Uint8Array(oxmWidth(field));
    writeBig(bytes, 0, bytes.length, mask);
    return { field: oxmName(field) as OxmFieldName, mask: bytes };
  });
  return { properties: [{ type: 'selection_method', method, parameter: selection.parameter, fields }] };
}
