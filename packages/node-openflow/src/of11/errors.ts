/** Error types and codes of OpenFlow 1.1 (OpenFlow 1.1.0 §A.4.4). */
import { OFPHFC, OFPQOFC } from '../of13/errors.js';

/** ofp_error_type. */
export const OFPET = {
  HELLO_FAILED: 0,
  BAD_REQUEST: 1,
  BAD_ACTION: 2,
  BAD_INSTRUCTION: 3,
  BAD_MATCH: 4,
  FLOW_MOD_FAILED: 5,
  GROUP_MOD_FAILED: 6,
  PORT_MOD_FAILED: 7,
  TABLE_MOD_FAILED: 8,
  QUEUE_OP_FAILED: 9,
  SWITCH_CONFIG_FAILED: 10,
} as const;

export { OFPHFC, OFPQOFC };

export const OFPBRC = {
  BAD_VERSION: 0,
  BAD_TYPE: 1,
  BAD_STAT: 2,
  BAD_EXPERIMENTER: 3,
  BAD_SUBTYPE: 4,
  EPERM: 5,
  BAD_LEN: 6,
  BUFFER_EMPTY: 7,
  BUFFER_UNKNOWN: 8,
  BAD_TABLE_ID: 9,
} as const;

export const OFPBAC = {
  BAD_TYPE: 0,
  BAD_LEN: 1,
  BAD_EXPERIMENTER: 2,
  BAD_EXPERIMENTER_TYPE: 3,
  BAD_OUT_PORT: 4,
  BAD_ARGUMENT: 5,
  EPERM: 6,
  TOO_MANY: 7,
  BAD_QUEUE: 8,
  BAD_OUT_GROUP: 9,
  MATCH_INCONSISTENT: 10,
  UNSUPPORTED_ORDER: 11,
  BAD_TAG: 12,
} as const;

export const OFPBIC = {
  UNKNOWN_INST: 0,
  UNSUP_INST: 1,
  BAD_TABLE_ID: 2,
  UNSUP_METADATA: 3,
  UNSUP_METADATA_MASK: 4,
  UNSUP_EXP_INST: 5,
} as const;

export const OFPBMC = {
  BAD_TYPE: 0,
  BAD_LEN: 1,
  BAD_TAG: 2,
  BAD_DL_ADDR_MASK: 3,
  BAD_NW_ADDR_MASK: 4,
  BAD_WILDCARDS: 5,
  BAD_FIELD: 6,
  BAD_VALUE: 7,
} as const;

export const OFPFMFC = {
  UNKNOWN: 0,
  TABLE_FULL: 1,
  BAD_TABLE_ID: 2,
  OVERLAP: 3,
  EPERM: 4,
  BAD_TIMEOUT: 5,
  BAD_COMMAND: 6,
} as const;

export const OFPGMFC = {
  GROUP_EXISTS: 0,
  INVALID_GROUP: 1,
  WEIGHT_UNSUPPORTED: 2,
  OUT_OF_GROUPS: 3,
  OUT_OF_BUCKETS: 4,
  CHAINING_UNSUPPORTED: 5,
  WATCH_UNSUPPORTED: 6,
  LOOP: 7,
  UNKNOWN_GROUP: 8,
} as const;

export const OFPPMFC = { BAD_PORT: 0, BAD_HW_ADDR: 1, BAD_CONFIG: 2, BAD_ADVERTISE: 3 } as const;
export const OFPTMFC = { BAD_TABLE: 0, BAD_CONFIG: 1 } as const;
export const OFPSCFC = { BAD_FLAGS: 0, BAD_LEN: 1 } as const;

/** Which code table belongs to which error type, with the prefix its names have in the specification. */
export const errorTable = [
  { type: OFPET.HELLO_FAILED, prefix: 'OFPHFC', codes: OFPHFC },
  { type: OFPET.BAD_REQUEST, prefix: 'OFPBRC', codes: OFPBRC },
  { type: OFPET.BAD_ACTION, prefix: 'OFPBAC', codes: OFPBAC },
  { type: OFPET.BAD_INSTRUCTION, prefix: 'OFPBIC', codes: OFPBIC },
  { type: OFPET.BAD_MATCH, prefix: 'OFPBMC', codes: OFPBMC },
  { type: OFPET.FLOW_MOD_FAILED, prefix: 'OFPFMFC', codes: OFPFMFC },
  { type: OFPET.GROUP_MOD_FAILED, prefix: 'OFPGMFC', codes: OFPGMFC },
  { type: OFPET.PORT_MOD_FAILED, prefix: 'OFPPMFC', codes: OFPPMFC },
  { type: OFPET.TABLE_MOD_FAILED, prefix: 'OFPTMFC', codes: OFPTMFC },
  { type: OFPET.QUEUE_OP_FAILED, prefix: 'OFPQOFC', codes: OFPQOFC },
  { type: OFPET.SWITCH_CONFIG_FAILED, prefix: 'OFPSCFC', codes: OFPSCFC },
] as const;
