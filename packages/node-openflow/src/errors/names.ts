/** The error tables of all versions, and the names of their numbers. */
import { nxErrorName, readVendorError } from '../nicira/errors.js';
import { errorTable as errorTable10 } from '../of10/errors.js';
import { errorTable as errorTable11 } from '../of11/errors.js';
import { errorTable as errorTable12 } from '../of12/errors.js';
import { errorTable13 } from '../of13/errors.js';
import { errorTable as errorTable14 } from '../of14/errors.js';
import { errorTable as errorTable15 } from '../of15/errors.js';
import { extensions, NICIRA, NXET_VENDOR, type OlderError } from './older.js';

/** All codes of one error type. */
export interface ErrorFamily {
  readonly type: number;
  /** 'OFPBRC' */
  readonly prefix: string;
  readonly codes: Readonly<Record<string, number>>;
}

/** By the version byte: 1 is OpenFlow 1.0, 6 is 1.5. */
export const errorTables: ReadonlyMap<number, readonly ErrorFamily[]> = new Map<number, readonly ErrorFamily[]>([
  [1, errorTable10],
  [2, errorTable11],
  [3, errorTable12],
  [4, errorTable13],
  [5, errorTable14],
  [6, errorTable15],
]);

type NamesOf<Family> = Family extends { readonly prefix: infer P extends string; readonly codes: infer C }
  ? `${P}_${keyof C & string}`
  : never;

/**
 * An error's neutral name: the one it has in OpenFlow 1.5, or, where 1.5 has none any more, in 1.3 (OFPTFFC_BAD_TYPE,
 * OFPTFFC_BAD_LEN, OFPTFFC_BAD_ARGUMENT).
 */
export type ErrorName = NamesOf<(typeof errorTable15)[number]> | NamesOf<(typeof errorTable13)[number]>;

/** What an error message has beyond its numbers, where it is an experimenter's. */
export interface ErrorDetails {
  readonly experimenter?: number;
  /** In 1.0 and 1.1 it begins with whose error it is. */
  readonly data?: Uint8Array;
}

/**
 * 'OFPBRC_BAD_LEN' for (1, 6), as the version has it (default: 1.3); numbers where its table has no name. Errors of
 * Nicira's and ONF's extensions are known by `details`, which an error message is: an error that later versions have has
 * their name then.
 */
export function errorName(type: number, code: number, version = 4, details: ErrorDetails = {}): string {
  const extension = extensionName(type, code, version, details);
  if (extension !== undefined) return extension;
  const family = (errorTables.get(version) ?? errorTable13).find((entry) => entry.type === type);
  if (family === undefined) return `error ${type}/${code}`;
  const name = Object.entries(family.codes).find(([, value]) => value === code)?.[0];
  return `${family.prefix}_${name ?? code}`;
}

const EXPERIMENTER = 0xffff;

function extensionName(type: number, code: number, version: number, details: ErrorDetails): string | undefined {
  const { experimenter, data } = details;
  if (type === EXPERIMENTER && experimenter !== undefined) {
    const own = experimenter === NICIRA ? nxErrorName(code) : undefined;
    return own ?? nameAmong(version, (each) => each.kind === 'experimenter' && is(each, experimenter, code));
  }
  const vendors = type === NXET_VENDOR && code === 0 && data !== undefined ? readVendorError(data) : undefined;
  if (vendors === undefined || vendors.vendor !== NICIRA) return undefined;
  const { name, type: own, code: ownCode } = vendors;
  return name ?? nameAmong(version, (each) => each.kind === 'vendor' && each.type === own && each.code === ownCode);
}

const is = (each: Extract<OlderError, { readonly kind: 'experimenter' }>, experimenter: number, code: number) =>
  each.experimenter === experimenter && each.code === code;

function nameAmong(version: number, matches: (each: OlderError) => boolean): string | undefined {
  return extensions.find((each) => each.from <= version && version <= each.to && matches(each))?.name;
}
