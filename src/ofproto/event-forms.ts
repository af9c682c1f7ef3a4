/**
 * Events as the controllers are told of them: each in its version, in the formats that it asked for with Nicira's
 * messages, and packets as long as it wants them.
 */
import {
  type FlowRemoved,
  type Message,
  type NxPacketInProperty,
  nicira,
  type Outgoing,
  of13,
  type PacketIn,
} from 'node-openflow';
import { controllerMaxLenNoBuffer, PacketInReason } from '../datapath/schema.gen.js';
import { type AsyncEvent, isDefaultMiss, type PacketInEvent, type RequestForwardEvent } from './async-events.js';
import { PACKET_IN_BYTES_MAX } from './limits.js';
import { nxmMatch } from './nxm.js';
import { continuationData } from './resume.js';
import { legacyPort, OF12, OF13, OF14, removalReason, tryEncode } from './versions.js';

const { OFP_NO_BUFFER } = of13;
const { NXPIF } = nicira;
const STANDARD = NXPIF.STANDARD;
/** OFPT_PACKET_IN */
const PACKET_IN = 10;
const NO_COOKIE = 0xffffffffffffffffn;

/** How a controller wants to be told. */
export interface EventForm {
  readonly version: number;
  /** Flows in Nicira's messages (1.0). */
  readonly nxm: boolean;
  /** NXPIF */
  readonly packetInFormat: number;
  readonly missSendLen: number;
}

/** In wire form; undefined where the version has no words for it. Nobody asked for it: its xid is 0. */
export function encodeEvent(event: AsyncEvent, form: EventForm): Uint8Array | undefined {
  if (event.type === 'packet_in' && event.isPlain && form.version >= OF13 && form.packetInFormat === STANDARD) {
    return plainBytes(event, form);
  }
  const said = inWords(event, form);
  return said === undefined ? undefined : tryEncode({ ...said, version: form.version, xid: 0 } as Message);
}

function inWords(event: AsyncEvent, form: EventForm): Outgoing | undefined {
  switch (event.type) {
    case 'packet_in':
      return packetIn(event, form);
    case 'flow_removed': {
      const removed = { ...event, reason: removalReason(form.version, event.reason) };
      return form.nxm ? nxFlowRemoved(removed) : removed;
    }
    case 'port_status':
      return { ...event, port: legacyPort(form.version, event.port) };
    case 'table_status':
    case 'multipart_reply':
      return event;
    case 'requestforward':
      return requestForward(event, form.version);
  }
}

/**
 * As all versions have it, but for the reason. A guest's segmentation offload makes packets that no message can hold:
 * those are cut and kept, whatever was asked for.
 */
export function plainPacketIn(event: PacketInEvent, missSendLen: number): Outgoing<PacketIn> {
  const { reason, tableId, cookie, match, totalLen } = event;
  return { type: 'packet_in', ...share(event, missSendLen), totalLen, reason, tableId, cookie, match };
}

/** How much of the packet a controller gets. */
function share(event: PacketInEvent, missSendLen: number): { readonly bufferId: number; readonly data: Uint8Array } {
  const { frame } = event;
  const maxLen = event.maxLen ?? missSendLen;
  const room = Math.max(0, PACKET_IN_BYTES_MAX - event.userdata.length);
  if (maxLen === controllerMaxLenNoBuffer && frame.length <= room) return { bufferId: OFP_NO_BUFFER, data: frame };
  return { bufferId: event.buffer(), data: frame.subarray(0, Math.min(maxLen, room)) };
}

/** ofp_packet_in (1.3.5 §7.4.1) before its data: the match is an OXM of the port, padded; two bytes more of padding. */
const PACKET_IN_HEADER = 42;
const OXM_IN_PORT = 0x80000004;

/** What the codec would make of it: packets with nothing but their port come up by the ten thousand. */
function plainBytes(event: PacketInEvent, { version, missSendLen }: EventForm): Uint8Array {
  const { bufferId, data } = share(event, missSendLen);
  const length = PACKET_IN_HEADER + data.length;
  const bytes = Buffer.allocUnsafe(length).fill(0, 0, PACKET_IN_HEADER);
  bytes[0] = version;
  bytes[1] = PACKET_IN;
  bytes.writeUInt16BE(length, 2);
  bytes.writeUInt32BE(bufferId, 8);
  bytes.writeUInt16BE(event.totalLen, 12);
  bytes[14] = reasonIn(version, event);
  bytes[15] = event.tableId;
  bytes.writeBigUInt64BE(event.cookie, 16);
  bytes.writeUInt16BE(of13.OFPMT.OXM, 24);
  bytes.writeUInt16BE(12, 26);
  bytes.writeUInt32BE(OXM_IN_PORT, 28);
  bytes.writeUInt32BE(event.inPort, 32);
  bytes.set(data, PACKET_IN_HEADER);
  return bytes;
}

/** Before 1.3 there are no table-miss flows, and before 1.4 one kind of output action, which the codec sees to. */
export function reasonIn(version: number, event: PacketInEvent): number {
  const byFlow = event.reason === PacketInReason.noMatch && !isDefaultMiss(event);
  if (byFlow && version < OF13) return PacketInReason.action;
  return event.reason > PacketInReason.invalidTtl && version < OF14 ? PacketInReason.action : event.reason;
}

function packetIn(event: PacketInEvent, { version, packetInFormat, missSendLen }: EventForm): Outgoing {
  const message = { ...plainPacketIn(event, missSendLen), reason: reasonIn(version, event) };
  switch (packetInFormat) {
    case NXPIF.NXT_PACKET_IN:
      return { ...message, type: 'nx_packet_in', match: nxmMatch(message.match) };
    case NXPIF.NXT_PACKET_IN2:
      return { type: 'nx_packet_in2', properties: properties(message, event, version) };
    default:
      return message;
  }
}

function properties(message: Outgoing<PacketIn>, event: PacketInEvent, version: number): NxPacketInProperty[] {
  const { userdata, continuation } = event;
  const { data, totalLen, bufferId, tableId, cookie, reason, match } = message;
  return [
    { type: 'packet', data },
    ...(data.length === totalLen ? [] : [{ type: 'full_len', value: totalLen } as const]),
    ...(bufferId === OFP_NO_BUFFER ? [] : [{ type: 'buffer_id', value: bufferId } as const]),
    { type: 'table_id', value: tableId },
    ...(cookie === NO_COOKIE ? [] : [{ type: 'cookie', cookie } as const]),
    { type: 'reason', value: reason },
    { type: 'metadata', match: version < OF12 ? nxmMatch(match) : match },
    ...(userdata.length === 0 ? [] : [{ type: 'userdata', data: userdata } as const]),
    ...(continuation === undefined ? [] : [{ type: 'continuation', data: continuationData(continuation()) } as const]),
  ];
}

function nxFlowRemoved({ type: _, hardTimeout: _hard, tableId, match, ...removed }: Outgoing<FlowRemoved>): Outgoing {
  return { type: 'nx_flow_removed', ...removed, tableIdPlusOne: tableId + 1, match: nxmMatch(match) };
}

/** The request as its own version of the controller would have said it. */
function requestForward({ request }: RequestForwardEvent, version: number): Outgoing | undefined {
  const bytes = tryEncode({ ...request, version });
  return bytes === undefined ? undefined : { type: 'requestforward', request: bytes };
}
