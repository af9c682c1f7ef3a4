/** Enumerations and flags of OpenFlow 1.1, with those that are the same in 1.3. */
export { OFPFW, OFPMT_STANDARD_LENGTH, OFPVID } from '../codec/match11.js';
export {
  OFP_DEFAULT_PRIORITY,
  OFP_NO_BUFFER,
  OFPC_FRAG,
  OFPFC,
  OFPG,
  OFPGC,
  OFPGT,
  OFPMT,
  OFPP,
  OFPPC,
  OFPPF,
  OFPPR,
  OFPPS,
  OFPQ,
  OFPRR,
} from '../of13/constants.js';

/** ofp_capabilities (OpenFlow 1.1.0 §A.3.1). */
export const OFPC = {
  FLOW_STATS: 1 << 0,
  TABLE_STATS: 1 << 1,
  PORT_STATS: 1 << 2,
  GROUP_STATS: 1 << 3,
  IP_REASM: 1 << 5,
  QUEUE_STATS: 1 << 6,
  ARP_MATCH_IP: 1 << 7,
} as const;

/** ofp_flow_mod_flags (§A.3.4.1). */
export const OFPFF = { SEND_FLOW_REM: 1 << 0, CHECK_OVERLAP: 1 << 1 } as const;

/** ofp_table (§A.3.4.1): all of them, in a deletion. */
export const OFPTT = { ALL: 0xff } as const;

/** ofp_table_config (§A.3.3). */
export const OFPTC = {
  TABLE_MISS_CONTROLLER: 0,
  TABLE_MISS_CONTINUE: 1 << 0,
  TABLE_MISS_DROP: 1 << 1,
  TABLE_MISS_MASK: 3,
} as const;

/** ofp_flow_match_fields (§A.3.6.3): the bits of `TableStats.match` and `wildcards`. */
export const OFPFMF = {
  IN_PORT: 1 << 0,
  DL_VLAN: 1 << 1,
  DL_VLAN_PCP: 1 << 2,
  DL_TYPE: 1 << 3,
  NW_TOS: 1 << 4,
  NW_PROTO: 1 << 5,
  TP_SRC: 1 << 6,
  TP_DST: 1 << 7,
  MPLS_LABEL: 1 << 8,
  MPLS_TC: 1 << 9,
  TYPE: 1 << 10,
  DL_SRC: 1 << 11,
  DL_DST: 1 << 12,
  NW_SRC: 1 << 13,
  NW_DST: 1 << 14,
  METADATA: 1 << 15,
} as const;

/** ofp_packet_in_reason (§A.4.1). */
export const OFPR = { NO_MATCH: 0, ACTION: 1 } as const;
