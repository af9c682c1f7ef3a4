/**
 * The messages, as plain values told apart by `type` (OpenFlow 1.3.5 §7.1, ofp_type).
 *
 * The shapes are the same for all protocol versions; `version` says which one a value is encoded as. They are those of 1.3:
 * older versions fill what they do not have with a neutral default, newer ones add properties that may be absent.
 * Encoding throws EncodeError where a version cannot say what changes something (a flow, a group, a configuration); what
 * only informs (a packet-in's cookie, a flow's duration) is left out where the version has no place for it.
 * Numbers of enums and flags stay numbers (see the `of13` tables), so that a value the tables do not know survives.
 */
import type { NiciraMessage } from '../nicira/message-types.js';
import type { Action, Instruction } from './action.js';
import type { ControllerStatus, MultipartReplyBody, MultipartRequestBody } from './multipart.js';
import type { Match } from './oxm.js';
import type { OxsStats } from './oxs.js';
import type {
  AnyProperty,
  AsyncProperty,
  BundleProperty,
  GroupProperty,
  PortModProperty,
  TableModProperty,
} from './property.js';
import type { Bucket, HelloElement, MeterBand, PacketQueue, PortDesc, TableDesc } from './structures.js';

/** What every message has: ofp_header without the length, which is never kept but computed. */
export interface Head {
  /** 1 is OpenFlow 1.0, 4 is 1.3, 6 is 1.5. */
  readonly version: number;
  readonly xid: number;
}

/** §7.5.1. The body never makes a hello invalid: what is not well-formed elements stays in `rest`. */
export interface Hello extends Head {
  readonly type: 'hello';
  readonly elements: readonly HelloElement[];
  readonly rest: Uint8Array;
}
/** §7.4.4 */
export interface ErrorMessage extends Head {
  readonly type: 'error';
  readonly errorType: number;
  /** For experimenter errors (errorType 0xffff) the exp_type. */
  readonly errorCode: number;
  /** Only, and always, when errorType is 0xffff. */
  readonly experimenter?: number;
  /** At least the first 64 bytes of what was refused; for HELLO_FAILED a text. */
  readonly data: Uint8Array;
}
/** §7.5.2, §7.5.3 */
export interface EchoRequest extends Head {
  readonly type: 'echo_request';
  readonly data: Uint8Array;
}
export interface EchoReply extends Head {
  readonly type: 'echo_reply';
  readonly data: Uint8Array;
}
/** §7.5.4 */
export interface Experimenter extends Head {
  readonly type: 'experimenter';
  readonly experimenter: number;
  /** In 1.0 and 1.1 the first four bytes behind the experimenter, a subtype by custom; absent if they are not there. */
  readonly expType?: number;
  readonly data: Uint8Array;
}
/** §7.3.1 */
export interface FeaturesRequest extends Head {
  readonly type: 'features_request';
}
export interface FeaturesReply extends Head {
  readonly type: 'features_reply';
  readonly datapathId: bigint;
  readonly nBuffers: number;
  readonly nTables: number;
  readonly auxiliaryId: number;
  /** The version's own bits. */
  readonly capabilities: number;
  readonly reserved: number;
  /** 1.0: a bit for each action; absent: none. */
  readonly actions?: number;
  /** 1.0 to 1.2, which have no multipart for it; absent: none. */
  readonly ports?: readonly PortDesc[];
}
/** §7.3.2 */
export interface GetConfigRequest extends Head {
  readonly type: 'get_config_request';
}
export interface GetConfigReply extends Head {
  readonly type: 'get_config_reply';
  readonly flags: number;
  readonly missSendLen: number;
}
export interface SetConfig extends Head {
  readonly type: 'set_config';
  readonly flags: number;
  readonly missSendLen: number;
}
/** §7.4.1 */
export interface PacketIn extends Head {
  readonly type: 'packet_in';
  /** 1.0 and 1.1 say of the fields only in_port (and in_phy_port), 1.0 no table, 1.0 to 1.2 no cookie (all ones). */
  readonly bufferId: number;
  readonly totalLen: number;
  readonly reason: number;
  readonly tableId: number;
  readonly cookie: bigint;
  readonly match: Match;
  readonly data: Uint8Array;
}
/** §7.4.2 */
export interface FlowRemoved extends Head {
  readonly type: 'flow_removed';
  readonly cookie: bigint;
  readonly priority: number;
  readonly reason: number;
  readonly tableId: number;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly match: Match;
  /** 1.5: statistics other than these. */
  readonly stats?: OxsStats;
}
/** §7.4.3 */
export interface PortStatus extends Head {
  readonly type: 'port_status';
  readonly reason: number;
  readonly port: PortDesc;
}
/** §7.3.7 */
export interface PacketOut extends Head {
  readonly type: 'packet_out';
  readonly bufferId: number;
  readonly inPort: number;
  readonly actions: readonly Action[];
  readonly data: Uint8Array;
  /** 1.5: pipeline fields other than in_port; absent: none. */
  readonly match?: Match;
}
/** §7.3.4.1 */
export interface FlowMod extends Head {
  readonly type: 'flow_mod';
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly tableId: number;
  readonly command: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly bufferId: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly flags: number;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
  /** For eviction: 1.4 and later; absent: 0. */
  readonly importance?: number;
}
/** §7.3.4.2 */
export interface GroupMod extends Head {
  readonly type: 'group_mod';
  readonly command: number;
  readonly groupType: number;
  readonly groupId: number;
  readonly buckets: readonly Bucket[];
  /** 1.5: what INSERT_BUCKET and REMOVE_BUCKET are about; absent: OFPG_BUCKET_ALL. */
  readonly commandBucketId?: number;
  /** 1.5; absent: none. */
  readonly properties?: readonly GroupProperty[];
}
/** §7.3.4.3 */
export interface PortMod extends Head {
  readonly type: 'port_mod';
  readonly portNo: number;
  readonly hwAddr: Uint8Array;
  readonly config: number;
  readonly mask: number;
  /** OFPPF bits of 1.3; 0 leaves it as it is. */
  readonly advertise: number;
  /** 1.4 and later; absent: none. */
  readonly properties?: readonly PortModProperty[];
}
/** §7.3.3 */
export interface TableMod extends Head {
  readonly type: 'table_mod';
  readonly tableId: number;
  readonly config: number;
  /** 1.4 and later; absent: none. */
  readonly properties?: readonly TableModProperty[];
}
/** §7.3.4.4 */
export interface MeterMod extends Head {
  readonly type: 'meter_mod';
  readonly command: number;
  readonly flags: number;
  readonly meterId: number;
  readonly bands: readonly MeterBand[];
}
/** §7.3.5 */
export interface MultipartRequest extends Head {
  readonly type: 'multipart_request';
  readonly flags: number;
  readonly body: MultipartRequestBody;
}
export interface MultipartReply extends Head {
  readonly type: 'multipart_reply';
  readonly flags: number;
  readonly body: MultipartReplyBody;
}
/** §7.3.8 */
export interface BarrierRequest extends Head {
  readonly type: 'barrier_request';
}
export interface BarrierReply extends Head {
  readonly type: 'barrier_reply';
}
/** §7.3.6 */
export interface QueueGetConfigRequest extends Head {
  readonly type: 'queue_get_config_request';
  readonly port: number;
}
export interface QueueGetConfigReply extends Head {
  readonly type: 'queue_get_config_reply';
  readonly port: number;
  readonly queues: readonly PacketQueue[];
}
/** §7.3.9 */
export interface RoleRequest extends Head {
  readonly type: 'role_request';
  readonly role: number;
  readonly generationId: bigint;
  /** 1.5: a number for the controller, for this switch; absent: OFPCID_UNDEFINED. */
  readonly shortId?: number;
}
export interface RoleReply extends Head {
  readonly type: 'role_reply';
  readonly role: number;
  readonly generationId: bigint;
  readonly shortId?: number;
}
/** Bit r of a mask lets messages of reason r through: [0] as master or equal, [1] as slave (§7.3.10). */
export type AsyncMask = readonly [number, number];
export interface AsyncMasks {
  readonly packetInMask: AsyncMask;
  readonly portStatusMask: AsyncMask;
  readonly flowRemovedMask: AsyncMask;
  /** 1.4 and later; absent: as if it were [0, 0]. */
  readonly roleStatusMask?: AsyncMask;
  readonly tableStatusMask?: AsyncMask;
  readonly requestforwardMask?: AsyncMask;
  /** 1.5 */
  readonly flowStatsMask?: AsyncMask;
  readonly controllerStatusMask?: AsyncMask;
  /** 1.4 and later; absent: none. */
  readonly properties?: readonly AsyncProperty[];
}
/** As `AsyncMasks`, where undefined leaves a mask as it is; see `applyAsync`. Before 1.4 the first three are all there. */
export type AsyncMaskChange = readonly [number | undefined, number | undefined];
export type AsyncChanges = {
  readonly [Name in Exclude<keyof AsyncMasks, 'properties'>]?: AsyncMaskChange;
} & Pick<AsyncMasks, 'properties'>;
export interface GetAsyncRequest extends Head {
  readonly type: 'get_async_request';
}
export interface GetAsyncReply extends Head, AsyncMasks {
  readonly type: 'get_async_reply';
}
export type SetAsync = Head & AsyncChanges & { readonly type: 'set_async' };
/** 1.4 and later, and ONF extension 191 of 1.3 (OpenFlow 1.4.1 §7.4.4). */
export interface RoleStatus extends Head {
  readonly type: 'role_status';
  readonly role: number;
  /** OFPCRR */
  readonly reason: number;
  readonly generationId: bigint;
  readonly properties?: readonly AnyProperty[];
}
/** 1.4 and later (OpenFlow 1.4.1 §7.4.5). */
export interface TableStatus extends Head {
  readonly type: 'table_status';
  /** OFPTR */
  readonly reason: number;
  readonly table: TableDesc;
}
/** 1.4 and later, and ONF extension 235 of 1.3: a request of another controller, as its bytes (OpenFlow 1.4.1 §7.4.6). */
export interface RequestForward extends Head {
  readonly type: 'requestforward';
  readonly request: Uint8Array;
}
/** 1.4 and later, and ONF extension 230 of 1.3 (OpenFlow 1.4.1 §7.3.9). */
export interface BundleControl extends Head {
  readonly type: 'bundle_control';
  readonly bundleId: number;
  /** OFPBCT */
  readonly controlType: number;
  /** OFPBF */
  readonly flags: number;
  readonly properties?: readonly BundleProperty[];
}
export interface BundleAddMessage extends Head {
  readonly type: 'bundle_add_message';
  readonly bundleId: number;
  readonly flags: number;
  /** The whole message, header included, for `decodeMessage`. */
  readonly message: Uint8Array;
  readonly properties?: readonly BundleProperty[];
}
/** 1.5 (OpenFlow 1.5.1 §7.4.7). */
export interface ControllerStatusMessage extends Head {
  readonly type: 'controller_status';
  readonly status: ControllerStatus;
}
/** Only as ONF extension 187 of 1.3, whose monitors are not told of in multipart replies. */
export interface FlowMonitorSignal extends Head {
  readonly type: 'flow_monitor_paused' | 'flow_monitor_resumed';
}
export interface FlowMonitorCancel extends Head {
  readonly type: 'flow_monitor_cancel';
  readonly monitorId: number;
}
/** A message of a type the tables do not know; only decoded where unknown things are kept. */
export interface UnknownMessage extends Head {
  readonly type: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}

export type Message =
  | Hello
  | ErrorMessage
  | EchoRequest
  | EchoReply
  | Experimenter
  | FeaturesRequest
  | FeaturesReply
  | GetConfigRequest
  | GetConfigReply
  | SetConfig
  | PacketIn
  | FlowRemoved
  | PortStatus
  | PacketOut
  | FlowMod
  | GroupMod
  | PortMod
  | TableMod
  | MeterMod
  | MultipartRequest
  | MultipartReply
  | BarrierRequest
  | BarrierReply
  | QueueGetConfigRequest
  | QueueGetConfigReply
  | RoleRequest
  | RoleReply
  | GetAsyncRequest
  | GetAsyncReply
  | SetAsync
  | RoleStatus
  | TableStatus
  | RequestForward
  | BundleControl
  | BundleAddMessage
  | ControllerStatusMessage
  | FlowMonitorSignal
  | FlowMonitorCancel
  | NiciraMessage
  | UnknownMessage;
export type MessageType = Message['type'];
/** The message whose `type` is `T`. */
export type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;

type Without<M, K extends PropertyKey> = M extends unknown ? Omit<M, K> : never;
/** A message to be sent: the session knows the version and, where none is given, picks an xid. */
export type Outgoing<M extends Message = Message> = Without<M, 'version' | 'xid'> & { readonly xid?: number };
