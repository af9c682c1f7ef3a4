/** Keys of a match that are about the same bits: the later would silently win. */
import { fieldsByName, parseInteger } from 'node-openflow/text';
import { say } from '../at.js';
import { ones } from '../number-ranges.js';
import type { Scope } from '../scope.js';
import type { Context } from './contexts.js';
import type { FieldChoice, Term } from './terms.js';

/** The id of a VLAN, and that there is a tag. */
const VID = 0x1fffn;
const TCI = 0xffffn;
const NO_TAG = 0xffffn;
/** The byte without its ECN, of which nw_tos says nothing. */
const DSCP = 0xfcn;

/** What a choice says something of: a place, and bits of it. */
function placeOf({ field, text }: FieldChoice): { readonly slot: string; readonly bits: bigint } | undefined {
  const it = fieldsByName.get(field);
  if (it === undefined) return undefined;
  const { slot, name } = it;
  if (name === 'nw_tos') return { slot, bits: DSCP };
  if (name === 'vlan_tci') return { slot, bits: VID | tciMask(text) };
  if (name === 'dl_vlan' && parseInteger(text) === NO_TAG) return { slot, bits: TCI };
  if (name === 'dl_vlan' || name === 'vlan_vid') return { slot, bits: VID };
  return { slot, bits: ones(it.bits) << BigInt(it.shift) };
}

/** That there is a tag goes well with its priority. */
const tciMask = (text: string): bigint => parseInteger(text.split('/')[1] ?? '') ?? TCI;

/** By whatever names: only one of them could be asked for. It is said. */
export function isSaidTwice(terms: readonly Term[], contexts: readonly Context[], scope: Scope): boolean {
  for (const context of contexts) {
    const found: { readonly term: Term; readonly slot: string; readonly bits: bigint }[] = [];
    for (const term of terms) {
      for (const [slot, bits] of placesOf(term.choices?.(context) ?? [])) {
        const other = found.find((one) => one.term !== term && one.slot === slot && (one.bits & bits) !== 0n);
        if (other !== undefined) return tell(term, other.term, scope);
        found.push({ term, slot, bits });
      }
    }
  }
  return false;
}

function placesOf(choices: readonly FieldChoice[]): ReadonlyMap<string, bigint> {
  const places = new Map<string, bigint>();
  for (const choice of choices) {
    const place = placeOf(choice);
    if (place !== undefined) places.set(place.slot, (places.get(place.slot) ?? 0n) | place.bits);
  }
  return places;
}

function tell({ key, at }: Term, other: Term, scope: Scope): true {
  const related = [{ message: other.key, file: other.at.file, range: other.at.keyRange() }];
  const message = `${key} says again what ${other.key} says`;
  say(scope.diagnostics, at, 'duplicate', message, { range: at.keyRange(), related });
  return true;
}
