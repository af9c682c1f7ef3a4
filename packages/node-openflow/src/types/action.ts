/** Actions (OpenFlow 1.3.5 §7.2.5) and instructions (§7.2.4). */
import type { NiciraAction } from '../nicira/action-types.js';
import type { OxmTlv } from './oxm.js';

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
export interface MeterInstruction {
  readonly type: 'meter';
  readonly meterId: number;
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
  | ExperimenterInstruction
  | UnknownInstruction;
export type InstructionType = Instruction['type'];
