/** Packet-outs, and flow_mods that name a buffered packet (OpenFlow 1.3.5 §7.3.7, §7.3.4.1; 1.5.1 §7.3.6). */
import { type Action, type Match, neutralPair, type OxmKnown, of13, type PacketOut } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { RecordWriter, writeAction, writePacketOut } from '../datapath/records.js';
import { fields, ReservedPort, Status } from '../datapath/schema.gen.js';
import { HeadersKnown } from './headers-known.js';
import { FRAME_BYTES_MIN } from './limits.js';
import { badMatch, badRequest, type OfError, packetOutError } from './of-error.js';
import type { BufferedPacket, PacketBuffers } from './packet-buffers.js';
import { appendPlainPacketOut } from './plain-messages.js';
import type { PortTable } from './port-table.js';
import { writeActions } from './translate-actions.js';
import { maskedRecord } from './translate-masked.js';
import { fieldIds, numberOf } from './translate-match.js';
import { loadRegister } from './translate-nicira.js';
import { OF13 } from './versions.js';

const { OFP_NO_BUFFER, OFPBMC, OFPBRC } = of13;
const toTable: readonly Action[] = [{ type: 'output', port: ReservedPort.table, maxLen: 0 }];
/** Output to TABLE with what the packet brings along, which begins anew otherwise. */
const throughTables: Action = { type: 'nx_resubmit_table', inPort: ReservedPort.inPort & 0xffff, tableId: 0 };

export interface Reference {
  readonly kind: 'group' | 'meter';
  readonly id: number;
  /** What is answered where it is not there. */
  readonly unknown: OfError;
}

/** One that was found to be right. */
export interface PreparedOut {
  /** What its actions lead to. */
  readonly references: readonly Reference[];
  /** Sends it. */
  run(): OfError | undefined;
  /** Its buffer is as it was. */
  putBack(): void;
}

export class PacketOuts {
  readonly #datapath: Datapath;
  readonly #buffers: PacketBuffers;
  readonly #ports: PortTable;
  readonly #writer = new RecordWriter();
  readonly #ingress = (port: number): boolean => this.#isIngress(port);

  constructor(datapath: Datapath, buffers: PacketBuffers, ports: PortTable) {
    this.#datapath = datapath;
    this.#buffers = buffers;
    this.#ports = ports;
  }

  /** Carries one out; returns why it was refused. */
  send(message: PacketOut): OfError | undefined {
    const prepared = this.prepare(message);
    return 'code' in prepared ? prepared : prepared.run();
  }

  /** Carries one out that came as these bytes; undefined: it has to be decoded first. */
  sendBytes(bytes: Uint8Array): { readonly status: number } | undefined {
    this.#writer.reset();
    const plain = appendPlainPacketOut(this.#writer, bytes, this.#ingress);
    return plain ? { status: this.#datapath.packetOut(this.#writer.view()) } : undefined;
  }

  /** Takes its buffer, if it names one. */
  prepare(message: PacketOut): PreparedOut | OfError {
    const { inPort, actions, bufferId, version } = message;
    if (!this.#isIngress(inPort)) return badRequest(OFPBRC.BAD_PORT);
    // The actions first: a packet-out that is refused leaves its buffer as it is.
    const records = encode(actions, message.match ?? [], inPort);
    if ('code' in records) return records;
    const packet = bufferId === OFP_NO_BUFFER ? { frame: message.data, inPort } : this.#take(bufferId);
    if ('code' in packet) return packet;
    if (packet.frame.length < FRAME_BYTES_MIN) return badRequest(OFPBRC.BAD_PACKET);
    return {
      references: referencesOf(actions, version),
      run: () => this.#run(inPort, records, packet.frame, version),
      putBack: () => {
        if (bufferId !== OFP_NO_BUFFER) this.#buffers.putBack(bufferId, packet);
      },
    };
  }

  /** The packet that a flow_mod names goes through the tables from the start. */
  release(bufferId: number): OfError | undefined {
    const packet = this.#take(bufferId);
    const records = encode(toTable, [], ReservedPort.any);
    if ('code' in packet) return packet;
    return 'code' in records ? records : this.#run(packet.inPort, records, packet.frame, OF13);
  }

  /** Goes on with a packet that was paused. `fields`: pipeline fields that it has by now. */
  resume(inPort: number, frame: Uint8Array, fields: Match, continuation: Uint8Array): OfError | undefined {
    if (!this.#isIngress(inPort)) return badRequest(OFPBRC.BAD_PORT);
    if (frame.length < FRAME_BYTES_MIN) return badRequest(OFPBRC.BAD_PACKET);
    const writer = new RecordWriter(256);
    // Open vSwitch's tools say a register as half of a wider one.
    const wrong = writePipelineFields(writer, fields, true);
    if (wrong !== undefined) return wrong;
    return this.#run(inPort, writer.take(), frame, OF13, continuation);
  }

  #isIngress(port: number): boolean {
    // ANY is what ovs-ofctl says for a packet that came in nowhere.
    return port === ReservedPort.controller || port === ReservedPort.any || this.#ports.has(port);
  }

  #take(bufferId: number): BufferedPacket | OfError {
    const packet = this.#buffers.take(bufferId);
    if (packet === 'empty') return badRequest(OFPBRC.BUFFER_EMPTY);
    return packet === 'unknown' ? badRequest(OFPBRC.BUFFER_UNKNOWN) : packet;
  }

  #run(
    inPort: number,
    actions: Uint8Array,
    frame: Uint8Array,
    version: number,
    continuation?: Uint8Array,
  ): OfError | undefined {
    const writer = new RecordWriter(frame.length + actions.length + 64);
    const from = inPort === ReservedPort.any ? ReservedPort.controller : inPort;
    const paused = continuation === undefined ? {} : { continuation };
    writePacketOut(writer, { inPort: from, actions, frame, ...paused });
    const status = this.#datapath.packetOut(writer.view());
    return status === Status.ok ? undefined : packetOutError(status, version);
  }
}

function referencesOf(actions: readonly Action[], version: number): readonly Reference[] {
  return actions.flatMap((action): readonly Reference[] => {
    switch (action.type) {
      case 'group':
      case 'nx_group':
        return [{ kind: 'group', id: action.groupId, unknown: packetOutError(Status.unknownGroup, version) }];
      case 'meter':
        return [{ kind: 'meter', id: action.meterId, unknown: packetOutError(Status.unknownMeter, version) }];
      case 'nx_clone':
        return referencesOf(action.actions, version);
      default:
        return [];
    }
  });
}

/** `match`: pipeline fields that the packet has from the start (1.5.1 §7.3.6). */
function encode(actions: readonly Action[], match: Match, inPort: number): Uint8Array | OfError {
  const writer = new RecordWriter(256);
  const isFixed = ({ field }: { readonly field: string | number }) => field in FIXED;
  const brought = match.filter((tlv) => !isFixed(tlv));
  const other = match.filter(isFixed).some((tlv) => numberOf((tlv as OxmKnown).value) !== FIXED[tlv.field]!(inPort));
  const wrong = other ? badMatch(OFPBMC.BAD_VALUE) : writePipelineFields(writer, brought);
  if (wrong !== undefined) return wrong;
  const list = brought.length === 0 ? actions : actions.map((action) => (isToTable(action) ? throughTables : action));
  return writeActions(writer, list, { known: new HeadersKnown(undefined), packetOut: true }) ?? writer.take();
}

const isToTable = (action: Action): boolean => action.type === 'output' && action.port === ReservedPort.table;

/**
 * Pipeline fields with the one value that they can have: no port stands on another, packets are Ethernet, and what begins
 * has an empty action set.
 */
const FIXED: Readonly<Record<string, (inPort: number) => number>> = {
  in_phy_port: (inPort) => inPort,
  packet_type: () => 0,
  actset_output: () => ReservedPort.unset,
};

function writePipelineFields(writer: RecordWriter, match: Match, masks = false): OfError | undefined {
  for (const tlv of match) {
    const id = fieldIds.get(tlv.field);
    const isPipeline = id !== undefined && /^(metadata|tunnel_id|x*reg\d+)$/.test(fields[id]!.name);
    if (!isPipeline) return neutralPair('OFPBRC_PIPELINE_FIELDS_ONLY');
    const known = tlv as OxmKnown;
    if (known.mask !== undefined && !masks) return badMatch(OFPBMC.BAD_MASK);
    writeAction(writer, maskedRecord(known) ?? loadRegister(known));
  }
  return undefined;
}
