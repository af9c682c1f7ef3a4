/** Bodies of multipart requests and replies (OpenFlow 1.3.5 §7.3.5). A body that is a list has it in `entries`. */
import type { NiciraReplyBody, NiciraRequestBody } from '../nicira/message-types.js';
import type { Instruction } from './action.js';
import type { Match } from './oxm.js';
import type { OxsStats } from './oxs.js';
import type {
  AnyProperty,
  BundleFeaturesProperty,
  ControllerStatusProperty,
  GroupProperty,
  PortStatsProperty,
} from './property.js';
import type { Bucket, MeterBand, PacketQueue, PortDesc, TableDesc, TableFeatures } from './structures.js';

/** Request for individual flows or for their sums (§7.3.5.2, §7.3.5.3). */
export interface FlowStatsRequest {
  /** flow_stats: 1.5's flows without their instructions. */
  readonly type: 'flow' | 'aggregate' | 'flow_stats';
  readonly tableId: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly match: Match;
}
export interface EmptyMultipartRequest {
  readonly type: 'desc' | 'table' | 'group_features' | 'meter_features' | 'table_desc' | 'controller_status';
}
export interface PortDescRequest {
  readonly type: 'port_desc';
  /** 1.5; absent: OFPP_ANY. */
  readonly portNo?: number;
}
export interface GroupDescRequest {
  readonly type: 'group_desc';
  /** 1.5; absent: OFPG_ALL. */
  readonly groupId?: number;
}
/** 1.4 and later. */
export interface QueueDescRequest {
  readonly type: 'queue_desc';
  readonly portNo: number;
  readonly queueId: number;
}
/** ofp_flow_monitor_request (OpenFlow 1.4.1 §7.3.5.18). */
export interface FlowMonitor {
  readonly monitorId: number;
  readonly outPort: number;
  /** Not in the ONF extension of 1.3. */
  readonly outGroup: number;
  /** OFPFMF */
  readonly flags: number;
  readonly tableId: number;
  /** OFPFMC; in the ONF extension of 1.3 always ADD. */
  readonly command: number;
  readonly match: Match;
}
/** 1.4 and later, and ONF extension 187 of 1.3. */
export interface FlowMonitorRequest {
  readonly type: 'flow_monitor';
  readonly entries: readonly FlowMonitor[];
}
/** 1.5 (OpenFlow 1.5.1 §7.3.5.20). */
export interface BundleFeaturesRequest {
  readonly type: 'bundle_features';
  /** OFPBF of features: TIMESTAMP, TIME_SET_SCHED. */
  readonly featureRequestFlags: number;
  readonly properties: readonly BundleFeaturesProperty[];
}
export interface PortStatsRequest {
  readonly type: 'port_stats';
  readonly portNo: number;
}
export interface QueueStatsRequest {
  readonly type: 'queue';
  readonly portNo: number;
  readonly queueId: number;
}
export interface GroupStatsRequest {
  readonly type: 'group';
  readonly groupId: number;
}
export interface MeterMultipartRequest {
  readonly type: 'meter' | 'meter_config';
  readonly meterId: number;
}
/** An empty list asks for the features, any other sets them (§7.3.5.5). */
export interface TableFeaturesBody {
  readonly type: 'table_features';
  readonly entries: readonly TableFeatures[];
}
export interface ExperimenterMultipart {
  readonly type: 'experimenter';
  readonly experimenter: number;
  /** As `Experimenter.expType`. */
  readonly expType?: number;
  readonly data: Uint8Array;
}
export interface UnknownMultipart {
  readonly type: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}

export type MultipartRequestBody =
  | FlowStatsRequest
  | EmptyMultipartRequest
  | PortDescRequest
  | GroupDescRequest
  | QueueDescRequest
  | FlowMonitorRequest
  | BundleFeaturesRequest
  | PortStatsRequest
  | QueueStatsRequest
  | GroupStatsRequest
  | MeterMultipartRequest
  | TableFeaturesBody
  | NiciraRequestBody
  | ExperimenterMultipart
  | UnknownMultipart;

export interface DescReply {
  readonly type: 'desc';
  readonly mfrDesc: string;
  readonly hwDesc: string;
  readonly swDesc: string;
  readonly serialNum: string;
  readonly dpDesc: string;
}
export interface FlowStats {
  readonly tableId: number;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly priority: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly flags: number;
  readonly cookie: bigint;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
  /** 1.4 and later; absent: 0. */
  readonly importance?: number;
  /** 1.5: statistics other than duration, packet and byte count. */
  readonly stats?: OxsStats;
}
/** 1.5's ofp_flow_stats (OpenFlow 1.5.1 §7.3.5.3): what is not there is all ones. */
export interface FlowStatistics {
  readonly tableId: number;
  /** OFPFSR */
  readonly reason: number;
  readonly priority: number;
  readonly match: Match;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly stats?: OxsStats;
}
export interface AggregateReply {
  readonly type: 'aggregate';
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
  /** 1.5: statistics other than these. */
  readonly stats?: OxsStats;
}
/** 1.0 to 1.2 say here what 1.3 says in table features; bits are the version's own, and what is absent is 0. */
export interface TableStats {
  readonly tableId: number;
  readonly activeCount: number;
  readonly lookupCount: bigint;
  readonly matchedCount: bigint;
  /** 1.0 to 1.2 */
  readonly name?: string;
  /** 1.0: OFPFW; 1.1: OFPFMF; 1.2: 1 << OXM field. */
  readonly wildcards?: bigint;
  readonly maxEntries?: number;
  /** 1.1 and 1.2 */
  readonly match?: bigint;
  readonly instructions?: number;
  readonly writeActions?: number;
  readonly applyActions?: number;
  readonly config?: number;
  /** 1.2 */
  readonly writeSetfields?: bigint;
  readonly applySetfields?: bigint;
  readonly metadataMatch?: bigint;
  readonly metadataWrite?: bigint;
}
/** A counter that is not kept is 2⁶⁴−1 (§7.3.5.6); a duration that a version does not say is 2³²−1. */
export interface PortStats {
  readonly portNo: number;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  readonly rxFrameErr: bigint;
  readonly rxOverErr: bigint;
  readonly rxCrcErr: bigint;
  readonly collisions: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
  /** 1.4 and later; absent: none. */
  readonly properties?: readonly PortStatsProperty[];
}
export interface QueueStats {
  readonly portNo: number;
  readonly queueId: number;
  readonly txBytes: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
  /** 1.4 and later; absent: none. */
  readonly properties?: readonly AnyProperty[];
}
export interface PacketByteCount {
  readonly packetCount: bigint;
  readonly byteCount: bigint;
}
export interface GroupStats extends PacketByteCount {
  readonly groupId: number;
  readonly refCount: number;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly buckets: readonly PacketByteCount[];
}
export interface GroupDesc {
  readonly groupType: number;
  readonly groupId: number;
  readonly buckets: readonly Bucket[];
  /** 1.5; absent: none. */
  readonly properties?: readonly GroupProperty[];
}
/** Index of `maxGroups` and `actions` is the group type: all, select, indirect, fast failover. */
export interface GroupFeaturesReply {
  readonly type: 'group_features';
  readonly types: number;
  readonly capabilities: number;
  readonly maxGroups: readonly [number, number, number, number];
  readonly actions: readonly [number, number, number, number];
}
export interface MeterStats {
  readonly meterId: number;
  readonly flowCount: number;
  readonly packetInCount: bigint;
  readonly byteInCount: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly bands: readonly PacketByteCount[];
}
export interface MeterConfig {
  readonly flags: number;
  readonly meterId: number;
  readonly bands: readonly MeterBand[];
}
export interface MeterFeaturesReply {
  readonly type: 'meter_features';
  readonly maxMeter: number;
  readonly bandTypes: number;
  readonly capabilities: number;
  readonly maxBands: number;
  readonly maxColor: number;
  /** 1.5: OFPMFF; absent: 0. */
  readonly features?: number;
}
/** ofp_flow_update_* (OpenFlow 1.4.1 §7.3.5.18). */
export type FlowUpdate =
  | {
      readonly event: 'initial' | 'added' | 'removed' | 'modified';
      readonly tableId: number;
      /** OFPRR, where the event is 'removed'. */
      readonly reason: number;
      readonly idleTimeout: number;
      readonly hardTimeout: number;
      readonly priority: number;
      readonly cookie: bigint;
      readonly match: Match;
      readonly instructions: readonly Instruction[];
    }
  /** The controller's own change, by its xid. */
  | { readonly event: 'abbrev'; readonly xid: number }
  | { readonly event: 'paused' | 'resumed' };
/** ofp_controller_status (OpenFlow 1.5.1 §7.3.5.19). */
export interface ControllerStatus {
  readonly shortId: number;
  /** OFPCR_ROLE */
  readonly role: number;
  /** OFPCSR */
  readonly reason: number;
  /** OFPCT_STATUS */
  readonly channelStatus: number;
  readonly properties: readonly ControllerStatusProperty[];
}
export interface BundleFeaturesReply {
  readonly type: 'bundle_features';
  /** OFPBF */
  readonly capabilities: number;
  readonly properties: readonly BundleFeaturesProperty[];
}

interface List<Type extends string, Entry> {
  readonly type: Type;
  readonly entries: readonly Entry[];
}

export type FlowReply = List<'flow', FlowStats>;
export type TableReply = List<'table', TableStats>;
export type PortStatsReply = List<'port_stats', PortStats>;
export type QueueReply = List<'queue', QueueStats>;
export type GroupReply = List<'group', GroupStats>;
export type GroupDescReply = List<'group_desc', GroupDesc>;
export type MeterReply = List<'meter', MeterStats>;
export type MeterConfigReply = List<'meter_config', MeterConfig>;
export type PortDescReply = List<'port_desc', PortDesc>;
export type TableDescReply = List<'table_desc', TableDesc>;
export type QueueDescReply = List<'queue_desc', PacketQueue>;
export type FlowMonitorReply = List<'flow_monitor', FlowUpdate>;
export type FlowStatsReply = List<'flow_stats', FlowStatistics>;
export type ControllerStatusReply = List<'controller_status', ControllerStatus>;

export type MultipartReplyBody =
  | DescReply
  | FlowReply
  | AggregateReply
  | TableReply
  | PortStatsReply
  | QueueReply
  | GroupReply
  | GroupDescReply
  | GroupFeaturesReply
  | MeterReply
  | MeterConfigReply
  | MeterFeaturesReply
  | TableFeaturesBody
  | PortDescReply
  | TableDescReply
  | QueueDescReply
  | FlowMonitorReply
  | FlowStatsReply
  | ControllerStatusReply
  | BundleFeaturesReply
  | NiciraReplyBody
  | ExperimenterMultipart
  | UnknownMultipart;

export type MultipartType = MultipartRequestBody['type'];
