/** What the datapath tells by itself, as OpenFlow messages for every controller that wants them (§7.4). */
import {
  type FlowRemoved,
  type FlowStatsReply,
  type Match,
  type MultipartReply,
  type Outgoing,
  type OxmFieldName,
  type OxmKnown,
  of13,
  type PacketIn,
  type PortStatus,
  type TableStatus,
} from 'node-openflow';
import type { FlowRemovedRecord, PacketInRecord } from '../datapath/records.js';
import { controllerMaxLenNoBuffer, PacketInReason } from '../datapath/schema.gen.js';
import { PACKET_IN_BYTES_MAX } from './limits.js';
import type { PacketBuffers } from './packet-buffers.js';
import { readMatch } from './translate-match.js';

const { OFP_NO_BUFFER } = of13;
const NS_PER_SECOND = 1_000_000_000n;

/** A flow passed a threshold of its stat trigger (1.5.1 §7.3.5.3). */
export type FlowTriggered = MultipartReply & { readonly body: FlowStatsReply };

export type AsyncMessage = Outgoing<PacketIn | FlowRemoved | PortStatus | TableStatus | FlowTriggered>;

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

/** The pipeline fields that are not 0, and the ingress port always (§7.4.1). */
function packetInMatch(record: PacketInRecord): Match {
  const match: OxmKnown[] = [{ field: 'in_port', value: bytesOf(record.inPort, 4) }];
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
 * buffer; where no action did (a TTL that ran out), `missSendLen` of the switch's configuration says it. A guest's
 * segmentation offload makes packets that no message can hold: those are cut and kept, whatever was asked for.
 */
export function packetInMessage(
  record: PacketInRecord,
  missSendLen: number,
  buffers: PacketBuffers,
): Outgoing<PacketIn> {
  const unasked = record.reason === PacketInReason.invalidTtl || isDefaultMiss(record);
  const maxLen = unasked ? missSendLen : record.maxLen;
  const frame = record.frame.slice();
  const whole = maxLen === controllerMaxLenNoBuffer && frame.length <= PACKET_IN_BYTES_MAX;
  return {
    type: 'packet_in',
    bufferId: whole ? OFP_NO_BUFFER : buffers.keep({ frame, inPort: record.inPort }),
    totalLen: Math.min(record.frameTotal, 0xffff),
    reason: record.reason,
    tableId: record.table,
    cookie: record.cookie,
    match: packetInMatch(record),
    data: whole ? frame : frame.subarray(0, Math.min(maxLen, PACKET_IN_BYTES_MAX)),
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
