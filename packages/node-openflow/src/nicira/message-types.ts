/**
 * Nicira's messages and multipart bodies as values; a type is the symbol in lower case: NXT_FLOW_MOD is `nx_flow_mod`.
 *
 * Ports in them have 16 bits (see OFPP10), and what OpenFlow 1.0 has as actions are actions, without instructions but for
 * those of NXT_FLOW_MOD in later versions.
 */
import type { Action, Instruction } from '../types/action.js';
import type { AsyncMasks, Head } from '../types/message.js';
import type { Match } from '../types/oxm.js';

export interface NxRole extends Head {
  readonly type: 'nx_role_request' | 'nx_role_reply';
  /** NX_ROLE */
  readonly role: number;
}
export interface NxSetFormat extends Head {
  readonly type: 'nx_set_flow_format' | 'nx_set_packet_in_format';
  /** NXFF of flows, NXPIF of packet-ins. */
  readonly format: number;
}
export interface NxFlowMod extends Head {
  readonly type: 'nx_flow_mod';
  readonly cookie: bigint;
  /** OFPFC; with NXT_FLOW_MOD_TABLE_ID switched on, and since 1.1 always, the table is in the upper byte. */
  readonly command: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly bufferId: number;
  readonly outPort: number;
  readonly flags: number;
  readonly match: Match;
  /** Of 1.0. */
  readonly actions: readonly Action[];
  /** Since 1.1; absent: none. */
  readonly instructions?: readonly Instruction[];
}
export interface NxFlowRemoved extends Head {
  readonly type: 'nx_flow_removed';
  readonly cookie: bigint;
  readonly priority: number;
  readonly reason: number;
  /** The table's number plus one; 0: not said. */
  readonly tableIdPlusOne: number;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly idleTimeout: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly match: Match;
}
export interface NxFlowModTableId extends Head {
  readonly type: 'nx_flow_mod_table_id';
  readonly enabled: boolean;
}
export interface NxPacketIn extends Head {
  readonly type: 'nx_packet_in';
  readonly bufferId: number;
  readonly totalLen: number;
  readonly reason: number;
  readonly tableId: number;
  readonly cookie: bigint;
  readonly match: Match;
  readonly data: Uint8Array;
}
/** `continuation`: properties that only the switch knows, each of a type, a length, and padding to 8 bytes. */
export type NxPacketInProperty =
  | { readonly type: 'packet' | 'userdata' | 'continuation'; readonly data: Uint8Array }
  | { readonly type: 'full_len' | 'buffer_id' | 'table_id' | 'reason'; readonly value: number }
  | { readonly type: 'cookie'; readonly cookie: bigint }
  | { readonly type: 'metadata'; readonly match: Match }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };
/** A packet-in in properties, and what resumes the packet: the same with the continuation. */
export interface NxPacketIn2 extends Head {
  readonly type: 'nx_packet_in2' | 'nx_resume';
  readonly properties: readonly NxPacketInProperty[];
}
export interface NxPlainMessage extends Head {
  readonly type: 'nx_flow_age' | 'nx_flow_monitor_paused' | 'nx_flow_monitor_resumed' | 'nx_tlv_table_request';
}
export interface NxSetAsyncConfig extends Head, AsyncMasks {
  readonly type: 'nx_set_async_config';
}
export interface NxSetAsyncConfig2 extends Head {
  readonly type: 'nx_set_async_config2';
  /** ofp_async_config_prop_reasons of OpenFlow 1.4: OFPACPT and a mask of reasons. */
  readonly properties: readonly { readonly code: number; readonly mask: number }[];
}
export interface NxSetControllerId extends Head {
  readonly type: 'nx_set_controller_id';
  readonly controllerId: number;
}
export interface NxFlowMonitorCancel extends Head {
  readonly type: 'nx_flow_monitor_cancel';
  readonly id: number;
}
/** A tunnel option and the tun_metadata field that stands for it. */
export interface TlvMap {
  readonly optionClass: number;
  readonly optionType: number;
  /** Bytes; a multiple of 4 up to 124. */
  readonly optionLength: number;
  readonly index: number;
}
export interface NxTlvTableMod extends Head {
  readonly type: 'nx_tlv_table_mod';
  /** NXTTMC */
  readonly command: number;
  readonly mappings: readonly TlvMap[];
}
export interface NxTlvTableReply extends Head {
  readonly type: 'nx_tlv_table_reply';
  readonly maxOptionSpace: number;
  readonly maxFields: number;
  readonly mappings: readonly TlvMap[];
}
export interface NxCtFlushZone extends Head {
  readonly type: 'nx_ct_flush_zone';
  readonly zoneId: number;
}
/** What is absent is not looked at. Addresses have 16 bytes; IPv4 ones are mapped (::ffff:10.0.0.1). */
export interface CtTuple {
  readonly source?: Uint8Array;
  readonly destination?: Uint8Array;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpId?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}
export interface NxCtFlush extends Head {
  readonly type: 'nx_ct_flush';
  readonly ipProto: number;
  readonly zoneId?: number;
  readonly original?: CtTuple;
  readonly reply?: CtTuple;
}

export type NiciraMessage =
  | NxRole
  | NxSetFormat
  | NxFlowMod
  | NxFlowRemoved
  | NxFlowModTableId
  | NxPacketIn
  | NxPacketIn2
  | NxPlainMessage
  | NxSetAsyncConfig
  | NxSetAsyncConfig2
  | NxSetControllerId
  | NxFlowMonitorCancel
  | NxTlvTableMod
  | NxTlvTableReply
  | NxCtFlushZone
  | NxCtFlush;

/** NXST_FLOW and NXST_AGGREGATE; of OpenFlow 1.0. */
export interface NxFlowStatsRequest {
  readonly type: 'nx_flow' | 'nx_aggregate';
  readonly outPort: number;
  readonly tableId: number;
  readonly match: Match;
}
export interface NxFlowStats {
  readonly tableId: number;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly priority: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  /** Seconds since the last packet plus one; 0: not said. */
  readonly idleAge: number;
  readonly hardAge: number;
  readonly cookie: bigint;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly match: Match;
  readonly actions: readonly Action[];
}
export interface NxFlowReply {
  readonly type: 'nx_flow';
  readonly entries: readonly NxFlowStats[];
}
export interface NxAggregateReply {
  readonly type: 'nx_aggregate';
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
}
export interface NxFlowMonitorRequest {
  readonly type: 'nx_flow_monitor';
  readonly monitors: readonly {
    readonly id: number;
    /** NXFMF */
    readonly flags: number;
    readonly outPort: number;
    readonly tableId: number;
    readonly match: Match;
  }[];
}
export type NxFlowUpdate =
  | {
      readonly type: 'full';
      /** NXFME, but not ABBREV. */
      readonly event: number;
      readonly reason: number;
      readonly priority: number;
      readonly idleTimeout: number;
      readonly hardTimeout: number;
      readonly tableId: number;
      readonly cookie: bigint;
      readonly match: Match;
      readonly actions: readonly Action[];
    }
  | { readonly type: 'abbrev'; readonly xid: number };
export interface NxFlowMonitorReply {
  readonly type: 'nx_flow_monitor';
  readonly entries: readonly NxFlowUpdate[];
}
export interface NxIpfixRequest {
  readonly type: 'nx_ipfix_bridge' | 'nx_ipfix_flow';
}
export interface NxIpfixStats {
  readonly totalFlows: bigint;
  readonly currentFlows: bigint;
  readonly packets: bigint;
  readonly ipv4Packets: bigint;
  readonly ipv6Packets: bigint;
  readonly errorPackets: bigint;
  readonly ipv4ErrorPackets: bigint;
  readonly ipv6ErrorPackets: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
  readonly collectorSetId: number;
}
export interface NxIpfixReply {
  readonly type: 'nx_ipfix_bridge' | 'nx_ipfix_flow';
  readonly entries: readonly NxIpfixStats[];
}

export type NiciraRequestBody = NxFlowStatsRequest | NxFlowMonitorRequest | NxIpfixRequest;
export type NiciraReplyBody = NxFlowReply | NxAggregateReply | NxFlowMonitorReply | NxIpfixReply;
