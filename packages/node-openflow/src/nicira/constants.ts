/** Numbers of the Nicira extensions, as Open vSwitch 3.1 has them (nicira-ext.h, ofp-actions.c). */

/** Vendor and experimenter ids whose structures this folder reads. */
export const NX_VENDOR_ID = 0x0000_2320;
export const ONF_VENDOR_ID = 0x4f4e_4600;
/** Experimenter of the NSH match fields (NXOXM_NSH_*). */
export const NSH_EXPERIMENTER = 0x005a_d650;
/** OXM class of the IPv6 neighbour discovery fields beyond OpenFlow's (ERICOXM_OF_*). */
export const ERICSSON_OXM_CLASS = 0x1000;

/** nx_hash_fields: what multipath and bundle hash. */
export const NX_HASH_FIELDS = {
  ETH_SRC: 0,
  SYMMETRIC_L4: 1,
  SYMMETRIC_L3L4: 2,
  SYMMETRIC_L3L4_UDP: 3,
  NW_SRC: 4,
  NW_DST: 5,
  SYMMETRIC_L3: 6,
} as const;

/** nx_mp_algorithm */
export const NX_MP_ALG = { MODULO_N: 0, HASH_THRESHOLD: 1, HRW: 2, ITER_HASH: 3 } as const;

/** nx_bd_algorithm */
export const NX_BD_ALG = { ACTIVE_BACKUP: 0, HRW: 1 } as const;

/** nx_learn_flags */
export const NX_LEARN_F = { SEND_FLOW_REM: 1 << 0, DELETE_LEARNED: 1 << 1, WRITE_RESULT: 1 << 2 } as const;

/** nx_conntrack_flags */
export const NX_CT_F = { COMMIT: 1 << 0, FORCE: 1 << 1 } as const;
/** recircTable of a ct action after which the packet does not go on through a table. */
export const NX_CT_RECIRC_NONE = 0xff;

/** nx_nat_flags */
export const NX_NAT_F = {
  SRC: 1 << 0,
  DST: 1 << 1,
  PERSISTENT: 1 << 2,
  PROTO_HASH: 1 << 3,
  PROTO_RANDOM: 1 << 4,
} as const;

/** nx_action_sample_direction */
export const NX_ACTION_SAMPLE = { DEFAULT: 0, INGRESS: 1, EGRESS: 2 } as const;

/** Packet types (OpenFlow 1.5 §7.2.3.11): a name space in the upper 16 bits, a number in it in the lower. */
export const PT = {
  ETHERNET: 0x0000_0000,
  USE_NEXT_PROTO: 0x0000_fffe,
  MPLS: 0x0001_8847,
  MPLS_MC: 0x0001_8848,
  NSH: 0x0001_894f,
} as const;

/** ofp_ed_prop_class */
export const OFPPPC = { BASIC: 0, MPLS: 1, GRE: 2, GTP: 3, NSH: 4 } as const;
/** ofp_ed_nsh_prop_type */
export const OFPPPT_NSH = { MDTYPE: 1, TLV: 2 } as const;

/** Ports in structures that are laid out as in OpenFlow 1.0 have 16 bits (ofp_port of OpenFlow 1.0.2 §5.2.1). */
export const OFPP10 = {
  MAX: 0xff00,
  UNSET: 0xfff7,
  IN_PORT: 0xfff8,
  TABLE: 0xfff9,
  NORMAL: 0xfffa,
  FLOOD: 0xfffb,
  ALL: 0xfffc,
  CONTROLLER: 0xfffd,
  LOCAL: 0xfffe,
  NONE: 0xffff,
} as const;

/** nx_role */
export const NX_ROLE = { OTHER: 0, PRIMARY: 1, SECONDARY: 2 } as const;

/** nx_flow_format of NXT_SET_FLOW_FORMAT */
export const NXFF = { OPENFLOW10: 0, NXM: 2 } as const;

/** nx_packet_in_format of NXT_SET_PACKET_IN_FORMAT */
export const NXPIF = { STANDARD: 0, NXT_PACKET_IN: 1, NXT_PACKET_IN2: 2 } as const;

/** nx_flow_monitor_flags */
export const NXFMF = {
  INITIAL: 1 << 0,
  ADD: 1 << 1,
  DELETE: 1 << 2,
  MODIFY: 1 << 3,
  ACTIONS: 1 << 4,
  OWN: 1 << 5,
} as const;

/** nx_flow_update_event */
export const NXFME = { ADDED: 0, DELETED: 1, MODIFIED: 2, ABBREV: 3 } as const;

/** nx_tlv_table_mod_command */
export const NXTTMC = { ADD: 0, DELETE: 1, CLEAR: 2 } as const;

/** ofp_packet_in_reason beyond OpenFlow 1.3's. */
export const NX_PACKET_IN_REASON = {
  ACTION_SET: 3,
  GROUP: 4,
  PACKET_OUT: 5,
  EXPLICIT_MISS: 200,
  IMPLICIT_MISS: 201,
} as const;
