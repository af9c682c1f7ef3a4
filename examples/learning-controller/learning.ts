/**
 * What a learning switch answers to what a switch says: no sockets, no clock. One object per connection.
 *
 * A packet that comes up teaches where its source is. Once the destination is known too, a flow for exactly this pair
 * and port keeps the packets that follow in the switch; it goes when the pair has been silent for a while.
 */
import { type FlowMod, type Message, match, type Outgoing, of13, type PacketIn, type PortStatus } from 'node-openflow';
import { Places } from './places.js';

const PRIORITY_MISS = 0;
const PRIORITY_PAIR = 10;
const TABLE = 0;

const ETHERNET_HEADER_BYTES = 14;
const ETHERTYPE_LLDP = 0x88cc;

export interface LearningOptions {
  /** Seconds without a packet after which a flow goes. */
  readonly idleTimeout: number;
}

const flowModDefaults = {
  type: 'flow_mod',
  cookie: 0n,
  cookieMask: 0n,
  tableId: TABLE,
  idleTimeout: 0,
  hardTimeout: 0,
  priority: 0,
  bufferId: of13.OFP_NO_BUFFER,
  outPort: of13.OFPP.ANY,
  outGroup: of13.OFPG.ANY,
  flags: 0,
  match: [],
  instructions: [],
} as const satisfies Omit<Outgoing<FlowMod>, 'command'>;

function outputTo(port: number) {
  return { type: 'output', port, maxLen: of13.OFPCML.NO_BUFFER } as const;
}

function macText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The first bit on the wire says that an address is one of a group. */
function isGroup(mac: Uint8Array): boolean {
  return (mac[0]! & 1) === 1;
}

function inPortOf({ match: fields }: PacketIn): number | undefined {
  for (const tlv of fields) {
    if (tlv.field === 'in_port') return new DataView(tlv.value.buffer, tlv.value.byteOffset).getUint32(0);
  }
  return undefined;
}

export class LearningSwitch {
  readonly #options: LearningOptions;
  readonly #places = new Places();

  constructor(options: LearningOptions) {
    this.#options = options;
  }

  /** After the hello: an empty table, but for the entry that sends up what matches nothing. */
  connected(): readonly Outgoing[] {
    return [
      { ...flowModDefaults, command: of13.OFPFC.DELETE, tableId: of13.OFPTT.ALL },
      {
        ...flowModDefaults,
        command: of13.OFPFC.ADD,
        priority: PRIORITY_MISS,
        instructions: [{ type: 'apply_actions', actions: [outputTo(of13.OFPP.CONTROLLER)] }],
      },
    ];
  }

  received(message: Message): readonly Outgoing[] {
    switch (message.type) {
      case 'packet_in':
        return this.#packetIn(message);
      case 'port_status':
        return this.#portStatus(message);
      default:
        return [];
    }
  }

  #packetIn(message: PacketIn): readonly Outgoing[] {
    const { data } = message;
    const inPort = inPortOf(message);
    if (inPort === undefined || data.length < ETHERNET_HEADER_BYTES) return [];
    const [destination, source] = [data.subarray(0, 6), data.subarray(6, 12)];
    if (((data[12]! << 8) | data[13]!) === ETHERTYPE_LLDP) return [];

    const sourceText = macText(source);
    const learned = isGroup(source) ? 'known' : this.#places.learn(sourceText, inPort);
    const stale = learned === 'moved' ? [this.#forget(sourceText)] : [];
    const outPort = isGroup(destination) ? undefined : this.#places.find(macText(destination));
    if (outPort === undefined) return [...stale, this.#packetOut(message, inPort, of13.OFPP.FLOOD)];
    // A hub behind the port: the destination has heard it already.
    if (outPort === inPort) return stale;
    return [...stale, ...this.#pair(message, inPort, outPort)];
  }

  /** A buffered packet is released by the flow_mod itself (OpenFlow 1.3.5 §6.4). */
  #pair(message: PacketIn, inPort: number, outPort: number): readonly Outgoing[] {
    const { data, bufferId } = message;
    const flow: Outgoing<FlowMod> = {
      ...flowModDefaults,
      command: of13.OFPFC.ADD,
      priority: PRIORITY_PAIR,
      idleTimeout: this.#options.idleTimeout,
      bufferId,
      match: match({ in_port: inPort, eth_dst: data.slice(0, 6), eth_src: data.slice(6, 12) }),
      instructions: [{ type: 'apply_actions', actions: [outputTo(outPort)] }],
    };
    return bufferId === of13.OFP_NO_BUFFER ? [flow, this.#packetOut(message, inPort, outPort)] : [flow];
  }

  #packetOut({ bufferId, data }: PacketIn, inPort: number, outPort: number): Outgoing {
    return {
      type: 'packet_out',
      bufferId,
      inPort,
      actions: [outputTo(outPort)],
      data: bufferId === of13.OFP_NO_BUFFER ? data : new Uint8Array(0),
    };
  }

  #portStatus({ reason, port }: PortStatus): readonly Outgoing[] {
    if (reason !== of13.OFPPR.DELETE) return [];
    return this.#places.forgetPort(port.portNo).map((mac) => this.#forget(mac));
  }

  /** Removes the flows that lead to a station where it is no longer. */
  #forget(mac: string): Outgoing {
    return { ...flowModDefaults, command: of13.OFPFC.DELETE, match: match({ eth_dst: mac }) };
  }
}
