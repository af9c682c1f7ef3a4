/** What the datapath tells by itself, as OpenFlow messages for every controller that wants them (§7.4). */
import type {
  FlowRemoved,
  FlowStatsReply,
  GroupMod,
  Match,
  MeterMod,
  MultipartReply,
  Outgoing,
  OxmFieldName,
  OxmKnown,
  PortStatus,
  TableStatus,
} from 'node-openflow';
import { of13 } from 'node-openflow';
import type { FlowRemovedRecord, PacketInRecord } from '../datapath/records.js';
import { PacketInReason } from '../datapath/schema.gen.js';
import type { ControllerView } from './controller-view.js';
import type { PacketBuffers } from './packet-buffers.js';
import type { Seal } from './seal.js';
import { readMatch } from './translate-match.js';

const { OFP_NO_BUFFER } = of13;
const NS_PER_SECOND = 1_000_000_000n;

/** A packet, before it is cut and said in the way of each controller that is told of it. */
export interface PacketInEvent {
  readonly type: 'packet_in';
  readonly reason: number;
  readonly tableId: number;
  readonly cookie: bigint;
  readonly inPort: number;
  readonly match: Match;
  /** The match is the port alone. */
  readonly isPlain: boolean;
  /** Bytes of the packet. */
  readonly totalLen: number;
  readonly frame: Uint8Array;
  /** Bytes asked for, 0xffff: all; undefined: the controller's miss_send_len. */
  readonly maxLen: number | undefined;
  /** Only controllers that gave themselves this number are told (NXT_SET_CONTROLLER_ID); 0: those that gave none. */
  readonly controllerId: number;
  /** Of the controller action; empty: none. */
  readonly userdata: Uint8Array;
  /** Of a paused packet, sealed: what NXT_RESUME has to bring. */
  readonly continuation?: () => Uint8Array;
  /** Keeps the packet, for a controller that gets its beginning only; the same id each time. */
  readonly buffer: () => number;
}

/** A packet for an agent of the daemon's own. */
export type LocalPacketIn = Pick<
  PacketInRecord,
  'table' | 'cookie' | 'userdata' | 'registers' | 'segmentBytes' | 'frameTotal' | 'frame'
> & {
  /** The port that it came in by, whatever was written over in_port. */
  readonly port: number;
};

/** Copies it out of the record. */
export function localPacketIn(record: PacketInRecord): LocalPacketIn {
  const { table, cookie, registers, segmentBytes, frameTotal, inPhyPort, frame, userdata } = record;
  const context = {
    table,
    cookie,
    registers,
    frameTotal,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
    port: inPhyPort,
  };
  return { ...context, frame: frame.slice(), userdata: userdata.slice() };
}

/** A controller has changed a group or a meter; the others may want to know (OpenFlow 1.4.1 §7.4.6). */
export interface RequestForwardEvent {
  readonly type: 'requestforward';
  /** OFPRFR */
  readonly reason: number;
  readonly request: GroupMod | MeterMod;
  readonly by: ControllerView;
}

/** A flow passed a threshold of its stat trigger (1.5.1 §7.3.5.3). */
export type FlowTriggered = MultipartReply & { readonly body: FlowStatsReply };

export type AsyncEvent =
  | PacketInEvent
  | RequestForwardEvent
  | Outgoing<FlowRemoved | PortStatus | TableStatus | FlowTriggered>;

export function splitNs(duration: bigint): { readonly durationSec: number; readonly durationNsec: number } {
  return {
    durationSec: Number(BigInt.asUintN(32, duration / NS_PER_SECOND)),
    durationNsec: Number(duration % NS_PER_SECOND),
  };
}

function bytesOf(value: number | bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  let rest = BigInt(value);
  for (let i = width - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** There are no pipeline fields but the ingress port. */
function isPlain({ packetType, inPhyPort, inPort, metadata, tunnelId, registers }: PacketInRecord): boolean {
  const physical = inPhyPort !== 0 && inPhyPort !== inPort;
  return packetType === 0 && !physical && metadata === 0n && tunnelId === 0n && registers.size === 0;
}

/** The pipeline fields that are not 0, and the ingress port always (§7.4.1). */
function packetInMatch(record: PacketInRecord): Match {
  const match: OxmKnown[] = [{ field: 'in_port', value: bytesOf(record.inPort, 4) }];
  if (record.packetType !== 0) match.unshift({ field: 'packet_type', value: bytesOf(record.packetType, 4) });
  if (record.inPhyPort !== 0 && record.inPhyPort !== record.inPort) {
    match.push({ field: 'in_phy_port', value: bytesOf(record.inPhyPort, 4) });
  }
  if (record.metadata !== 0n) match.push({ field: 'metadata', value: bytesOf(record.metadata, 8) });
  if (record.tunnelId !== 0n) match.push({ field: 'tunnel_id', value: bytesOf(record.tunnelId, 8) });
  for (const [n, value] of record.registers) match.push({ field: `reg${n}` as OxmFieldName, value: bytesOf(value, 4) });
  return match;
}

/** Cookie of a packet that went up without a flow (§7.4.1). */
const NO_COOKIE = 0xffffffffffffffffn;

/** It went up because no flow matched it, for those controllers whose version wants that. */
export function isDefaultMiss({ reason, cookie }: { readonly reason: number; readonly cookie: bigint }): boolean {
  return reason === PacketInReason.noMatch && cookie === NO_COOKIE;
}

/**
 * A packet for the controllers. Where an action said how much of it to send, and not "all", the whole is kept in a
 * buffer; where no action did (a TTL that ran out, a miss) each controller has said it for itself.
 */
export function packetInEvent(record: PacketInRecord, buffers: PacketBuffers, seal: Seal): PacketInEvent {
  const unasked = record.reason === PacketInReason.invalidTtl || isDefaultMiss(record);
  const { frame, userdata, inPort } = record;
  const continuation = record.continuation?.slice();
  let sealed: Uint8Array | undefined;
  let id: number | undefined;
  const buffer = (): number => {
    // What is kept is sent on as a frame.
    if (record.packetType !== 0) return OFP_NO_BUFFER;
    // A copy: the record holds other packets, too.
    id ??= buffers.keep({ frame: frame.slice(), inPort });
    return id;
  };
  return {
    type: 'packet_in',
    reason: record.reason,
    tableId: record.table,
    cookie: record.cookie,
    inPort,
    get match() {
      return packetInMatch(record);
    },
    isPlain: isPlain(record),
    totalLen: Math.min(record.frameTotal, 0xffff),
    frame,
    maxLen: unasked ? undefined : record.maxLen,
    controllerId: record.controllerId,
    userdata,
    ...(continuation === undefined ? {} : { continuation: () => (sealed ??= seal.close(continuation)) }),
    buffer,
  };
}

export function flowRemovedMessage(record: FlowRemovedRecord): Outgoing<FlowRemoved> {
  return {
    type: 'flow_removed',
    cookie: record.cookie,
    priority: record.priority,
    reason: record.reason,
    tableId: record.table,
    ...splitNs(record.duration),
    idleTimeout: record.idle,
    hardTimeout: record.hard,
    packetCount: record.packets,
    byteCount: record.bytes,
    match: readMatch(record.match),
  };
}
