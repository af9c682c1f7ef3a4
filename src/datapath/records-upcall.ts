/** Records handed to onUpcall. */
import { decodeFlowAnswers, type FlowAnswer, writeFlowAnswer } from './records-query.js';
import { align8, type RecordWriter, viewOf } from './records-writer.js';
import { FlowChange, Upcall } from './schema.gen.js';

export interface PacketInRecord {
  readonly kind: 'packet_in';
  readonly reason: number;
  readonly table: number;
  /** All ones when no flow sent it. */
  readonly cookie: bigint;
  readonly inPort: number;
  readonly maxLen: number;
  /** Of the controller that is meant, and data for it: the controller action's; 0 and none otherwise. */
  readonly controllerId: number;
  readonly userdata: Uint8Array;
  /** Of a packet that stopped there; what a packet-out that has it goes on with. */
  readonly continuation?: Uint8Array;
  /** By number; those that are 0 are left away. */
  readonly registers: ReadonlyMap<number, number>;
  readonly frameTotal: number;
  readonly metadata: bigint;
  readonly tunnelId: bigint;
  readonly inPhyPort: number;
  /** 0: Ethernet. Of others `frame` begins with the header that is their first. */
  readonly packetType: number;
  /** TCP of a guest with segmentation offload, longer than what may be sent: bytes of payload that segments are to have. */
  readonly segmentBytes?: number;
  readonly frame: Uint8Array;
}

/** flow_statistics: it is there, but passed a threshold of its stat_trigger. */
export interface FlowRemovedRecord {
  readonly kind: 'flow_removed' | 'flow_statistics';
  readonly reason: number;
  readonly table: number;
  readonly cookie: bigint;
  readonly priority: number;
  readonly idle: number;
  readonly hard: number;
  readonly flags: number;
  readonly duration: bigint;
  /** Nanoseconds since the last packet, or since it was made. */
  readonly unused: bigint;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly match: Uint8Array;
}

/** What became of a flow, told while flows are watched and before the verb returns that did it. */
export interface FlowChangeRecord {
  readonly kind: 'flow_change';
  /** FlowChange */
  readonly event: number;
  /** FlowRemovedReason, when it was removed. */
  readonly reason: number;
  /** Which record of the batch did it; undefined: none did. */
  readonly cause: number | undefined;
  /** Version in which the flow appeared, which its modifications leave as it is. */
  readonly born: bigint;
  /** As it is now, or was last; undefined when changes were lost. */
  readonly flow: FlowAnswer | undefined;
  /** What a modified flow did before. */
  readonly oldInstructions: Uint8Array;
}

export type UpcallRecord =
  | PacketInRecord
  | FlowRemovedRecord
  | FlowChangeRecord
  | { readonly kind: 'port_state'; readonly port: number; readonly state: number; readonly text: string }
  | { readonly kind: 'port_output'; readonly port: number; readonly frame: Uint8Array };

const PACKET_IN_HEADER = 64;
const PAUSED = 1;
const FLOW_REMOVED_HEADER = 64;
const FLOW_CHANGE_HEADER = 24;
const NO_CAUSE = 0xffffffff;
const PORT_STATE_HEADER = 24;
const PORT_OUTPUT_HEADER = 16;

function begin(writer: RecordWriter, kind: number, reason: number, table: number, header: number): number {
  const at = writer.reserve(header);
  writer.setU8(at, kind);
  writer.setU8(at + 1, reason);
  writer.setU8(at + 2, table);
  return at;
}

function end(writer: RecordWriter, at: number): void {
  writer.pad8();
  writer.setU32(at + 4, writer.length - at);
}

export function writeUpcall(writer: RecordWriter, record: UpcallRecord): void {
  switch (record.kind) {
    case 'packet_in':
      writePacketIn(writer, record);
      return;
    case 'flow_removed':
    case 'flow_statistics':
      writeFlowRemoved(writer, record);
      return;
    case 'flow_change':
      writeFlowChange(writer, record);
      return;
    case 'port_state': {
      const text = new TextEncoder().encode(record.text);
      const at = begin(writer, Upcall.portState, 0, 0, PORT_STATE_HEADER);
      writer.setU32(at + 8, record.port);
      writer.setU32(at + 12, record.state);
      writer.setU32(at + 16, text.length);
      writer.bytes(text);
      end(writer, at);
      return;
    }
    case 'port_output': {
      const at = begin(writer, Upcall.portOutput, 0, 0, PORT_OUTPUT_HEADER);
      writer.setU32(at + 8, record.port);
      writer.setU32(at + 12, record.frame.length);
      writer.bytes(record.frame);
      end(writer, at);
      return;
    }
  }
}

function writePacketIn(writer: RecordWriter, record: PacketInRecord): void {
  const at = begin(writer, Upcall.packetIn, record.reason, record.table, PACKET_IN_HEADER);
  writer.setU64(at + 8, record.cookie);
  writer.setU32(at + 16, record.inPort);
  writer.setU16(at + 20, record.maxLen);
  writer.setU16(at + 22, record.controllerId);
  writer.setU32(at + 24, record.frameTotal);
  writer.setU32(at + 28, record.frame.length);
  setBigEndian64(writer, at + 32, record.metadata);
  setBigEndian64(writer, at + 40, record.tunnelId);
  writer.setU32(at + 48, record.inPhyPort);
  writer.setU32(at + 56, record.packetType);
  writer.setU8(at + 3, record.continuation === undefined ? 0 : PAUSED);
  writer.setU16(at + 60, record.segmentBytes ?? 0);
  writer.setU16(at + 52, record.userdata.length);
  writer.setU16(
    at + 54,
    [...record.registers.keys()].reduce((bits, n) => bits | (1 << n), 0),
  );
  writer.bytes(record.frame);
  writer.pad8();
  writer.bytes(record.userdata);
  writer.pad8();
  for (const [, value] of [...record.registers].sort(([a], [b]) => a - b)) {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setUint32(0, value);
    writer.bytes(bytes);
  }
  if (record.continuation !== undefined) {
    writer.pad8();
    writer.bytes(record.continuation);
  }
  end(writer, at);
}

function setBigEndian64(writer: RecordWriter, at: number, value: bigint): void {
  for (let i = 0; i < 8; i++) writer.setU8(at + i, Number((value >> BigInt(56 - 8 * i)) & 0xffn));
}

function writeFlowRemoved(writer: RecordWriter, record: FlowRemovedRecord): void {
  const code = record.kind === 'flow_removed' ? Upcall.flowRemoved : Upcall.flowStatistics;
  const at = begin(writer, code, record.reason, record.table, FLOW_REMOVED_HEADER);
  writer.setU64(at + 8, record.cookie);
  writer.setU16(at + 16, record.priority);
  writer.setU16(at + 18, record.idle);
  writer.setU16(at + 20, record.hard);
  writer.setU16(at + 22, record.flags);
  writer.setU64(at + 24, record.duration);
  writer.setU64(at + 32, record.packets);
  writer.setU64(at + 40, record.bytes);
  writer.setU32(at + 48, record.match.length);
  writer.setU64(at + 56, record.unused);
  writer.bytes(record.match);
  end(writer, at);
}

function writeFlowChange(writer: RecordWriter, record: FlowChangeRecord): void {
  const at = begin(writer, Upcall.flowChange, record.event, record.reason, FLOW_CHANGE_HEADER);
  writer.setU32(at + 8, record.cause ?? NO_CAUSE);
  writer.setU32(at + 12, record.oldInstructions.length);
  writer.setU64(at + 16, record.born);
  if (record.flow !== undefined) writeFlowAnswer(writer, record.flow);
  writer.bytes(record.oldInstructions);
  end(writer, at);
}

/** Calls `each` for every record. Frames and matches are views into `batch`. Unknown kinds are passed over. */
export function forEachUpcall(batch: Uint8Array, each: (record: UpcallRecord) => void): void {
  const view = viewOf(batch);
  let at = 0;
  while (batch.length - at >= 8) {
    const length = view.getUint32(at + 4, true);
    if (length < 8 || length > batch.length - at) throw new RangeError(`upcall record of ${length} bytes at ${at}`);
    const record = decodeUpcall(batch, view, at);
    if (record !== undefined) each(record);
    at += align8(length);
  }
}

function decodeUpcall(batch: Uint8Array, view: DataView, at: number): UpcallRecord | undefined {
  switch (batch[at]) {
    case Upcall.packetIn:
      return decodePacketIn(batch, view, at);
    case Upcall.flowRemoved:
      return decodeFlowRemoved('flow_removed', batch, view, at);
    case Upcall.flowStatistics:
      return decodeFlowRemoved('flow_statistics', batch, view, at);
    case Upcall.flowChange:
      return decodeFlowChange(batch.subarray(at, at + view.getUint32(at + 4, true)));
    case Upcall.portState: {
      const text = at + PORT_STATE_HEADER;
      return {
        kind: 'port_state',
        port: view.getUint32(at + 8, true),
        state: view.getUint32(at + 12, true),
        text: new TextDecoder().decode(batch.subarray(text, text + view.getUint32(at + 16, true))),
      };
    }
    case Upcall.portOutput: {
      const frame = at + PORT_OUTPUT_HEADER;
      return {
        kind: 'port_output',
        port: view.getUint32(at + 8, true),
        frame: batch.subarray(frame, frame + view.getUint32(at + 12, true)),
      };
    }
    default:
      return undefined;
  }
}

function decodePacketIn(batch: Uint8Array, view: DataView, at: number): PacketInRecord {
  const frame = at + PACKET_IN_HEADER;
  const userdata = frame + align8(view.getUint32(at + 28, true));
  const userdataEnd = userdata + view.getUint16(at + 52, true);
  const registers = registersAt(view, userdata + align8(userdataEnd - userdata), view.getUint16(at + 54, true));
  const tail = userdata + align8(userdataEnd - userdata) + align8(4 * registers.size);
  const paused = (batch[at + 3]! & PAUSED) !== 0;
  const segmentBytes = view.getUint16(at + 60, true);
  return {
    kind: 'packet_in',
    reason: batch[at + 1]!,
    table: batch[at + 2]!,
    cookie: view.getBigUint64(at + 8, true),
    inPort: view.getUint32(at + 16, true),
    maxLen: view.getUint16(at + 20, true),
    controllerId: view.getUint16(at + 22, true),
    userdata: batch.subarray(userdata, userdataEnd),
    ...(paused ? { continuation: batch.subarray(tail, at + view.getUint32(at + 4, true)) } : {}),
    registers,
    frameTotal: view.getUint32(at + 24, true),
    metadata: view.getBigUint64(at + 32),
    tunnelId: view.getBigUint64(at + 40),
    inPhyPort: view.getUint32(at + 48, true),
    packetType: view.getUint32(at + 56, true),
    ...(segmentBytes === 0 ? {} : { segmentBytes }),
    frame: batch.subarray(frame, frame + view.getUint32(at + 28, true)),
  };
}

const none: ReadonlyMap<number, number> = new Map();

/** `set`: bit n for register n; values follow each other in network order. */
function registersAt(view: DataView, at: number, set: number): ReadonlyMap<number, number> {
  if (set === 0) return none;
  const registers = new Map<number, number>();
  for (let n = 0; n < 16; n++) {
    if ((set & (1 << n)) !== 0) registers.set(n, view.getUint32(at + 4 * registers.size));
  }
  return registers;
}

function decodeFlowRemoved(
  kind: FlowRemovedRecord['kind'],
  batch: Uint8Array,
  view: DataView,
  at: number,
): FlowRemovedRecord {
  const match = at + FLOW_REMOVED_HEADER;
  return {
    kind,
    reason: batch[at + 1]!,
    table: batch[at + 2]!,
    cookie: view.getBigUint64(at + 8, true),
    priority: view.getUint16(at + 16, true),
    idle: view.getUint16(at + 18, true),
    hard: view.getUint16(at + 20, true),
    flags: view.getUint16(at + 22, true),
    duration: view.getBigUint64(at + 24, true),
    unused: view.getBigUint64(at + 56, true),
    packets: view.getBigUint64(at + 32, true),
    bytes: view.getBigUint64(at + 40, true),
    match: batch.subarray(match, match + view.getUint32(at + 48, true)),
  };
}

function decodeFlowChange(bytes: Uint8Array): FlowChangeRecord {
  const view = viewOf(bytes);
  const [cause, oldLength] = [view.getUint32(8, true), view.getUint32(12, true)];
  const end = bytes.length - oldLength;
  const [flow] = decodeFlowAnswers(bytes.subarray(FLOW_CHANGE_HEADER, end));
  return {
    kind: 'flow_change',
    event: flow === undefined ? FlowChange.lost : bytes[1]!,
    reason: bytes[2]!,
    cause: cause === NO_CAUSE ? undefined : cause,
    born: view.getBigUint64(16, true),
    flow,
    oldInstructions: bytes.subarray(end),
  };
}
