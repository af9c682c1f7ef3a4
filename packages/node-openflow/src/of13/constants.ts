/** Enumerations and flags of OpenFlow 1.3, named as in the specification without their prefix: OFPFC.ADD is OFPFC_ADD. */

/** ofp_port_no (OpenFlow 1.3.5 §7.2.1): reserved port numbers. */
export const OFPP = {
  MAX: 0xffffff00,
  IN_PORT: 0xfffffff8,
  TABLE: 0xfffffff9,
  NORMAL: 0xfffffffa,
  FLOOD: 0xfffffffb,
  ALL: 0xfffffffc,
  CONTROLLER: 0xfffffffd,
  LOCAL: 0xfffffffe,
  ANY: 0xffffffff,
} as const;

/** ofp_port_config (§7.2.1). */
export const OFPPC = { PORT_DOWN: 1 << 0, NO_RECV: 1 << 2, NO_FWD: 1 << 5, NO_PACKET_IN: 1 << 6 } as const;

/** ofp_port_state (§7.2.1). */
export const OFPPS = { LINK_DOWN: 1 << 0, BLOCKED: 1 << 1, LIVE: 1 << 2 } as const;

/** ofp_port_features (§7.2.1). */
export const OFPPF = {
  '10MB_HD': 1 << 0,
  '10MB_FD': 1 << 1,
  '100MB_HD': 1 << 2,
  '100MB_FD': 1 << 3,
  '1GB_HD': 1 << 4,
  '1GB_FD': 1 << 5,
  '10GB_FD': 1 << 6,
  '40GB_FD': 1 << 7,
  '100GB_FD': 1 << 8,
  '1TB_FD': 1 << 9,
  OTHER: 1 << 10,
  COPPER: 1 << 11,
  FIBER: 1 << 12,
  AUTONEG: 1 << 13,
  PAUSE: 1 << 14,
  PAUSE_ASYM: 1 << 15,
} as const;

/** Queue numbers (§7.2.2). */
export const OFPQ = { ALL: 0xffffffff } as const;
/** "No rate is set" in a queue property: anything above 1000 (§7.2.2). */
export const OFPQ_RATE_UNCFG = 0xffff;

/** ofp_vlan_id (§7.2.3.7). */
export const OFPVID = { NONE: 0x0000, PRESENT: 0x1000 } as const;

/** ofp_ipv6exthdr_flags (§7.2.3.7). */
export const OFPIEH = {
  NONEXT: 1 << 0,
  ESP: 1 << 1,
  AUTH: 1 << 2,
  DEST: 1 << 3,
  FRAG: 1 << 4,
  ROUTER: 1 << 5,
  HOP: 1 << 6,
  UNREP: 1 << 7,
  UNSEQ: 1 << 8,
} as const;

/** ofp_match_type (§7.2.3.1). */
export const OFPMT = { STANDARD: 0, OXM: 1 } as const;

/** ofp_controller_max_len (§7.2.5). */
export const OFPCML = { MAX: 0xffe5, NO_BUFFER: 0xffff } as const;

/** buffer_id of a packet that is not buffered (§7.3.7, §7.4.1). */
export const OFP_NO_BUFFER = 0xffffffff;

/** The priority ovs-ofctl gives a flow when none is named; the specification has no default. */
export const OFP_DEFAULT_PRIORITY = 0x8000;

/** ofp_capabilities (§7.3.1). */
export const OFPC = {
  FLOW_STATS: 1 << 0,
  TABLE_STATS: 1 << 1,
  PORT_STATS: 1 << 2,
  GROUP_STATS: 1 << 3,
  IP_REASM: 1 << 5,
  QUEUE_STATS: 1 << 6,
  PORT_BLOCKED: 1 << 8,
} as const;

/** ofp_config_flags (§7.3.2). */
export const OFPC_FRAG = { NORMAL: 0, DROP: 1, REASM: 2, MASK: 3 } as const;

/** ofp_table (§7.3.3). */
export const OFPTT = { MAX: 0xfe, ALL: 0xff } as const;

/** ofp_table_config (§7.3.3): bits 0 and 1 are left from 1.1 and do nothing. */
export const OFPTC = { DEPRECATED_MASK: 3 } as const;

/** ofp_flow_mod_command (§7.3.4.1). */
export const OFPFC = { ADD: 0, MODIFY: 1, MODIFY_STRICT: 2, DELETE: 3, DELETE_STRICT: 4 } as const;

/** ofp_flow_mod_flags (§7.3.4.1). */
export const OFPFF = {
  SEND_FLOW_REM: 1 << 0,
  CHECK_OVERLAP: 1 << 1,
  RESET_COUNTS: 1 << 2,
  NO_PKT_COUNTS: 1 << 3,
  NO_BYT_COUNTS: 1 << 4,
} as const;

/** ofp_group_mod_command (§7.3.4.2). */
export const OFPGC = { ADD: 0, MODIFY: 1, DELETE: 2 } as const;

/** ofp_group_type (§7.3.4.2). */
export const OFPGT = { ALL: 0, SELECT: 1, INDIRECT: 2, FF: 3 } as const;

/** ofp_group (§7.3.4.2). */
export const OFPG = { MAX: 0xffffff00, ALL: 0xfffffffc, ANY: 0xffffffff } as const;

/** ofp_group_capabilities (§7.3.5.11). */
export const OFPGFC = {
  SELECT_WEIGHT: 1 << 0,
  SELECT_LIVENESS: 1 << 1,
  CHAINING: 1 << 2,
  CHAINING_CHECKS: 1 << 3,
} as const;

/** ofp_meter (§7.3.4.4). */
export const OFPM = { MAX: 0xffff0000, SLOWPATH: 0xfffffffd, CONTROLLER: 0xfffffffe, ALL: 0xffffffff } as const;

/** ofp_meter_mod_command (§7.3.4.4). */
export const OFPMC = { ADD: 0, MODIFY: 1, DELETE: 2 } as const;

/** ofp_meter_flags (§7.3.4.4). */
export const OFPMF = { KBPS: 1 << 0, PKTPS: 1 << 1, BURST: 1 << 2, STATS: 1 << 3 } as const;

/** ofp_meter_band_type (§7.3.4.4.1). */
export const OFPMBT = { DROP: 1, DSCP_REMARK: 2, EXPERIMENTER: 0xffff } as const;

/** ofp_multipart_request_flags and ofp_multipart_reply_flags (§7.3.5). */
export const OFPMPF = { REQ_MORE: 1, REPLY_MORE: 1 } as const;

/** ofp_controller_role (§7.3.9). */
export const OFPCR_ROLE = { NOCHANGE: 0, EQUAL: 1, MASTER: 2, SLAVE: 3 } as const;

/** ofp_packet_in_reason (§7.4.1). */
export const OFPR = { NO_MATCH: 0, ACTION: 1, INVALID_TTL: 2 } as const;

/** ofp_flow_removed_reason (§7.4.2). */
export const OFPRR = { IDLE_TIMEOUT: 0, HARD_TIMEOUT: 1, DELETE: 2, GROUP_DELETE: 3 } as const;

/** ofp_port_reason (§7.4.3). */
export const OFPPR = { ADD: 0, DELETE: 1, MODIFY: 2 } as const;
