/**
 * Errors in versions that have no number of their own for them: what Open vSwitch says instead
 * (include/openvswitch/ofp-errors.h), and, for peers that know only their version's specification, the nearest of its own.
 */

export const ONF = 0x4f4e4600;
export const NICIRA = 0x2320;
/** Error type of Nicira's errors in 1.0 and 1.1, which have no experimenter errors. */
export const NXET_VENDOR = 0xb0c2;

interface Range {
  readonly name: string;
  /** Version bytes, both included. */
  readonly from: number;
  readonly to: number;
}

export type OlderError = Range &
  (
    | { readonly kind: 'standard' | 'vendor'; readonly type: number; readonly code: number }
    | { readonly kind: 'experimenter'; readonly experimenter: number; readonly code: number }
  );

type Kind = 'standard' | 'vendor';
const plain =
  (kind: Kind) =>
  (name: string, from: number, to: number, type: number, code: number): OlderError => ({
    name,
    from,
    to,
    kind,
    type,
    code,
  });
/** Another error of the specification, which in that version means both. */
const same = plain('standard');
/** Nicira's, in 1.0 and 1.1. */
const nx = plain('vendor');
const experimenter =
  (id: number) =>
  (name: string, from: number, to: number, code: number): OlderError => ({
    name,
    from,
    to,
    kind: 'experimenter',
    experimenter: id,
    code,
  });
const onf = experimenter(ONF);
const nxe = experimenter(NICIRA);

const groupErrors = [
  ...['GROUP_EXISTS', 'INVALID_GROUP', 'WEIGHT_UNSUPPORTED', 'OUT_OF_GROUPS', 'OUT_OF_BUCKETS'],
  ...['CHAINING_UNSUPPORTED', 'WATCH_UNSUPPORTED', 'LOOP', 'UNKNOWN_GROUP', 'CHAINED_GROUP', 'BAD_TYPE'],
  ...['BAD_COMMAND', 'BAD_BUCKET', 'BAD_WATCH', 'EPERM', 'UNKNOWN_BUCKET', 'BUCKET_EXISTS'],
];
const bundleErrors = [
  ...['UNKNOWN', 'EPERM', 'BAD_ID', 'BUNDLE_EXIST', 'BUNDLE_CLOSED', 'OUT_OF_BUNDLES', 'BAD_TYPE', 'BAD_FLAGS'],
  ...['MSG_BAD_LEN', 'MSG_BAD_XID', 'MSG_UNSUP', 'MSG_CONFLICT', 'MSG_TOO_MANY', 'MSG_FAILED', 'TIMEOUT'],
  'BUNDLE_IN_PROGRESS',
];
/** 1.3's names of the first three, and what each is in Open vSwitch before 1.3. */
const propertyErrors = [
  ['BAD_TYPE', 'OFPTFFC_BAD_TYPE'],
  ['BAD_LEN', 'OFPTFFC_BAD_LEN'],
  ['BAD_VALUE', 'OFPTFFC_BAD_ARGUMENT'],
] as const;
const newPropertyErrors = ['TOO_MANY', 'DUP_TYPE', 'BAD_EXPERIMENTER', 'BAD_EXP_TYPE', 'BAD_EXP_VALUE', 'EPERM'];

export const extensions: readonly OlderError[] = [
  nx('OFPBRC_BAD_TABLE_ID', 1, 1, 1, 512),
  same('OFPBRC_IS_SLAVE', 1, 2, 1, 5),
  nx('OFPBRC_BAD_PORT', 1, 2, 1, 514),
  onf('OFPBRC_MULTIPART_REQUEST_TIMEOUT', 4, 4, 2640),
  onf('OFPBRC_MULTIPART_REPLY_TIMEOUT', 4, 4, 2641),
  nx('OFPBAC_BAD_OUT_GROUP', 1, 1, 2, 9),
  nx('OFPBAC_MATCH_INCONSISTENT', 1, 1, 1, 522),
  nx('OFPBAC_BAD_SET_TYPE', 1, 2, 1, 523),
  nx('OFPBAC_BAD_SET_LEN', 1, 2, 1, 524),
  nx('OFPBAC_BAD_SET_ARGUMENT', 1, 2, 1, 525),
  onf('OFPBAC_BAD_SET_MASK', 4, 5, 4250),
  nx('OFPBIC_UNSUP_INST', 1, 1, 2, 257),
  same('OFPBIC_BAD_EXP_TYPE', 2, 2, 3, 5),
  nx('OFPBIC_DUP_INST', 2, 2, 3, 256),
  onf('OFPBIC_DUP_INST', 3, 4, 2600),
  nx('OFPBMC_BAD_WILDCARDS', 1, 1, 1, 262),
  nx('OFPBMC_BAD_FIELD', 1, 1, 0, 263),
  nx('OFPBMC_BAD_VALUE', 1, 1, 1, 258),
  nx('OFPBMC_BAD_MASK', 1, 2, 1, 259),
  nx('OFPBMC_BAD_PREREQ', 1, 2, 1, 260),
  nx('OFPBMC_DUP_FIELD', 1, 2, 1, 261),
  nx('OFPFMFC_BAD_FLAGS', 1, 1, 3, 258),
  nx('OFPFMFC_BAD_FLAGS', 2, 2, 5, 258),
  onf('OFPFMFC_BAD_PRIORITY', 4, 4, 2360),
  ...groupErrors.map((name, code) => nx(`OFPGMFC_${name}`, 1, 1, 6, code)),
  nx('OFPRRFC_BAD_ROLE', 1, 2, 1, 513),
  ...propertyErrors.flatMap(([name, older], i) => [
    ...[`OFPBPC_${name}`, older].map((each) => nx(each, 1, 2, 13, 2 + i)),
    ...[`OFPBPC_${name}`, older].map((each) => nxe(each, 3, 3, 25 + i)),
    same(`OFPBPC_${name}`, 4, 4, 13, 2 + i),
    same(older, 5, 6, 14, i),
  ]),
  ...newPropertyErrors.flatMap((name, i) => [
    nx(`OFPBPC_${name}`, 1, 2, 14, 3 + i),
    nxe(`OFPBPC_${name}`, 3, 3, 28 + i),
    onf(`OFPBPC_${name}`, 4, 4, 4443 + i),
  ]),
  ...['INVALID', 'UNSUPPORTED', 'EPERM'].map((name, i) => onf(`OFPACFC_${name}`, 4, 4, 2370 + i)),
  ...bundleErrors.map((name, i) => onf(`OFPBFC_${name}`, 4, 4, 2300 + i)),
  ...(['MONITOR_EXISTS', 'BAD_FLAGS', 'UNKNOWN_MONITOR'] as const).flatMap((name, i) => [
    nx(`OFPMOFC_${name}`, 1, 2, 1, 517 + i),
    nxe(`OFPMOFC_${name}`, 3, 4, 6 + i),
  ]),
];

/** "The error cannot be said in this version", Nicira's. */
export const unencodable = { vendor: { type: 1, code: 521 }, code: 10 } as const;

/** By the family's prefix: which neutral name stands for those a version does not have. */
const families10: Readonly<Record<string, string>> = {
  OFPBAC: 'OFPBAC_BAD_ARGUMENT',
  OFPBIC: 'OFPBAC_BAD_TYPE',
  OFPBMC: 'OFPFMFC_UNSUPPORTED',
  OFPFMFC: 'OFPFMFC_UNSUPPORTED',
  OFPPMFC: 'OFPPMFC_BAD_PORT',
};
const families: Readonly<Record<string, string>> = {
  OFPBAC: 'OFPBAC_BAD_ARGUMENT',
  OFPBIC: 'OFPBIC_UNSUP_INST',
  OFPBMC: 'OFPBMC_BAD_FIELD',
  OFPFMFC: 'OFPFMFC_UNKNOWN',
  OFPGMFC: 'OFPGMFC_INVALID_GROUP',
  OFPPMFC: 'OFPPMFC_BAD_CONFIG',
  OFPTMFC: 'OFPTMFC_BAD_CONFIG',
  OFPBPC: 'OFPBRC_BAD_LEN',
};

/** A name of the version's specification for an error it does not have. */
export function nearest(version: number, name: string): string {
  const family = name.slice(0, name.indexOf('_'));
  if (name.endsWith('_BAD_LEN')) return 'OFPBRC_BAD_LEN';
  return (version === 1 ? families10 : families)[family] ?? 'OFPBRC_EPERM';
}
