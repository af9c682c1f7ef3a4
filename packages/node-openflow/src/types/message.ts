/**
 * The messages, as plain values told apart by `type` (OpenFlow 1.3.5 §7.1, ofp_type).
 *
 * The shapes are meant for all protocol versions; `version` says which one a value is encoded as. Numbers of enums and
 * flags stay numbers (see the `of13` tables), so that a value the tables do not know survives decode and encode.
 */
import type { NiciraMessage } from '../nicira/message-types.js';
import type { Action, Instruction } from './action.js';
import type { MultipartReplyBody, MultipartRequestBody } from './multipart.js';
import type { Match } from './oxm.js';
import type { Bucket, HelloElement, MeterBand, PacketQueue, PortDesc } from './structures.js';

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
  readonly expType: number;
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
  readonly capabilities: number;
  readonly reserved: number;
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
}
/** §7.3.4.2 */
export interface GroupMod extends Head {
  readonly type: 'group_mod';
  readonly command: number;
  readonly groupType: number;
  readonly groupId: number;
  readonly buckets: readonly Bucket[];
}
/** §7.3.4.3 */
export interface PortMod extends Head {
  readonly type: 'port_mod';
  readonly portNo: number;
  readonly hwAddr: Uint8Array;
  readonly config: number;
  readonly mask: number;
  readonly advertise: number;
}
/** §7.3.3 */
export interface TableMod extends Head {
  readonly type: 'table_mod';
  readonly tableId: number;
  readonly config: number;
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
}
export interface RoleReply extends Head {
  readonly type: 'role_reply';
  readonly role: number;
  readonly generationId: bigint;
}
/** Bit r of a mask lets messages of reason r through: [0] as master or equal, [1] as slave (§7.3.10). */
export interface AsyncMasks {
  readonly packetInMask: readonly [number, number];
  readonly portStatusMask: readonly [number, number];
  readonly flowRemovedMask: readonly [number, number];
}
export interface GetAsyncRequest extends Head {
  readonly type: 'get_async_request';
}
export interface GetAsyncReply extends Head, AsyncMasks {
  readonly type: 'get_async_reply';
}
export interface SetAsync extends Head, AsyncMasks {
  readonly type: 'set_async';
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
  | NiciraMessage
  | UnknownMessage;
export type MessageType = Message['type'];
/** The message whose `type` is `T`. */
export type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;

type Without<M, K extends PropertyKey> = M extends unknown ? Omit<M, K> : never;
/** A message to be sent: the session knows the version and, where none is given, picks an xid. */
export type Outgoing<M extends Message = Message> = Without<M, 'version' | 'xid'> & { readonly xid?: number };
