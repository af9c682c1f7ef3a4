/** Error types and codes of OpenFlow 1.4 (OpenFlow 1.4.1 §7.5.4): those of 1.3, and what came with properties and bundles. */
import * as of13 from '../of13/errors.js';

export {
  OFPBAC,
  OFPBMC,
  OFPGMFC,
  OFPHFC,
  OFPMMFC,
  OFPPMFC,
  OFPQOFC,
  OFPRRFC,
  OFPSCFC,
  OFPTMFC,
} from '../of13/errors.js';

/** ofp_error_type. */
export const OFPET = {
  ...of13.OFPET,
  BAD_PROPERTY: 14,
  ASYNC_CONFIG_FAILED: 15,
  FLOW_MONITOR_FAILED: 16,
  BUNDLE_FAILED: 17,
} as const;

export const OFPBRC = { ...of13.OFPBRC, MULTIPART_REQUEST_TIMEOUT: 14, MULTIPART_REPLY_TIMEOUT: 15 } as const;
export const OFPBIC = { ...of13.OFPBIC, DUP_INST: 9 } as const;
export const OFPFMFC = { ...of13.OFPFMFC, CANT_SYNC: 8, BAD_PRIORITY: 9, IS_SYNC: 10 } as const;
/** What 1.3 had as codes 2 to 4 are errors of properties now. */
export const OFPTFFC = { BAD_TABLE: 0, BAD_METADATA: 1, EPERM: 5 } as const;

export const OFPBPC = {
  BAD_TYPE: 0,
  BAD_LEN: 1,
  BAD_VALUE: 2,
  TOO_MANY: 3,
  DUP_TYPE: 4,
  BAD_EXPERIMENTER: 5,
  BAD_EXP_TYPE: 6,
  BAD_EXP_VALUE: 7,
  EPERM: 8,
} as const;

export const OFPACFC = { INVALID: 0, UNSUPPORTED: 1, EPERM: 2 } as const;

export const OFPMOFC = {
  UNKNOWN: 0,
  MONITOR_EXISTS: 1,
  INVALID_MONITOR: 2,
  UNKNOWN_MONITOR: 3,
  BAD_COMMAND: 4,
  BAD_FLAGS: 5,
  BAD_TABLE_ID: 6,
  BAD_OUT: 7,
} as const;

export const OFPBFC = {
  UNKNOWN: 0,
  EPERM: 1,
  BAD_ID: 2,
  BUNDLE_EXIST: 3,
  BUNDLE_CLOSED: 4,
  OUT_OF_BUNDLES: 5,
  BAD_TYPE: 6,
  BAD_FLAGS: 7,
  MSG_BAD_LEN: 8,
  MSG_BAD_XID: 9,
  MSG_UNSUP: 10,
  MSG_CONFLICT: 11,
  MSG_TOO_MANY: 12,
  MSG_FAILED: 13,
  TIMEOUT: 14,
  BUNDLE_IN_PROGRESS: 15,
} as const;

/** Which code table belongs to which error type, with the prefix its names have in the specification. */
export const errorTable = [
  { type: OFPET.HELLO_FAILED, prefix: 'OFPHFC', codes: of13.OFPHFC },
  { type: OFPET.BAD_REQUEST, prefix: 'OFPBRC', codes: OFPBRC },
  { type: OFPET.BAD_ACTION, prefix: 'OFPBAC', codes: of13.OFPBAC },
  { type: OFPET.BAD_INSTRUCTION, prefix: 'OFPBIC', codes: OFPBIC },
  { type: OFPET.BAD_MATCH, prefix: 'OFPBMC', codes: of13.OFPBMC },
  { type: OFPET.FLOW_MOD_FAILED, prefix: 'OFPFMFC', codes: OFPFMFC },
  { type: OFPET.GROUP_MOD_FAILED, prefix: 'OFPGMFC', codes: of13.OFPGMFC },
  { type: OFPET.PORT_MOD_FAILED, prefix: 'OFPPMFC', codes: of13.OFPPMFC },
  { type: OFPET.TABLE_MOD_FAILED, prefix: 'OFPTMFC', codes: of13.OFPTMFC },
  { type: OFPET.QUEUE_OP_FAILED, prefix: 'OFPQOFC', codes: of13.OFPQOFC },
  { type: OFPET.SWITCH_CONFIG_FAILED, prefix: 'OFPSCFC', codes: of13.OFPSCFC },
  { type: OFPET.ROLE_REQUEST_FAILED, prefix: 'OFPRRFC', codes: of13.OFPRRFC },
  { type: OFPET.METER_MOD_FAILED, prefix: 'OFPMMFC', codes: of13.OFPMMFC },
  { type: OFPET.TABLE_FEATURES_FAILED, prefix: 'OFPTFFC', codes: OFPTFFC },
  { type: OFPET.BAD_PROPERTY, prefix: 'OFPBPC', codes: OFPBPC },
  { type: OFPET.ASYNC_CONFIG_FAILED, prefix: 'OFPACFC', codes: OFPACFC },
  { type: OFPET.FLOW_MONITOR_FAILED, prefix: 'OFPMOFC', codes: OFPMOFC },
  { type: OFPET.BUNDLE_FAILED, prefix: 'OFPBFC', codes: OFPBFC },
] as const;
