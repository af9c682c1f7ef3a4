/** Structures that several messages share: ports, buckets, bands, queues, table features. */
import type { NiciraActionType } from '../nicira/action-types.js';
import type { Action, ActionType, InstructionType } from './action.js';
import type { OxmId } from './oxm.js';

/** ofp_port (OpenFlow 1.3.5 §7.2.1). */
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
}

/** ofp_bucket (§7.3.4.2). */
export interface Bucket {
  readonly weight: number;
  readonly watchPort: number;
  readonly watchGroup: number;
  readonly actions: readonly Action[];
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
  | { readonly type: 'next_tables' | 'next_tables_miss'; readonly ids: readonly number[] }
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
        | 'apply_setfield_miss';
      readonly ids: readonly OxmId[];
    }
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
  readonly config: number;
  readonly maxEntries: number;
  readonly properties: readonly TableFeatureProperty[];
}

/** hello elements (§7.5.1). */
export type HelloElement =
  | {
      readonly type: 'versionbitmap';
      /** Word i holds versions 32·i … 32·i+31, the lowest in the lowest bit. */
      readonly bitmaps: readonly number[];
    }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };
