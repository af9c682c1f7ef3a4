/**
 * Properties: what structures of OpenFlow 1.4 and later carry beyond their fixed part (OpenFlow 1.4.1 §7.2.1.2 and on,
 * OpenFlow 1.5.1 §7.2.2 and on). What an older version says in fixed fields (a port's speeds, a bucket's weight) stays a
 * field of the structure in all versions; only the rest is a property here.
 */
import type { OxmFieldName, OxmId } from './oxm.js';

export interface ExperimenterProperty {
  readonly type: 'experimenter';
  readonly experimenter: number;
  readonly expType: number;
  readonly data: Uint8Array;
}
/** Only decoded where unknown things are kept (see `DecodeOptions`). */
export interface UnknownProperty {
  readonly type: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}
export type AnyProperty = ExperimenterProperty | UnknownProperty;

/** ofp_port_desc_prop_optical; frequencies in MHz × 10 or wavelengths in nm × 100, power in dBm × 10. */
export interface OpticalPortDesc {
  readonly type: 'optical';
  readonly supported: number;
  readonly txMinFreqLmda: number;
  readonly txMaxFreqLmda: number;
  readonly txGridFreqLmda: number;
  readonly rxMinFreqLmda: number;
  readonly rxMaxFreqLmda: number;
  readonly rxGridFreqLmda: number;
  readonly txPwrMin: number;
  readonly txPwrMax: number;
}
/** ofp_port_desc_prop_oxm (1.5): pipeline fields that packets have from, or keep to, this port. */
export interface PipelinePortDesc {
  readonly type: 'pipeline_input' | 'pipeline_output';
  readonly ids: readonly OxmId[];
}
/** ofp_port_desc_prop_recirculate (1.5). */
export interface RecirculatePortDesc {
  readonly type: 'recirculate';
  readonly portNos: readonly number[];
}
export type PortDescProperty = OpticalPortDesc | PipelinePortDesc | RecirculatePortDesc | AnyProperty;

/** ofp_port_mod_prop_optical */
export interface OpticalPortMod {
  readonly type: 'optical';
  readonly configure: number;
  readonly freqLmda: number;
  /** Offset from the centre, signed. */
  readonly flOffset: number;
  readonly gridSpan: number;
  readonly txPwr: number;
}
export type PortModProperty = OpticalPortMod | AnyProperty;

/** ofp_port_stats_prop_optical */
export interface OpticalPortStats {
  readonly type: 'optical';
  readonly flags: number;
  readonly txFreqLmda: number;
  readonly txOffset: number;
  readonly txGridSpan: number;
  readonly rxFreqLmda: number;
  readonly rxOffset: number;
  readonly rxGridSpan: number;
  readonly txPwr: number;
  readonly rxPwr: number;
  readonly biasCurrent: number;
  readonly temperature: number;
}
export type PortStatsProperty = OpticalPortStats | AnyProperty;

/** ofp_table_mod_prop_* */
export type TableModProperty =
  /** `flags`: OFPTMPEF. */
  | { readonly type: 'eviction'; readonly flags: number }
  /** In percent; `vacancy` (the current one) is 0 in a request. */
  | { readonly type: 'vacancy'; readonly vacancyDown: number; readonly vacancyUp: number; readonly vacancy: number }
  | AnyProperty;

/** ofp_time (1.5). */
export interface OfpTime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** ofp_bundle_prop_* */
export type BundleProperty = { readonly type: 'time'; readonly scheduledTime: OfpTime } | AnyProperty;

/** ofp_bundle_features_prop_* (1.5). */
export type BundleFeaturesProperty =
  | {
      readonly type: 'time_capability';
      readonly schedAccuracy: OfpTime;
      readonly schedMaxFuture: OfpTime;
      readonly schedMaxPast: OfpTime;
      readonly timestamp: OfpTime;
    }
  | AnyProperty;

/** ofp_controller_status_prop_* (1.5). */
export type ControllerStatusProperty = { readonly type: 'uri'; readonly uri: string } | AnyProperty;

/** Netronome's, which Open vSwitch has too: how a select group chooses a bucket. */
export interface SelectionMethodProperty {
  readonly type: 'selection_method';
  /** 'hash' and 'dp_hash' with Open vSwitch; at most 15 bytes. */
  readonly method: string;
  readonly parameter: bigint;
  /** What is hashed, and which bits of it. */
  readonly fields: readonly { readonly field: OxmFieldName; readonly mask: Uint8Array }[];
}
export type GroupProperty = SelectionMethodProperty | AnyProperty;

/** ofp_async_config_prop_experimenter: for the master role and equals, or for slaves. */
export type AsyncProperty =
  | {
      readonly type: 'experimenter_slave' | 'experimenter_master';
      readonly experimenter: number;
      readonly expType: number;
      readonly data: Uint8Array;
    }
  | UnknownProperty;
