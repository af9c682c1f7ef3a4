/** How a select group chooses: 'selection_method=hash,selection_method_param=7,fields(ip_src,eth_dst=ff:ff:ff:00:00:00)'. */
import { oxmFacts } from '../match/build.js';
import type { OxmFieldName } from '../types/oxm.js';
import type { SelectionMethodProperty } from '../types/property.js';
import { bigintToBytes, bytesToBigint } from './addresses.js';
import { TextFailure } from './error.js';
import { allOnes, fieldText, parseField } from './field-values.js';
import { type Names, type NamesOf, u64 } from './numbers.js';
import { fieldsByWire } from './ovs-fields.js';
import { parseFieldName } from './subfields.js';
import { type KeyValue, keyValues, type Span } from './tokens.js';

const METHOD_LENGTH_MAX = 15;
export const selectionWords: readonly string[] = ['selection_method', 'selection_method_param', 'fields'];

type SelectionField = SelectionMethodProperty['fields'][number];

/** A field, or those of its bits that are the value. */
function fieldOf({ key, value }: KeyValue, names: Names): SelectionField {
  const field = parseFieldName(key);
  if (field.wire === undefined) throw new TextFailure(`${field.name} is no field to select by`, key.at);
  const { bits, bytes } = oxmFacts(field.wire);
  const mask = value.text === '' ? allOnes(bits) : parseField(value, field, names).value;
  return { field: field.wire, mask: bigintToBytes(mask, bytes)! };
}

function methodOf({ text, at }: Span): string {
  if (text.length > METHOD_LENGTH_MAX)
    throw new TextFailure(`a method's name has at most ${METHOD_LENGTH_MAX} letters`, at);
  return text;
}

/** Out of the words of a group; undefined when none of them is about it. Throws TextFailure. */
export function selectionOf(words: readonly KeyValue[], names: Names): SelectionMethodProperty | undefined {
  const last = (name: string) => words.findLast(({ key }) => key.text === name)?.value;
  const [method, parameter, fields] = [last('selection_method'), last('selection_method_param'), last('fields')];
  if (method === undefined) {
    const other = words.find(({ key }) => selectionWords.includes(key.text));
    if (other !== undefined) throw new TextFailure(`${other.key.text} needs selection_method=`, other.key.at);
    return undefined;
  }
  return {
    type: 'selection_method',
    method: methodOf(method),
    parameter: parameter === undefined ? 0n : u64(parameter, 'selection_method_param'),
    fields: fields === undefined ? [] : [...keyValues(fields)].map((word) => fieldOf(word, names)),
  };
}

function selectionFieldText({ field, mask }: SelectionField, names: NamesOf): string {
  const known = fieldsByWire.get(field as OxmFieldName);
  const bits = bytesToBigint(mask);
  if (known === undefined) return field;
  return bits === allOnes(oxmFacts(field).bits)
    ? known.name
    : `${known.name}=${fieldText(known, bits, undefined, names)}`;
}

export function selectionTexts({ method, parameter, fields }: SelectionMethodProperty, names: NamesOf): string[] {
  const texts = fields.map((each) => selectionFieldText(each, names));
  return [
    `selection_method=${method}`,
    ...(parameter === 0n ? [] : [`selection_method_param=${parameter}`]),
    ...(texts.length === 0 ? [] : texts.length === 1 ? [`fields=${texts[0]}`] : [`fields(${texts.join(',')})`]),
  ];
}
