/** A switch in memory: the reference datapath with OpenFlow on top. Flows in, a frame in, frames out. */
import type { Message, Outgoing } from 'node-openflow';
import type { PortNo } from '../datapath/datapath.js';
import { ModelDatapath } from '../datapath/model.js';
import { decodeFlowAnswers, encodeQuery } from '../datapath/records.js';
import { controllerMaxLenNoBuffer, portsMax, Query, ReservedPort } from '../datapath/schema.gen.js';
import type { Carried, TraceSink } from '../datapath/trace-steps.js';
import type { PacketInEvent } from '../ofproto/async-events.js';
import { plainFormat } from '../ofproto/flow-formats.js';
import { type ControllerView, Ofproto } from '../ofproto/index.js';

const VERSION_13 = 4;
/** Of all ports; a port_mod wants to know it. */
export const PORT_MAC = '02:00:00:00:00:01';

/** What a switch says to a message that it does not take. */
export interface Refusal {
  readonly errorType: number;
  readonly errorCode: number;
}

export interface Sent {
  readonly outputs: readonly { readonly port: number; readonly frame: Uint8Array }[];
  /** Frames that went to the controller. */
  readonly packetIns: readonly Uint8Array[];
  /** Cookies of the flows that it met, in the order of tables. */
  readonly met: readonly bigint[];
}

/** As much as the action asked for. */
function cut({ frame, maxLen = 0 }: PacketInEvent): Uint8Array {
  return maxLen === controllerMaxLenNoBuffer ? frame : frame.slice(0, maxLen);
}

export class Simulator {
  readonly #datapath = new ModelDatapath(() => 0n);
  readonly #ofproto: Ofproto;
  readonly #ports = new Set<number>();
  #outputs: { port: number; frame: Uint8Array }[] = [];
  #packetIns: Uint8Array[] = [];
  #refusal: Refusal | undefined;
  readonly #view: ControllerView = {
    version: VERSION_13,
    flowFormat: plainFormat,
    auxiliaryId: 0,
    config: { missSendLen: 0, invalidTtl: false },
    gone: false,
    send: (message: Outgoing) => {
      if (message.type === 'error') this.#refusal = { errorType: message.errorType, errorCode: message.errorCode };
    },
    sendRaw: () => true,
    drained: () => Promise.resolve(),
    abandon: () => undefined,
  };

  constructor() {
    this.#ofproto = new Ofproto({
      datapath: this.#datapath,
      datapathId: 1n,
      description: { manufacturer: '', hardware: '', software: '', serial: '', datapath: 'simulator' },
      onPortOutput: (port, frame) => this.#outputs.push({ port, frame: frame.slice() }),
    });
    this.#ofproto.onAsync((event) => {
      if (event.type === 'packet_in') this.#packetIns.push(cut(event));
    });
    this.#ofproto.controllersChanged(true);
  }

  /** False: there cannot be a port of this number. Ports that are there stay. `stopped`: nothing passes it. */
  attach(port: number, stopped = false): boolean {
    if (this.#ports.has(port)) return true;
    if (port !== ReservedPort.local && (port < 1 || port >= portsMax)) return false;
    this.#datapath.portAttach(port as PortNo, { kind: 'capture' }, { disabled: stopped });
    this.#ofproto.portAdded({ number: port, name: `p${port}`, mac: PORT_MAC });
    this.#ports.add(port);
    return true;
  }

  /** Carries out a message; what the switch has against it. */
  take(message: Outgoing): Refusal | undefined {
    this.#refusal = undefined;
    void this.#ofproto.handle(this.#view, { ...message, version: VERSION_13, xid: 1 } as Message);
    this.#ofproto.barrier();
    return this.#refusal;
  }

  /** A frame comes in. */
  send(port: number, frame: Uint8Array): Sent {
    this.#outputs = [];
    this.#packetIns = [];
    const before = this.#packets();
    this.#datapath.inject(port as PortNo, frame);
    const met = [...this.#packets()].filter(([key, { count }]) => count > (before.get(key)?.count ?? 0n));
    return { outputs: this.#outputs, packetIns: this.#packetIns, met: met.map(([, { cookie }]) => cookie) };
  }

  /** A frame comes in; what it meets. Packets before it have been learned from. */
  trace(port: number, frame: Uint8Array, sink: TraceSink, carried: Carried = []): void {
    this.#datapath.follow(port as PortNo, frame, sink, carried);
  }

  /** Packets of each flow. */
  #packets(): Map<string, { readonly cookie: bigint; readonly count: bigint }> {
    const found = new Map<string, { cookie: bigint; count: bigint }>();
    let query: Uint8Array | undefined = encodeQuery({ query: Query.flows });
    while (query !== undefined) {
      const part: { readonly data: Uint8Array; readonly next: Uint8Array | undefined } = this.#datapath.read(query);
      for (const { table, priority, match, cookie, packets } of decodeFlowAnswers(part.data)) {
        found.set(`${table} ${priority} ${Buffer.from(match).toString('latin1')}`, { cookie, count: packets });
      }
      query = part.next;
    }
    return found;
  }

  close(): void {
    this.#ofproto.close();
    this.#datapath.close();
  }
}
