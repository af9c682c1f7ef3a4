/** Bodies of multipart requests and replies (OpenFlow 1.3.5 §7.3.5). A body that is a list has it in `entries`. */
import type { NiciraReplyBody, NiciraRequestBody } from '../nicira/message-types.js';
import type { Instruction } from './action.js';
import type { Match } from './oxm.js';
import type { Bucket, MeterBand, PortDesc, TableFeatures } from './structures.js';

/** Request for individual flows or for their sums (§7.3.5.2, §7.3.5.3). */
export interface FlowStatsRequest {
  readonly type: 'flow' | 'aggregate';
  readonly tableId: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly match: Match;
}
export interface EmptyMultipartRequest {
  readonly type: 'desc' | 'table' | 'group_desc' | 'group_features' | 'meter_features' | 'port_desc';
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
  readonly expType: number;
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
}
export interface AggregateReply {
  readonly type: 'aggregate';
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
}
export interface TableStats {
  readonly tableId: number;
  readonly activeCount: number;
  readonly lookupCount: bigint;
  readonly matchedCount: bigint;
}
/** A counter that is not kept is 2⁶⁴−1 (§7.3.5.6). */
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
}
export interface QueueStats {
  readonly portNo: number;
  readonly queueId: number;
  readonly txBytes: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
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
  | NiciraReplyBody
  | ExperimenterMultipart
  | UnknownMultipart;

export type MultipartType = MultipartRequestBody['type'];
