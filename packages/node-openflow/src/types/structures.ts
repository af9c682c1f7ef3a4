/** Structures that several messages share: ports, buckets, bands, queues, table features. */
import type { NiciraActionType } from '../nicira/action-types.js';
import type { Action, ActionType, InstructionType } from './action.js';
import type { OxmId, OxmTlv } from './oxm.js';
import type { AnyProperty, PortDescProperty, TableModProperty } from './property.js';

/**
 * ofp_port (OpenFlow 1.3.5 §7.2.1). Numbers and feature bits are those of 1.3 in all versions: 1.0's are translated, and
 * what 1.0 has no word for (speeds above 10 Gb/s, BLOCKED, LIVE, the two speeds in kbps) is left out of what it is told.
 */
export interface PortDesc {
  readonly portNo: number;
  /** Six bytes. */
  readonly hwAddr: Uint8Array;
  /** At most 15 bytes of UTF-8; longer names are cut when encoded. */
  readonly name: string;
  readonly config: number;
  readonly state: number;
  readonly curr: number;
  readonly advertised: number;
  readonly supported: number;
  readonly peer: number;
  /** kbps */
  readonly currSpeed: number;
  /** kbps */
  readonly maxSpeed: number;
  /** 1.4 and later; absent: none. */
  readonly properties?: readonly PortDescProperty[];
}

/** ofp_bucket (§7.3.4.2). */
export interface Bucket {
  readonly weight: number;
  readonly watchPort: number;
  readonly watchGroup: number;
  readonly actions: readonly Action[];
  /** 1.5; where absent, the bucket's place in the list. */
  readonly bucketId?: number;
  /** 1.5; absent: none. */
  readonly properties?: readonly AnyProperty[];
}

interface BandBase {
  readonly rate: number;
  readonly burstSize: number;
}
export interface DropBand extends BandBase {
  readonly type: 'drop';
}
export interface DscpRemarkBand extends BandBase {
  readonly type: 'dscp_remark';
  readonly precLevel: number;
}
export interface ExperimenterBand extends BandBase {
  readonly type: 'experimenter';
  readonly experimenter: number;
  readonly data: Uint8Array;
}
export interface UnknownBand extends BandBase {
  readonly type: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}
/** ofp_meter_band_* (§7.3.4.4.1). */
export type MeterBand = DropBand | DscpRemarkBand | ExperimenterBand | UnknownBand;

export interface RateQueueProperty {
  readonly type: 'min_rate' | 'max_rate';
  /** In 1/10 of a percent; above 1000 means disabled. */
  readonly rate: number;
}
export interface ExperimenterQueueProperty {
  readonly type: 'experimenter';
  readonly experimenter: number;
  /** 1.4 and later. */
  readonly expType?: number;
  readonly data: Uint8Array;
}
export interface UnknownQueueProperty {
  readonly type: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}
/** ofp_queue_prop_* (§7.2.2). */
export type QueueProperty = RateQueueProperty | ExperimenterQueueProperty | UnknownQueueProperty;

/** ofp_packet_queue (§7.2.2). */
export interface PacketQueue {
  readonly queueId: number;
  readonly port: number;
  readonly properties: readonly QueueProperty[];
}

/** The type of an action or instruction without its arguments, as table features list them. */
export type TypeId<Name extends string> =
  | { readonly type: Exclude<Name, 'experimenter' | 'unknown'> }
  | { readonly type: 'experimenter'; readonly experimenter: number; readonly data: Uint8Array }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };
/** An experimenter's action has no type of its own here, only bytes. */
export type ActionId = TypeId<Exclude<ActionType, NiciraActionType>>;
export type InstructionId = TypeId<InstructionType>;

/** ofp_table_feature_prop_* (§7.3.5.5.2). */
export type TableFeatureProperty =
  | { readonly type: 'instructions' | 'instructions_miss'; readonly ids: readonly InstructionId[] }
  /** table_sync_from: 1.4 and later. */
  | { readonly type: 'next_tables' | 'next_tables_miss' | 'table_sync_from'; readonly ids: readonly number[] }
  | {
      readonly type: 'write_actions' | 'write_actions_miss' | 'apply_actions' | 'apply_actions_miss';
      readonly ids: readonly ActionId[];
    }
  | {
      readonly type:
        | 'match'
        | 'wildcards'
        | 'write_setfield'
        | 'write_setfield_miss'
        | 'apply_setfield'
        | 'apply_setfield_miss'
        /** copyfield: 1.5 */
        | 'write_copyfield'
        | 'write_copyfield_miss'
        | 'apply_copyfield'
        | 'apply_copyfield_miss';
      readonly ids: readonly OxmId[];
    }
  /** 1.5: values of the field packet_type that the table takes. */
  | { readonly type: 'packet_types'; readonly oxms: readonly OxmTlv[] }
  | {
      readonly type: 'experimenter' | 'experimenter_miss';
      readonly experimenter: number;
      readonly expType: number;
      readonly data: Uint8Array;
    }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };

/** ofp_table_features (§7.3.5.5.1). */
export interface TableFeatures {
  readonly tableId: number;
  readonly name: string;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
  /** 1.5: the capabilities, of the same bits. */
  readonly config: number;
  readonly maxEntries: number;
  readonly properties: readonly TableFeatureProperty[];
  /** 1.5: OFPTFC; absent: REPLACE. */
  readonly command?: number;
  /** 1.5: OFPTFF; absent: 0. */
  readonly features?: number;
}

/** ofp_table_desc (OpenFlow 1.4.1 §7.3.5.8). */
export interface TableDesc {
  readonly tableId: number;
  readonly config: number;
  readonly properties: readonly TableModProperty[];
}

/** hello elements (§7.5.1). */
export type HelloElement =
  | {
      readonly type: 'versionbitmap';
      /** Word i holds versions 32·i … 32·i+31, the lowest in the lowest bit. */
      readonly bitmaps: readonly number[];
    }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };
