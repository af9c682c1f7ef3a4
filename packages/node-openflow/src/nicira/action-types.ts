/**
 * Nicira's actions as values. A type is the action's symbol in lower case: NXAST_REG_LOAD is `nx_reg_load`.
 *
 * Ports in them have 16 bits, the reserved ones from 0xff00 (see OFPP10), also in later versions of OpenFlow.
 */
import type { Action } from '../types/action.js';
import type { OxmFieldName, OxmTlv } from '../types/oxm.js';

/** Bits `offset` to `offset + bits - 1` of a field, the lowest being 0. */
export interface Subfield {
  readonly field: OxmFieldName;
  readonly offset: number;
  readonly bits: number;
  /** Width in bytes of a field whose width is not fixed (tun_metadata), where it is not the greatest. */
  readonly length?: number;
}
/** A subfield whose width something else says. */
export type SubfieldStart = Omit<Subfield, 'bits'>;

export interface NxResubmit {
  readonly type: 'nx_resubmit';
  readonly inPort: number;
}
export interface NxResubmitTable {
  readonly type: 'nx_resubmit_table' | 'nx_resubmit_table_ct';
  readonly inPort: number;
  /** 255: the table the action is in. */
  readonly tableId: number;
}
export interface NxSetTunnel {
  readonly type: 'nx_set_tunnel';
  readonly tunnelId: number;
}
export interface NxSetTunnel64 {
  readonly type: 'nx_set_tunnel64';
  readonly tunnelId: bigint;
}
/** Actions without arguments. nx_dec_ttl and nx_dec_mpls_ttl are of OpenFlow 1.0 only. */
export interface NxPlain {
  readonly type:
    | 'nx_pop_queue'
    | 'nx_exit'
    | 'nx_ct_clear'
    | 'nx_dec_nsh_ttl'
    | 'nx_dec_ttl'
    | 'nx_dec_mpls_ttl'
    | 'nx_debug_slow'
    | 'nx_debug_recirc';
}
/** Of OpenFlow 1.0 only, as are the next three; later versions have actions of their own. */
export interface NxSetQueue {
  readonly type: 'nx_set_queue';
  readonly queueId: number;
}
export interface NxGroup {
  readonly type: 'nx_group';
  readonly groupId: number;
}
export interface NxEthertype {
  readonly type: 'nx_push_mpls' | 'nx_pop_mpls';
  readonly ethertype: number;
}
export interface NxSetMpls {
  readonly type: 'nx_set_mpls_label' | 'nx_set_mpls_tc' | 'nx_set_mpls_ttl';
  readonly value: number;
}
export interface NxRegMove {
  readonly type: 'nx_reg_move';
  readonly bits: number;
  readonly source: SubfieldStart;
  readonly destination: SubfieldStart;
}
export interface NxRegLoad {
  readonly type: 'nx_reg_load';
  readonly destination: Subfield;
  readonly value: bigint;
}
export interface NxRegLoad2 {
  readonly type: 'nx_reg_load2';
  readonly oxm: OxmTlv;
}
export interface NxNote {
  readonly type: 'nx_note';
  /** 6 + 8·n bytes; others are padded with zeros to that when encoded. */
  readonly note: Uint8Array;
}
export interface NxMultipath {
  readonly type: 'nx_multipath';
  /** NX_HASH_FIELDS */
  readonly fields: number;
  readonly basis: number;
  /** NX_MP_ALG */
  readonly algorithm: number;
  /** Number of links minus one. */
  readonly maxLink: number;
  readonly argument: number;
  readonly destination: Subfield;
}
export interface NxBundle {
  readonly type: 'nx_bundle';
  /** NX_BD_ALG */
  readonly algorithm: number;
  /** NX_HASH_FIELDS */
  readonly fields: number;
  readonly basis: number;
  readonly members: readonly number[];
}
export interface NxBundleLoad extends Omit<NxBundle, 'type'> {
  readonly type: 'nx_bundle_load';
  readonly destination: Subfield;
}
export interface NxOutputReg {
  readonly type: 'nx_output_reg' | 'nx_output_reg2';
  readonly source: Subfield;
  readonly maxLen: number;
}
export interface NxOutputTrunc {
  readonly type: 'nx_output_trunc';
  readonly port: number;
  readonly maxLen: number;
}
/** What one learned flow matches on or does; an immediate value has `bits` bits in the fewest bytes. */
export type LearnSpec =
  | {
      readonly type: 'match' | 'load';
      readonly bits: number;
      readonly source: SubfieldStart | Uint8Array;
      readonly destination: SubfieldStart;
    }
  | { readonly type: 'output'; readonly bits: number; readonly source: SubfieldStart };
export interface NxLearn {
  readonly type: 'nx_learn';
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly cookie: bigint;
  /** NX_LEARN_F */
  readonly flags: number;
  readonly tableId: number;
  readonly finIdleTimeout: number;
  readonly finHardTimeout: number;
  readonly specs: readonly LearnSpec[];
}
export interface NxLearn2 extends Omit<NxLearn, 'type'> {
  readonly type: 'nx_learn2';
  /** Most flows that the action may have learned at a time; 0: no limit. */
  readonly limit: number;
  /** A bit that says whether the flow was learned; there if and only if the flags have WRITE_RESULT. */
  readonly result?: SubfieldStart;
}
export interface NxDecTtlCntIds {
  readonly type: 'nx_dec_ttl_cnt_ids';
  readonly controllers: readonly number[];
}
export interface NxFinTimeout {
  readonly type: 'nx_fin_timeout';
  readonly idleTimeout: number;
  readonly hardTimeout: number;
}
export interface NxController {
  readonly type: 'nx_controller';
  readonly maxLen: number;
  readonly controllerId: number;
  /** OFPR_* */
  readonly reason: number;
}
/** What is absent has its default: 65535 bytes, controller 0, OFPR_ACTION, no data, no pause, no meter. */
export interface NxController2 {
  readonly type: 'nx_controller2';
  readonly maxLen?: number;
  readonly controllerId?: number;
  readonly reason?: number;
  readonly userdata?: Uint8Array;
  readonly pause?: true;
  readonly meterId?: number;
}
export interface NxWriteMetadata {
  readonly type: 'nx_write_metadata';
  readonly metadata: bigint;
  readonly metadataMask: bigint;
}
export interface NxStack {
  readonly type: 'nx_stack_push' | 'nx_stack_pop';
  readonly subfield: Subfield;
}
export interface NxSample {
  readonly type: 'nx_sample';
  /** Out of 65535; at least 1. */
  readonly probability: number;
  readonly collectorSetId: number;
  readonly obsDomainId: number;
  readonly obsPointId: number;
}
export interface NxSample2 extends Omit<NxSample, 'type'> {
  readonly type: 'nx_sample2' | 'nx_sample3';
  readonly samplingPort: number;
  /** NX_ACTION_SAMPLE; nx_sample2 has none. */
  readonly direction?: number;
}
export interface NxConjunction {
  readonly type: 'nx_conjunction';
  readonly id: number;
  /** From 0. */
  readonly clause: number;
  readonly clauses: number;
}
export interface NxCt {
  readonly type: 'nx_ct';
  /** NX_CT_F */
  readonly flags: number;
  readonly zone: number | Subfield;
  readonly recircTable: number;
  /** Port of the protocol whose helper is used: 21 FTP, 69 TFTP, 0 none. */
  readonly alg: number;
  readonly actions: readonly Action[];
}
export interface NatRange {
  readonly addressMin: Uint8Array;
  readonly addressMax?: Uint8Array;
  readonly portMin?: number;
  readonly portMax?: number;
}
export interface NxNat {
  readonly type: 'nx_nat';
  /** NX_NAT_F */
  readonly flags: number;
  readonly range?: NatRange;
}
export interface NxClone {
  readonly type: 'nx_clone';
  readonly actions: readonly Action[];
}
export type EncapProperty =
  | { readonly type: 'nsh_md_type'; readonly mdType: number }
  | { readonly type: 'nsh_tlv'; readonly tlvClass: number; readonly tlvType: number; readonly data: Uint8Array }
  /** Of a class or type that is not known; the data without the head of 4 bytes. */
  | {
      readonly type: 'other';
      readonly propertyClass: number;
      readonly propertyType: number;
      readonly data: Uint8Array;
    };
export interface NxEncap {
  readonly type: 'nx_encap';
  readonly headerSize: number;
  /** PT */
  readonly packetType: number;
  readonly properties: readonly EncapProperty[];
}
export interface NxDecap {
  readonly type: 'nx_decap';
  /** PT */
  readonly packetType: number;
}
export interface NxCheckPktLarger {
  readonly type: 'nx_check_pkt_larger';
  readonly packetLength: number;
  /** One bit. */
  readonly destination: SubfieldStart;
}
export interface NxDeleteField {
  readonly type: 'nx_delete_field';
  readonly field: OxmFieldName;
  /** As in Subfield. */
  readonly length?: number;
}

export type NiciraAction =
  | NxResubmit
  | NxResubmitTable
  | NxSetTunnel
  | NxSetTunnel64
  | NxPlain
  | NxSetQueue
  | NxGroup
  | NxEthertype
  | NxSetMpls
  | NxRegMove
  | NxRegLoad
  | NxRegLoad2
  | NxNote
  | NxMultipath
  | NxBundle
  | NxBundleLoad
  | NxOutputReg
  | NxOutputTrunc
  | NxLearn
  | NxLearn2
  | NxDecTtlCntIds
  | NxFinTimeout
  | NxController
  | NxController2
  | NxWriteMetadata
  | NxStack
  | NxSample
  | NxSample2
  | NxConjunction
  | NxCt
  | NxNat
  | NxClone
  | NxEncap
  | NxDecap
  | NxCheckPktLarger
  | NxDeleteField;
export type NiciraActionType = NiciraAction['type'];
