/**
 * One error, said in every version.
 *
 * An error has a neutral name (`ErrorName`) and a neutral number: its type and code in OpenFlow 1.5, or in 1.3 for the
 * three that 1.5 has no more; the two do not collide. `errorFor` says what it is in a version. Where a version has no
 * such error, the choice is Open vSwitch's (include/openvswitch/ofp-errors.h): an error of the ONF extensions, or
 * one of Nicira's; with `standard`, the nearest the version's own specification has.
 */
import { errorTable13 } from '../of13/errors.js';
import { errorTable as errorTable15 } from '../of15/errors.js';
import { type ErrorFamily, type ErrorName, errorTables } from './names.js';
import { extensions, NICIRA, NXET_VENDOR, nearest, unencodable } from './older.js';

/** What goes into an error message: errorType, errorCode, experimenter, and what its data has to begin with. */
export interface ErrorNumbers {
  readonly type: number;
  readonly code: number;
  /** Present when `type` is 0xffff. */
  readonly experimenter?: number;
  /** In 1.0 and 1.1, for an error of Nicira's: its vendor, type and code, which go before the data. */
  readonly prefix?: Uint8Array;
}

export interface ErrorPair {
  readonly type: number;
  readonly code: number;
}

/** Names that an older version has for the same thing. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['OFPBRC_BAD_MULTIPART', 'OFPBRC_BAD_STAT'],
  ['OFPBRC_BAD_EXPERIMENTER', 'OFPBRC_BAD_VENDOR'],
  ['OFPBRC_BAD_EXP_TYPE', 'OFPBRC_BAD_SUBTYPE'],
  ['OFPBAC_BAD_EXPERIMENTER', 'OFPBAC_BAD_VENDOR'],
  ['OFPBAC_BAD_EXP_TYPE', 'OFPBAC_BAD_VENDOR_TYPE'],
  ['OFPFMFC_TABLE_FULL', 'OFPFMFC_ALL_TABLES_FULL'],
  ['OFPFMFC_BAD_TIMEOUT', 'OFPFMFC_BAD_EMERG_TIMEOUT'],
]);
const renamed11: ReadonlyMap<string, string> = new Map([
  ['OFPBAC_BAD_EXP_TYPE', 'OFPBAC_BAD_EXPERIMENTER_TYPE'],
  ['OFPBIC_BAD_EXPERIMENTER', 'OFPBIC_UNSUP_EXP_INST'],
]);

function pairs(table: readonly ErrorFamily[]): [string, ErrorPair][] {
  return table.flatMap(({ type, prefix, codes }) =>
    Object.entries(codes).map(([name, code]): [string, ErrorPair] => [`${prefix}_${name}`, { type, code }]),
  );
}

const neutralPairs: ReadonlyMap<string, ErrorPair> = new Map([...pairs(errorTable13), ...pairs(errorTable15)]);
const neutralNames: ReadonlyMap<number, ErrorName> = new Map(
  [...neutralPairs].map(([name, { type, code }]) => [type * 0x10000 + code, name as ErrorName]),
);
const pairsByVersion: ReadonlyMap<number, ReadonlyMap<string, ErrorPair>> = new Map(
  [...errorTables].map(([version, table]) => [version, new Map(pairs(table))]),
);

/** The neutral name of a neutral number, if there is one. */
export function neutralName({ type, code }: ErrorPair): ErrorName | undefined {
  return neutralNames.get(type * 0x10000 + code);
}

/** The neutral number of a neutral name. */
export function neutralPair(name: ErrorName): ErrorPair {
  return neutralPairs.get(name)!;
}

/** The error in the version's own specification, if it has it. */
function standard(version: number, name: string): ErrorPair | undefined {
  const known = pairsByVersion.get(version);
  const older = renamed.get(name);
  const in11 = renamed11.get(name);
  return (
    known?.get(name) ??
    (older === undefined ? undefined : known?.get(older)) ??
    (in11 === undefined ? undefined : known?.get(in11))
  );
}

function vendorError({ type, code }: ErrorPair): ErrorNumbers {
  const prefix = new Uint8Array(8);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, NICIRA);
  view.setUint16(4, type);
  view.setUint16(6, code);
  return { type: NXET_VENDOR, code: 0, prefix };
}

/**
 * What the error is in a version. `error` is a neutral name, or a neutral number (so that whatever is written in 1.3's
 * or 1.5's numbers can be said in any version); a number without a name is handed back as it is. `standard`: nothing but
 * what the version's own specification has, for peers that know no other.
 */
export function errorFor(
  version: number,
  error: ErrorName | ErrorPair,
  options: { readonly standard?: boolean } = {},
): ErrorNumbers {
  const name = typeof error === 'string' ? error : neutralName(error);
  if (name === undefined || !pairsByVersion.has(version)) return error as ErrorPair;
  const own = standard(version, name);
  if (own !== undefined) return own;
  const extension = extensions.find((entry) => entry.name === name && entry.from <= version && version <= entry.to);
  if (extension?.kind === 'standard') return extension;
  if (options.standard === true) return standard(version, nearest(version, name)) ?? standard(1, 'OFPBRC_EPERM')!;
  if (extension?.kind === 'experimenter') {
    return { type: 0xffff, code: extension.code, experimenter: extension.experimenter };
  }
  if (extension !== undefined) return vendorError(extension);
  return version <= 2
    ? vendorError(unencodable.vendor)
    : { type: 0xffff, code: unencodable.code, experimenter: NICIRA };
}
