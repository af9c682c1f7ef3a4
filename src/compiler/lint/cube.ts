/** Matches as sets of packets: what fields must be, bit by bit. */
import type { Match, OxmFieldName } from 'node-openflow';
import { bytesToBigint, nicira, oxmFacts } from 'node-openflow';
import { ones } from '../number-ranges.js';

export interface Bits {
  readonly value: bigint;
  readonly mask: bigint;
}
export type Cube = ReadonlyMap<string, Bits>;

const twins: ReadonlyMap<string, string> = new Map(
  nicira.oxmFields.flatMap(({ name, twin }) => (twin === undefined ? [] : [[name, twin] as const])),
);

const exact = new Map<string, bigint>();
function exactMask(field: OxmFieldName): bigint {
  const known = exact.get(field) ?? ones(oxmFacts(field).bits);
  exact.set(field, known);
  return known;
}

export function cubeOf(match: Match): Cube {
  const cube = new Map<string, Bits>();
  for (const one of match) {
    if (!('value' in one)) continue;
    const mask = one.mask === undefined ? exactMask(one.field) : bytesToBigint(one.mask);
    if (mask !== 0n) cube.set(twins.get(one.field) ?? one.field, { value: bytesToBigint(one.value) & mask, mask });
  }
  return cube;
}

/** Every packet of `inner` is in `outer`. */
export function covers(outer: Cube, inner: Cube): boolean {
  for (const [field, { value, mask }] of outer) {
    const other = inner.get(field);
    if (other === undefined || (other.mask & mask) !== mask || (other.value & mask) !== value) return false;
  }
  return true;
}

/** Some packet is in both. */
export function overlaps(a: Cube, b: Cube): boolean {
  for (const [field, { value, mask }] of a) {
    const other = b.get(field);
    if (other !== undefined && ((value ^ other.value) & mask & other.mask) !== 0n) return false;
  }
  return true;
}

/** Which bits are looked at, without their values. */
export type Masks = ReadonlyMap<string, bigint>;

/** Values of fields that are looked at as wholes say all of a match. */
const SMALL_BYTES = 6;

/**
 * What a match looks at, as a text that is cheap to make, and the values of it as {@link projected} has them: undefined where
 * that takes a cube. Texts of the same bits may differ.
 */
export function shapeOf(match: Match): { readonly signature: string; readonly key: string | undefined } {
  let [signature, key]: [string, string | undefined] = ['', ''];
  for (const one of match) {
    if (!('value' in one)) continue;
    const field = twins.get(one.field) ?? one.field;
    if (one.mask !== undefined || one.value.length > SMALL_BYTES || field !== one.field) key = undefined;
    signature += one.mask === undefined ? `${field},` : `${field}/${String.fromCharCode(...one.mask)},`;
    if (key === undefined) continue;
    let value = 0;
    for (const byte of one.value) value = value * 256 + byte;
    key += `${value.toString(16)},`;
  }
  return { signature, key };
}

export const masksOf = (cube: Cube): Masks => new Map([...cube].map(([field, { mask }]) => [field, mask]));
/** `outer` looks at no bit that `inner` does not. */
export function looksAtLess(outer: Masks, inner: Masks): boolean {
  for (const [field, mask] of outer) if (((inner.get(field) ?? 0n) & mask) !== mask) return false;
  return true;
}

/** Bits that both look at. */
export function common(a: Masks, b: Masks): Masks {
  return new Map(
    [...a].flatMap(([field, mask]) => {
      const both = mask & (b.get(field) ?? 0n);
      return both === 0n ? [] : [[field, both] as const];
    }),
  );
}

/** The values of some bits, as a key. */
export function projected(cube: Cube, masks: Masks): string {
  let key = '';
  for (const [field, mask] of masks) key += `${((cube.get(field)?.value ?? 0n) & mask).toString(16)},`;
  return key;
}
