/**
 * Enumerations and flags of OpenFlow 1.0 that 1.3 does not have or numbers differently.
 *
 * Ports and their features have 1.3's numbers in values, in all versions: they are in `of13`.
 */
export { OFP_VLAN_NONE, OFPFW } from '../codec/match10.js';

import { EMERG } from '../messages/flow-mod.js';

export { OFP_DEFAULT_PRIORITY, OFP_NO_BUFFER, OFPFC, OFPP, OFPPF, OFPPR, OFPQ } from '../of13/constants.js';

/** ofp_capabilities (OpenFlow 1.0.2 §5.3.1). */
export const OFPC = {
  FLOW_STATS: 1 << 0,
  TABLE_STATS: 1 << 1,
  PORT_STATS: 1 << 2,
  STP: 1 << 3,
  IP_REASM: 1 << 5,
  QUEUE_STATS: 1 << 6,
  ARP_MATCH_IP: 1 << 7,
} as const;

/** ofp_port_config (§5.2.1). */
export const OFPPC = {
  PORT_DOWN: 1 << 0,
  NO_STP: 1 << 1,
  NO_RECV: 1 << 2,
  NO_RECV_STP: 1 << 3,
  NO_FLOOD: 1 << 4,
  NO_FWD: 1 << 5,
  NO_PACKET_IN: 1 << 6,
} as const;

/** ofp_port_state (§5.2.1). */
export const OFPPS = {
  LINK_DOWN: 1 << 0,
  STP_LISTEN: 0,
  STP_LEARN: 1 << 8,
  STP_FORWARD: 2 << 8,
  STP_BLOCK: 3 << 8,
  STP_MASK: 3 << 8,
} as const;

/** ofp_action_type (§5.2.4): the bits of `FeaturesReply.actions`. */
export const OFPAT = {
  OUTPUT: 0,
  SET_VLAN_VID: 1,
  SET_VLAN_PCP: 2,
  STRIP_VLAN: 3,
  SET_DL_SRC: 4,
  SET_DL_DST: 5,
  SET_NW_SRC: 6,
  SET_NW_DST: 7,
  SET_NW_TOS: 8,
  SET_TP_SRC: 9,
  SET_TP_DST: 10,
  ENQUEUE: 11,
  VENDOR: 0xffff,
} as const;

/** ofp_config_flags (§5.3.2). */
export const OFPC_FRAG = { NORMAL: 0, DROP: 1, REASM: 2, MASK: 3 } as const;

/** ofp_flow_mod_flags (§5.3.3). EMERG is bit 2 on the wire, which is another flag since 1.2; in values it is bit 16. */
export const OFPFF = { SEND_FLOW_REM: 1 << 0, CHECK_OVERLAP: 1 << 1, EMERG } as const;

/** ofp_packet_in_reason (§5.4.1). */
export const OFPR = { NO_MATCH: 0, ACTION: 1 } as const;

/** ofp_flow_removed_reason (§5.4.2). */
export const OFPRR = { IDLE_TIMEOUT: 0, HARD_TIMEOUT: 1, DELETE: 2 } as const;
