/**
 * Nicira's error codes (ofp-errors.h of Open vSwitch 3.1).
 *
 * From OpenFlow 1.2 on they are experimenter errors of Nicira's with the code alone; before, errors of type 0xb0c2 and
 * code 0 whose data begins with the vendor id, a type and a code (nx_vendor_error).
 */
import type { ErrorNumbers } from '../errors/neutral.js';
import { NX_VENDOR_ID } from './constants.js';

/** errorType of an OpenFlow 1.0 or 1.1 error that a nx_vendor_error follows. */
export const NXET_VENDOR = 0xb0c2;

interface NxError {
  /** exp_type in OpenFlow 1.2 and later. */
  readonly code: number;
  /** Type and code in OpenFlow 1.0 and 1.1; absent: there is none. */
  readonly vendor?: readonly [type: number, code: number];
}

export const NX_ERRORS = {
  NXBRC_NXM_INVALID: { code: 2, vendor: [1, 256] },
  NXBRC_NXM_BAD_TYPE: { code: 3, vendor: [1, 257] },
  NXBRC_MUST_BE_ZERO: { code: 4, vendor: [1, 515] },
  NXBRC_BAD_REASON: { code: 5, vendor: [1, 516] },
  OFPMOFC_MONITOR_EXISTS: { code: 6, vendor: [1, 517] },
  OFPMOFC_BAD_FLAGS: { code: 7, vendor: [1, 518] },
  OFPMOFC_UNKNOWN_MONITOR: { code: 8, vendor: [1, 519] },
  NXBRC_FM_BAD_EVENT: { code: 9, vendor: [1, 520] },
  NXBRC_UNENCODABLE_ERROR: { code: 10, vendor: [1, 521] },
  NXBAC_MUST_BE_ZERO: { code: 11, vendor: [2, 256] },
  NXFMFC_HARDWARE: { code: 12, vendor: [5, 256] },
  NXFMFC_BAD_TABLE_ID: { code: 13, vendor: [5, 257] },
  NXBAC_BAD_CONJUNCTION: { code: 15, vendor: [2, 526] },
  NXTTMFC_BAD_COMMAND: { code: 16, vendor: [1, 527] },
  NXTTMFC_BAD_OPT_LEN: { code: 17, vendor: [1, 528] },
  NXTTMFC_BAD_FIELD_IDX: { code: 18, vendor: [1, 529] },
  NXTTMFC_TABLE_FULL: { code: 19, vendor: [1, 530] },
  NXTTMFC_ALREADY_MAPPED: { code: 20, vendor: [1, 531] },
  NXTTMFC_DUP_ENTRY: { code: 21, vendor: [1, 532] },
  OFPBFC_BAD_VERSION: { code: 22 },
  NXQOFC_QUEUE_ERROR: { code: 23 },
  NXR_NOT_SUPPORTED: { code: 34, vendor: [1, 533] },
  NXR_STALE: { code: 35, vendor: [1, 534] },
  NXST_NOT_CONFIGURED: { code: 36, vendor: [1, 535] },
  NXFMFC_INVALID_TLV_FIELD: { code: 37, vendor: [1, 536] },
  NXTTMFC_INVALID_TLV_DEL: { code: 38, vendor: [1, 537] },
  NXBAC_BAD_HEADER_TYPE: { code: 39 },
  NXBAC_UNKNOWN_ED_PROP: { code: 40 },
  NXBAC_BAD_ED_PROP: { code: 41 },
  NXBAC_CT_DATAPATH_SUPPORT: { code: 42, vendor: [1, 265] },
  NXBMC_CT_DATAPATH_SUPPORT: { code: 43, vendor: [1, 264] },
  NXTFFC_DUP_TABLE: { code: 44 },
} as const satisfies Readonly<Record<string, NxError>>;

export type NxErrorName = keyof typeof NX_ERRORS;

/** What one of Nicira's errors is in a version; in 1.0 and 1.1 `prefix` goes before the data. */
export function nxError(version: number, name: NxErrorName): ErrorNumbers {
  const { code, vendor }: NxError = NX_ERRORS[name];
  if (version > LAST_WITHOUT_EXPERIMENTER) return { type: 0xffff, code, experimenter: NX_VENDOR_ID };
  const prefix = new Uint8Array(vendorErrorLength);
  const view = new DataView(prefix.buffer);
  const [type, oldCode] = vendor ?? NX_ERRORS.NXBRC_UNENCODABLE_ERROR.vendor;
  view.setUint32(0, NX_VENDOR_ID);
  view.setUint16(4, type);
  view.setUint16(6, oldCode);
  return { type: NXET_VENDOR, code: 0, prefix };
}
/** Last version byte of OpenFlow without experimenter errors. */
const LAST_WITHOUT_EXPERIMENTER = 2;

const entries: readonly (readonly [string, NxError])[] = Object.entries(NX_ERRORS);

/** 'NXBRC_MUST_BE_ZERO' of an experimenter error of Nicira's. */
export const nxErrorName = (code: number): string | undefined => entries.find(([, error]) => error.code === code)?.[0];

const vendorErrorLength = 8;

/**
 * What the data of an OpenFlow 1.0 or 1.1 error of type NXET_VENDOR says: whose error, its type and code, its name, and
 * the request it is about. Undefined when the data is too short for that.
 */
export function readVendorError(data: Uint8Array) {
  if (data.length < vendorErrorLength) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [vendor, type, code] = [view.getUint32(0), view.getUint16(4), view.getUint16(6)];
  const found =
    vendor === NX_VENDOR_ID ? entries.find(([, { vendor: old }]) => old?.[0] === type && old[1] === code) : undefined;
  return { vendor, type, code, name: found?.[0], data: data.subarray(vendorErrorLength) };
}
