/** Enumerations and flags of OpenFlow 1.4: those of 1.3, and what came or changed with it. */
import * as of13 from '../of13/constants.js';

export * from '../of13/constants.js';

/** ofp_table_config (OpenFlow 1.4.1 §7.3.3). */
export const OFPTC = { ...of13.OFPTC, EVICTION: 1 << 2, VACANCY_EVENTS: 1 << 3 } as const;

/** ofp_table_mod_prop_eviction_flag (§7.3.3). */
export const OFPTMPEF = { OTHER: 1 << 0, IMPORTANCE: 1 << 1, LIFETIME: 1 << 2 } as const;

/** ofp_packet_in_reason (§7.4.1). */
export const OFPR = {
  TABLE_MISS: 0,
  APPLY_ACTION: 1,
  INVALID_TTL: 2,
  ACTION_SET: 3,
  GROUP: 4,
  PACKET_OUT: 5,
} as const;

/** ofp_flow_removed_reason (§7.4.2). */
export const OFPRR = { ...of13.OFPRR, METER_DELETE: 4, EVICTION: 5 } as const;

/** ofp_table_reason (§7.4.5). */
export const OFPTR = { VACANCY_DOWN: 3, VACANCY_UP: 4 } as const;

/** ofp_controller_role_reason (§7.4.4). */
export const OFPCRR = { MASTER_REQUEST: 0, CONFIG: 1, EXPERIMENTER: 2 } as const;

/** ofp_optical_port_features (§7.2.1.2). */
export const OFPOPF = { RX_TUNE: 1 << 0, TX_TUNE: 1 << 1, TX_PWR: 1 << 2, USE_FREQ: 1 << 3 } as const;

/** ofp_port_stats_optical_flags (§7.3.5.6). */
export const OFPOSF = {
  RX_TUNE: 1 << 0,
  TX_TUNE: 1 << 1,
  TX_PWR: 1 << 2,
  RX_PWR: 1 << 4,
  TX_BIAS: 1 << 5,
  TX_TEMP: 1 << 6,
} as const;

/** ofp_flow_monitor_command (§7.3.5.18). */
export const OFPFMC = { ADD: 0, MODIFY: 1, DELETE: 2 } as const;

/** ofp_flow_monitor_flags (§7.3.5.18). */
export const OFPFMF = {
  INITIAL: 1 << 0,
  ADD: 1 << 1,
  REMOVED: 1 << 2,
  MODIFY: 1 << 3,
  INSTRUCTIONS: 1 << 4,
  NO_ABBREV: 1 << 5,
  ONLY_OWN: 1 << 6,
} as const;

/** ofp_requestforward_reason (§7.4.6). */
export const OFPRFR = { GROUP_MOD: 0, METER_MOD: 1 } as const;

/** ofp_bundle_ctrl_type (§7.3.9.2). */
export const OFPBCT = {
  OPEN_REQUEST: 0,
  OPEN_REPLY: 1,
  CLOSE_REQUEST: 2,
  CLOSE_REPLY: 3,
  COMMIT_REQUEST: 4,
  COMMIT_REPLY: 5,
  DISCARD_REQUEST: 6,
  DISCARD_REPLY: 7,
} as const;

/** ofp_bundle_flags (§7.3.9.3). */
export const OFPBF = { ATOMIC: 1 << 0, ORDERED: 1 << 1 } as const;
