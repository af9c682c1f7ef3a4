/** Packet-outs, and flow_mods that name a buffered packet (OpenFlow 1.3.5 §7.3.7, §7.3.4.1). */
import { type Action, of13, type PacketOut } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { RecordWriter, writePacketOut } from '../datapath/records.js';
import { ReservedPort, Status } from '../datapath/schema.gen.js';
import { HeadersKnown } from './headers-known.js';
import { FRAME_BYTES_MIN } from './limits.js';
import { badRequest, type OfError, packetOutError } from './of-error.js';
import type { BufferedPacket, PacketBuffers } from './packet-buffers.js';
import type { PortTable } from './port-table.js';
import { writeActions } from './translate-actions.js';
import { OF13 } from './versions.js';

const { OFP_NO_BUFFER, OFPBRC } = of13;
const toTable: readonly Action[] = [{ type: 'output', port: ReservedPort.table, maxLen: 0 }];

export class PacketOuts {
  readonly #datapath: Datapath;
  readonly #buffers: PacketBuffers;
  readonly #ports: PortTable;

  constructor(datapath: Datapath, buffers: PacketBuffers, ports: PortTable) {
    this.#datapath = datapath;
    this.#buffers = buffers;
    this.#ports = ports;
  }

  /** Carries one out; returns why it was refused. */
  send(message: PacketOut): OfError | undefined {
    const { inPort, actions } = message;
    if (!this.#isIngress(inPort)) return badRequest(OFPBRC.BAD_PORT);
    // The actions first: a packet-out that is refused leaves its buffer as it is.
    const records = encode(actions);
    if ('code' in records) return records;
    const packet = message.bufferId === OFP_NO_BUFFER ? message.data : this.#take(message.bufferId);
    if ('code' in packet) return packet;
    const frame = packet instanceof Uint8Array ? packet : packet.frame;
    if (frame.length < FRAME_BYTES_MIN) return badRequest(OFPBRC.BAD_PACKET);
    return this.#run(inPort, records, frame, message.version);
  }

  /** The packet that a flow_mod names goes through the tables from the start. */
  release(bufferId: number): OfError | undefined {
    const packet = this.#take(bufferId);
    const records = encode(toTable);
    if ('code' in packet) return packet;
    return 'code' in records ? records : this.#run(packet.inPort, records, packet.frame, OF13);
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

  #run(inPort: number, actions: Uint8Array, frame: Uint8Array, version: number): OfError | undefined {
    const writer = new RecordWriter(frame.length + actions.length + 64);
    writePacketOut(writer, { inPort: inPort === ReservedPort.any ? ReservedPort.controller : inPort, actions, frame });
    const status = this.#datapath.packetOut(writer.view());
    return status === Status.ok ? undefined : packetOutError(status, version);
  }
}

function encode(actions: readonly Action[]): Uint8Array | OfError {
  const writer = new RecordWriter(256);
  return writeActions(writer, actions, { known: new HeadersKnown(undefined), packetOut: true }) ?? writer.take();
}
