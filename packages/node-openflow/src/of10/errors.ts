/** Error types and codes of OpenFlow 1.0 (OpenFlow 1.0.2 §5.4.4). */
import { OFPHFC, OFPQOFC } from '../of13/errors.js';

/** ofp_error_type. */
export const OFPET = {
  HELLO_FAILED: 0,
  BAD_REQUEST: 1,
  BAD_ACTION: 2,
  FLOW_MOD_FAILED: 3,
  PORT_MOD_FAILED: 4,
  QUEUE_OP_FAILED: 5,
} as const;

export { OFPHFC, OFPQOFC };

export const OFPBRC = {
  BAD_VERSION: 0,
  BAD_TYPE: 1,
  BAD_STAT: 2,
  BAD_VENDOR: 3,
  BAD_SUBTYPE: 4,
  EPERM: 5,
  BAD_LEN: 6,
  BUFFER_EMPTY: 7,
  BUFFER_UNKNOWN: 8,
} as const;

export const OFPBAC = {
  BAD_TYPE: 0,
  BAD_LEN: 1,
  BAD_VENDOR: 2,
  BAD_VENDOR_TYPE: 3,
  BAD_OUT_PORT: 4,
  BAD_ARGUMENT: 5,
  EPERM: 6,
  TOO_MANY: 7,
  BAD_QUEUE: 8,
} as const;

export const OFPFMFC = {
  ALL_TABLES_FULL: 0,
  OVERLAP: 1,
  EPERM: 2,
  BAD_EMERG_TIMEOUT: 3,
  BAD_COMMAND: 4,
  UNSUPPORTED: 5,
} as const;

export const OFPPMFC = { BAD_PORT: 0, BAD_HW_ADDR: 1 } as const;

/** Which code table belongs to which error type, with the prefix its names have in the specification. */
export const errorTable = [
  { type: OFPET.HELLO_FAILED, prefix: 'OFPHFC', codes: OFPHFC },
  { type: OFPET.BAD_REQUEST, prefix: 'OFPBRC', codes: OFPBRC },
  { type: OFPET.BAD_ACTION, prefix: 'OFPBAC', codes: OFPBAC },
  { type: OFPET.FLOW_MOD_FAILED, prefix: 'OFPFMFC', codes: OFPFMFC },
  { type: OFPET.PORT_MOD_FAILED, prefix: 'OFPPMFC', codes: OFPPMFC },
  { type: OFPET.QUEUE_OP_FAILED, prefix: 'OFPQOFC', codes: OFPQOFC },
] as const;
