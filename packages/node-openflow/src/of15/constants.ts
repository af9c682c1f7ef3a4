/** Enumerations and flags of OpenFlow 1.5: those of 1.4, and what came or changed with it. */
import * as of14 from '../of14/constants.js';

export * from '../of14/constants.js';

/** ofp_port_no (OpenFlow 1.5.1 §7.2.2.1): UNSET is a value of the field actset_output. */
export const OFPP = { ...of14.OFPP, UNSET: 0xfffffff7 } as const;

/** ofp_capabilities (§7.3.1). */
export const OFPC = { ...of14.OFPC, BUNDLES: 1 << 9, FLOW_MONITORING: 1 << 10 } as const;

/** ofp_header_type_namespaces (§7.2.3.11): the upper half of the field packet_type. */
export const OFPHTN = { ONF: 0, ETHERTYPE: 1, IP_PROTO: 2, UDP_TCP_PORT: 3, IPV4_OPTION: 4 } as const;

/** ofp_header_type_onf (§7.2.3.11). */
export const OFPHTO = { ETHERNET: 0, NO_HEADER: 1, OXM_EXPERIMENTER: 0xffff } as const;

/** ofp_stat_trigger_flags (§7.2.5). */
export const OFPSTF = { PERIODIC: 1 << 0, ONLY_FIRST: 1 << 1 } as const;

/** ofp_group_mod_command (§7.3.4.3). */
export const OFPGC = { ...of14.OFPGC, INSERT_BUCKET: 3, REMOVE_BUCKET: 5 } as const;

/** ofp_group_bucket (§7.3.4.3). */
export const OFPG_BUCKET = { MAX: 0xffffff00, FIRST: 0xfffffffd, LAST: 0xfffffffe, ALL: 0xffffffff } as const;

/** ofp_flow_stats_reason (§7.3.5.3). */
export const OFPFSR = { STATS_REQUEST: 0, STAT_TRIGGER: 1 } as const;

/** ofp_table_feature_flag (§7.3.5.18.1). */
export const OFPTFF = { INGRESS_TABLE: 1 << 0, EGRESS_TABLE: 1 << 1, FIRST_EGRESS: 1 << 4 } as const;

/** ofp_table_features_command (§7.3.5.18.1). */
export const OFPTFC = { REPLACE: 0, MODIFY: 1, ENABLE: 2, DISABLE: 3 } as const;

/** ofp_meter_feature_flags (§7.3.5.14). */
export const OFPMFF = { ACTION_SET: 1 << 0, ANY_POSITION: 1 << 1, MULTI_LIST: 1 << 2 } as const;

/** ofp_controller_status_reason (§7.3.5.19). */
export const OFPCSR = {
  REQUEST: 0,
  CHANNEL_STATUS: 1,
  ROLE: 2,
  CONTROLLER_ADDED: 3,
  CONTROLLER_REMOVED: 4,
  SHORT_ID: 5,
  EXPERIMENTER: 6,
} as const;

/** ofp_control_channel_status (§7.3.5.19). */
export const OFPCT_STATUS = { UP: 0, DOWN: 1 } as const;

/** A controller that has no short id (§7.3.8). */
export const OFPCID_UNDEFINED = 0;

/** ofp_bundle_flags (§7.3.9.3). */
export const OFPBF = { ...of14.OFPBF, TIME: 1 << 2 } as const;

/** ofp_bundle_feature_flags (§7.3.5.20). */
export const OFPBF_FEATURES = { TIMESTAMP: 1 << 0, TIME_SET_SCHED: 1 << 1 } as const;
