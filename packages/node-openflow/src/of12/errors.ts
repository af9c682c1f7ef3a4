/** Error types and codes of OpenFlow 1.2 (OpenFlow 1.2 §A.4.4): those of 1.3 without meters and table features. */
import * as of13 from '../of13/errors.js';

export {
  OFPBAC,
  OFPBIC,
  OFPBMC,
  OFPFMFC,
  OFPGMFC,
  OFPHFC,
  OFPPMFC,
  OFPQOFC,
  OFPRRFC,
  OFPSCFC,
  OFPTMFC,
} from '../of13/errors.js';

const { METER_MOD_FAILED: _meters, TABLE_FEATURES_FAILED: _features, ...types } = of13.OFPET;
/** ofp_error_type. */
export const OFPET = types;

const { MULTIPART_BUFFER_OVERFLOW: _overflow, BAD_MULTIPART: BAD_STAT, ...requests } = of13.OFPBRC;
export const OFPBRC = { ...requests, BAD_STAT } as const;

/** Which code table belongs to which error type, with the prefix its names have in the specification. */
export const errorTable = [
  { type: OFPET.HELLO_FAILED, prefix: 'OFPHFC', codes: of13.OFPHFC },
  { type: OFPET.BAD_REQUEST, prefix: 'OFPBRC', codes: OFPBRC },
  { type: OFPET.BAD_ACTION, prefix: 'OFPBAC', codes: of13.OFPBAC },
  { type: OFPET.BAD_INSTRUCTION, prefix: 'OFPBIC', codes: of13.OFPBIC },
  { type: OFPET.BAD_MATCH, prefix: 'OFPBMC', codes: of13.OFPBMC },
  { type: OFPET.FLOW_MOD_FAILED, prefix: 'OFPFMFC', codes: of13.OFPFMFC },
  { type: OFPET.GROUP_MOD_FAILED, prefix: 'OFPGMFC', codes: of13.OFPGMFC },
  { type: OFPET.PORT_MOD_FAILED, prefix: 'OFPPMFC', codes: of13.OFPPMFC },
  { type: OFPET.TABLE_MOD_FAILED, prefix: 'OFPTMFC', codes: of13.OFPTMFC },
  { type: OFPET.QUEUE_OP_FAILED, prefix: 'OFPQOFC', codes: of13.OFPQOFC },
  { type: OFPET.SWITCH_CONFIG_FAILED, prefix: 'OFPSCFC', codes: of13.OFPSCFC },
  { type: OFPET.ROLE_REQUEST_FAILED, prefix: 'OFPRRFC', codes: of13.OFPRRFC },
] as const;
