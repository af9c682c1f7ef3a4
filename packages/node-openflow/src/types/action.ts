/**
 * Actions (OpenFlow 1.3.5 §7.2.5) and instructions (§7.2.4), of all versions.
 *
 * 1.0 and 1.1 have an action for each field that can be set; here they are 'set_field', where it means the same.
 */
import type { NiciraAction } from '../nicira/action-types.js';
import type { OxmId, OxmTlv } from './oxm.js';
import type { OxsStats } from './oxs.js';

export interface OutputAction {
  readonly type: 'output';
  readonly port: number;
  /** Bytes to send to the controller; only means something when `port` is OFPP.CONTROLLER. */
  readonly maxLen: number;
}
export interface GroupAction {
  readonly type: 'group';
  readonly groupId: number;
}
export interface SetQueueAction {
  readonly type: 'set_queue';
  readonly queueId: number;
}
export interface TtlAction {
  readonly type: 'set_mpls_ttl' | 'set_nw_ttl';
  readonly ttl: number;
}
export interface PlainAction {
  readonly type: 'copy_ttl_out' | 'copy_ttl_in' | 'dec_mpls_ttl' | 'dec_nw_ttl' | 'pop_vlan' | 'pop_pbb';
}
/** For the pushes the new tag's ethertype; for pop_mpls the ethertype of what is below. */
export interface EthertypeAction {
  readonly type: 'push_vlan' | 'push_mpls' | 'push_pbb' | 'pop_mpls';
  readonly ethertype: number;
}
export interface SetFieldAction {
  readonly type: 'set_field';
  readonly oxm: OxmTlv;
}
/** 1.0's way to use a queue: for this one output. */
export interface EnqueueAction {
  readonly type: 'enqueue';
  readonly port: number;
  readonly queueId: number;
}
/** 1.0's: sets the id of the outer tag, and adds a tag where there is none. Later versions say it as set_field. */
export interface SetVlanVidAction {
  readonly type: 'set_vlan_vid';
  /** Without the bit OFPVID_PRESENT. */
  readonly vlanVid: number;
}
/** 1.0's, as `SetVlanVidAction`. */
export interface SetVlanPcpAction {
  readonly type: 'set_vlan_pcp';
  readonly vlanPcp: number;
}
/**
 * 1.0's and 1.1's, for TCP, UDP and SCTP alike. In a flow whose match names the protocol it is decoded as the set_field
 * of that protocol; elsewhere (packet_out, buckets) it stays what it is, and has no form in later versions.
 */
export interface SetTransportAction {
  readonly type: 'set_tp_src' | 'set_tp_dst';
  readonly port: number;
}
/** 1.5, and ONF extension 320 of 1.3 and 1.4 (OpenFlow 1.5.1 §7.2.6.8). Offsets and width in bits. */
export interface CopyFieldAction {
  readonly type: 'copy_field';
  readonly nBits: number;
  readonly srcOffset: number;
  readonly dstOffset: number;
  readonly src: OxmId;
  readonly dst: OxmId;
}
/** 1.5; older versions have an instruction for it. */
export interface MeterAction {
  readonly type: 'meter';
  readonly meterId: number;
}
export interface ExperimenterAction {
  readonly type: 'experimenter';
  readonly experimenter: number;
  /** What follows the experimenter id, padding included. */
  readonly data: Uint8Array;
}
/** Only decoded where unknown things are kept (see `DecodeOptions`). */
export interface UnknownAction {
  readonly type: 'unknown';
  readonly code: number;
  /** What follows the type and length. */
  readonly data: Uint8Array;
}

export type Action =
  | OutputAction
  | GroupAction
  | SetQueueAction
  | TtlAction
  | PlainAction
  | EthertypeAction
  | SetFieldAction
  | EnqueueAction
  | SetVlanVidAction
  | SetVlanPcpAction
  | SetTransportAction
  | CopyFieldAction
  | MeterAction
  | NiciraAction
  | ExperimenterAction
  | UnknownAction;
export type ActionType = Action['type'];

export interface GotoTableInstruction {
  readonly type: 'goto_table';
  readonly tableId: number;
}
export interface WriteMetadataInstruction {
  readonly type: 'write_metadata';
  readonly metadata: bigint;
  readonly metadataMask: bigint;
}
export interface ActionsInstruction {
  readonly type: 'write_actions' | 'apply_actions';
  readonly actions: readonly Action[];
}
export interface ClearActionsInstruction {
  readonly type: 'clear_actions';
}
/** 1.3 and 1.4; for 1.5 it is written as the first of the applied actions. */
export interface MeterInstruction {
  readonly type: 'meter';
  readonly meterId: number;
}
/** 1.5: tell the controller when the flow's statistics pass thresholds (OpenFlow 1.5.1 §7.2.5). */
export interface StatTriggerInstruction {
  readonly type: 'stat_trigger';
  /** OFPSTF */
  readonly flags: number;
  readonly thresholds: OxsStats;
}
export interface ExperimenterInstruction {
  readonly type: 'experimenter';
  readonly experimenter: number;
  readonly data: Uint8Array;
}
export interface UnknownInstruction {
  readonly type: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}

export type Instruction =
  | GotoTableInstruction
  | WriteMetadataInstruction
  | ActionsInstruction
  | ClearActionsInstruction
  | MeterInstruction
  | StatTriggerInstruction
  | ExperimenterInstruction
  | UnknownInstruction;
export type InstructionType = Instruction['type'];
