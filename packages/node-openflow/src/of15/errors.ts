/** Error types and codes of OpenFlow 1.5 (OpenFlow 1.5.1 §7.5.4): those of 1.4 and some more. */
import * as of14 from '../of14/errors.js';

export {
  OFPACFC,
  OFPBIC,
  OFPBMC,
  OFPBPC,
  OFPET,
  OFPFMFC,
  OFPHFC,
  OFPMMFC,
  OFPMOFC,
  OFPPMFC,
  OFPQOFC,
  OFPSCFC,
  OFPTMFC,
} from '../of14/errors.js';

const { OFPET } = of14;

export const OFPBRC = { ...of14.OFPBRC, MULTIPART_BAD_SCHED: 16, PIPELINE_FIELDS_ONLY: 17, UNKNOWN: 18 } as const;
export const OFPBAC = { ...of14.OFPBAC, BAD_SET_MASK: 16, BAD_METER: 17 } as const;
export const OFPGMFC = { ...of14.OFPGMFC, UNKNOWN_BUCKET: 15, BUCKET_EXISTS: 16 } as const;
export const OFPRRFC = { ...of14.OFPRRFC, ID_UNSUP: 3, ID_IN_USE: 4 } as const;
export const OFPTFFC = {
  ...of14.OFPTFFC,
  BAD_CAPA: 6,
  BAD_MAX_ENT: 7,
  BAD_FEATURES: 8,
  BAD_COMMAND: 9,
  TOO_MANY: 10,
} as const;
export const OFPBFC = { ...of14.OFPBFC, SCHED_NOT_SUPPORTED: 16, SCHED_FUTURE: 17, SCHED_PAST: 18 } as const;

/** Which code table belongs to which error type, with the prefix its names have in the specification. */
export const errorTable = [
  { type: OFPET.HELLO_FAILED, prefix: 'OFPHFC', codes: of14.OFPHFC },
  { type: OFPET.BAD_REQUEST, prefix: 'OFPBRC', codes: OFPBRC },
  { type: OFPET.BAD_ACTION, prefix: 'OFPBAC', codes: OFPBAC },
  { type: OFPET.BAD_INSTRUCTION, prefix: 'OFPBIC', codes: of14.OFPBIC },
  { type: OFPET.BAD_MATCH, prefix: 'OFPBMC', codes: of14.OFPBMC },
  { type: OFPET.FLOW_MOD_FAILED, prefix: 'OFPFMFC', codes: of14.OFPFMFC },
  { type: OFPET.GROUP_MOD_FAILED, prefix: 'OFPGMFC', codes: OFPGMFC },
  { type: OFPET.PORT_MOD_FAILED, prefix: 'OFPPMFC', codes: of14.OFPPMFC },
  { type: OFPET.TABLE_MOD_FAILED, prefix: 'OFPTMFC', codes: of14.OFPTMFC },
  { type: OFPET.QUEUE_OP_FAILED, prefix: 'OFPQOFC', codes: of14.OFPQOFC },
  { type: OFPET.SWITCH_CONFIG_FAILED, prefix: 'OFPSCFC', codes: of14.OFPSCFC },
  { type: OFPET.ROLE_REQUEST_FAILED, prefix: 'OFPRRFC', codes: OFPRRFC },
  { type: OFPET.METER_MOD_FAILED, prefix: 'OFPMMFC', codes: of14.OFPMMFC },
  { type: OFPET.TABLE_FEATURES_FAILED, prefix: 'OFPTFFC', codes: OFPTFFC },
  { type: OFPET.BAD_PROPERTY, prefix: 'OFPBPC', codes: of14.OFPBPC },
  { type: OFPET.ASYNC_CONFIG_FAILED, prefix: 'OFPACFC', codes: of14.OFPACFC },
  { type: OFPET.FLOW_MONITOR_FAILED, prefix: 'OFPMOFC', codes: of14.OFPMOFC },
  { type: OFPET.BUNDLE_FAILED, prefix: 'OFPBFC', codes: OFPBFC },
] as const;
