/** A packet's way through the tables of the model (OpenFlow 1.3.5 §5.1 to §5.12). */
import { edit, remarkDscp } from './model-edit.js';
import { countFlow, type Flow, isTableMiss } from './model-flows.js';
import { type Bucket, executable, type Group, mergeActionSet } from './model-groups.js';
import { admits } from './model-guard.js';
import { normal } from './model-normal.js';
import { ModelPacket } from './model-place.js';
import type { ModelPort } from './model-ports.js';
import { selected } from './model-select.js';
import type { ModelState } from './model-state.js';
import type { ActionRecord } from './records-action.js';
import {
  controllerMaxLenNoBuffer,
  Drop,
  Frag,
  FragMode,
  GroupType,
  MeterBandType,
  PacketInReason,
  PortConfig,
  ReservedPort,
} from './schema.gen.js';

/** kGroupDepthMax and kClonesMax of native/base/limits.h. */
const GROUP_DEPTH_MAX = 8;
const CLONES_MAX = 512;
const NO_COOKIE = 0xffffffffffffffffn;
/** OFPM_CONTROLLER: the meter that packet-ins pass. */
const METER_CONTROLLER = 0xfffffffe;
/** Frames leave padded to the shortest Ethernet frame (without its checksum). */
const FRAME_BYTES_MIN = 60;

/** On whose behalf actions run. */
interface Origin {
  readonly flow: Flow | undefined;
  readonly table: number;
  readonly groupDepth: number;
  /** Output to TABLE is for packet-outs only. */
  readonly packetOut: boolean;
  /** Shared by all copies of one received packet. */
  readonly budget: { copies: number };
}

/** Whether the packet goes on after an action. */
type Outcome = 'go_on' | 'gone';

export class Pipeline {
  readonly #state: ModelState;
  readonly #output: (port: number, frame: Uint8Array) => void;

  constructor(state: ModelState, output: (port: number, frame: Uint8Array) => void) {
    this.#state = state;
    this.#output = output;
  }

  /** A frame came in at a port. */
  receive(portNumber: number, frame: Uint8Array): void {
    const port = this.#state.ports.get(portNumber);
    if (port === undefined) return;
    port.rx.packets++;
    port.rx.bytes += BigInt(frame.length);
    if (port.stopped) {
      port.dropRx(Drop.portDown);
      return;
    }
    if ((port.config & PortConfig.noRecv) !== 0) {
      port.dropRx(Drop.noRecv);
      return;
    }
    const packet = new ModelPacket(frame, portNumber);
    if (port.settings.sources !== undefined && !admits(port.settings.sources, packet)) {
      port.dropRx(Drop.spoofed);
      return;
    }
    this.#run(packet, { copies: 0 });
  }

  /** A packet-out: its actions, then nothing (§7.3.7). */
  packetOut(inPort: number, frame: Uint8Array, actions: readonly ActionRecord[]): void {
    const packet = new ModelPacket(frame, inPort);
    const origin = { flow: undefined, table: 0, groupDepth: 0, packetOut: true, budget: { copies: 0 } };
    this.#perform(packet, actions, origin);
  }

  #drop(packet: ModelPacket, reason: number): void {
    this.#state.ports.get(packet.inPort)?.dropRx(reason);
  }

  /** All tables from table 0, then the action set. */
  #run(packet: ModelPacket, budget: { copies: number }): void {
    const { flows, fragMode } = this.#state;
    if (fragMode === FragMode.drop && packet.parsed.frag !== Frag.none) {
      this.#drop(packet, Drop.frag);
      return;
    }
    let set: readonly ActionRecord[] = [];
    let next: number | undefined = 0;
    let origin: Origin = { flow: undefined, table: 0, groupDepth: 0, packetOut: false, budget };
    while (next !== undefined) {
      const table: number = next;
      const flow = flows.lookup(table, (id) => packet.field(id));
      if (flow === undefined) {
        const missed = { ...origin, flow: undefined, table };
        if (this.#state.missesToController) {
          this.#packetIn(packet, PacketInReason.noMatch, controllerMaxLenNoBuffer, missed);
        } else {
          this.#drop(packet, Drop.tableMiss);
        }
        return;
      }
      countFlow(flow, packet.frame.length, this.#state.nowNs());
      origin = { ...origin, flow, table };
      next = undefined;
      for (const instruction of flow.instructions) {
        if (instruction.kind === 'meter') {
          if (!this.#meter(packet, instruction.meter)) return;
        } else if (instruction.kind === 'apply' || instruction.kind === 'write') {
          if (instruction.kind === 'write') set = mergeActionSet(set, instruction.actions);
          else if (this.#perform(packet, instruction.actions, origin) === 'gone') return;
        } else if (instruction.kind === 'clear') {
          set = [];
        } else if (instruction.kind === 'metadata') {
          packet.metadata = (packet.metadata & ~instruction.mask) | (instruction.value & instruction.mask);
        } else {
          next = instruction.table;
        }
      }
    }
    if (set.length === 0) this.#drop(packet, Drop.noOutput);
    else this.#perform(packet, executable(set), origin);
  }

  /** False when the meter drops the packet. */
  #meter(packet: ModelPacket, id: number): boolean {
    const meter = this.#state.meters.get(id);
    if (meter === undefined) return true;
    const band = this.#state.meters.pass(meter, packet.frame.length, this.#state.nowNs());
    if (band?.record.type === MeterBandType.drop) {
      this.#drop(packet, Drop.meter);
      return false;
    }
    if (band?.record.type === MeterBandType.dscpRemark) remarkDscp(packet, band.record.precLevel);
    return true;
  }

  #perform(packet: ModelPacket, actions: readonly ActionRecord[], origin: Origin): Outcome {
    for (const action of actions) {
      if (action.kind === 'output') this.#outputAction(packet, action.port, action.maxLen, origin);
      else if (action.kind === 'group') this.#group(packet, action.group, origin);
      else {
        const verdict = edit(packet, action);
        if (verdict === 'no_room') {
          this.#drop(packet, Drop.noRoom);
          return 'gone';
        }
        if (verdict === 'invalid_ttl') {
          this.#drop(packet, Drop.ttl);
          this.#packetIn(packet, PacketInReason.invalidTtl, controllerMaxLenNoBuffer, origin);
          return 'gone';
        }
      }
    }
    return 'go_on';
  }

  #outputAction(packet: ModelPacket, port: number, maxLen: number, origin: Origin): void {
    switch (port) {
      case ReservedPort.controller: {
        const miss = origin.flow !== undefined && isTableMiss(origin.flow) && origin.groupDepth === 0;
        this.#packetIn(packet, miss ? PacketInReason.noMatch : PacketInReason.action, maxLen, origin);
        return;
      }
      case ReservedPort.table:
        if (origin.packetOut && ++origin.budget.copies <= CLONES_MAX) this.#run(packet.clone(), origin.budget);
        return;
      case ReservedPort.inPort:
        this.#send(packet, packet.inPort, origin);
        return;
      case ReservedPort.all:
      case ReservedPort.flood:
        this.#flood(packet, origin);
        return;
      case ReservedPort.normal:
        normal(this.#state, packet, {
          floodPorts: () => this.#floodPorts(packet),
          send: (changed, to) => this.#send(changed, to, origin),
          drop: (reason) => this.#drop(packet, reason),
        });
        return;
      default:
        if (port === packet.inPort) {
          this.#drop(packet, Drop.loop);
          return;
        }
        this.#send(packet, port, origin);
        return;
    }
  }

  /** Out of one port, be it the one it came in at. */
  #send(packet: ModelPacket, portNumber: number, origin: Origin): void {
    const port = this.#state.ports.get(portNumber);
    if (port === undefined) {
      this.#drop(packet, Drop.noPort);
      return;
    }
    if (++origin.budget.copies > CLONES_MAX) {
      this.#drop(packet, Drop.noRoom);
      return;
    }
    if (port.stopped) {
      port.dropTx(Drop.portDown);
      return;
    }
    if ((port.config & PortConfig.noFwd) !== 0) {
      port.dropTx(Drop.noFwd);
      return;
    }
    const frame = new Uint8Array(Math.max(FRAME_BYTES_MIN, packet.frame.length));
    frame.set(packet.frame);
    port.tx.packets++;
    port.tx.bytes += BigInt(packet.frame.length);
    if (port.kind === 'capture') this.#output(portNumber, frame);
  }

  #flood(packet: ModelPacket, origin: Origin): void {
    for (const port of this.#floodPorts(packet)) this.#send(packet, port.number, origin);
  }

  #floodPorts(packet: ModelPacket): ModelPort[] {
    return this.#state.ports.all().filter((port) => {
      const forwards = !port.stopped && (port.config & PortConfig.noFwd) === 0;
      return port.number !== packet.inPort && forwards;
    });
  }

  #group(packet: ModelPacket, id: number, origin: Origin): void {
    const group = this.#state.groups.get(id);
    if (group === undefined || group.buckets.length === 0) {
      this.#drop(packet, Drop.groupNoBucket);
      return;
    }
    if (origin.groupDepth >= GROUP_DEPTH_MAX) {
      this.#drop(packet, Drop.groupDepth);
      return;
    }
    group.packets++;
    group.bytes += BigInt(packet.frame.length);
    const buckets = this.#chosen(group, packet);
    if (buckets.length === 0) {
      this.#drop(packet, Drop.groupNoBucket);
      return;
    }
    for (const bucket of buckets) {
      if (++origin.budget.copies > CLONES_MAX) {
        this.#drop(packet, Drop.noRoom);
        return;
      }
      bucket.packets++;
      bucket.bytes += BigInt(packet.frame.length);
      this.#perform(packet.clone(), bucket.actions, { ...origin, groupDepth: origin.groupDepth + 1 });
    }
  }

  #chosen(group: Group, packet: ModelPacket): readonly Bucket[] {
    const { groups, ports } = this.#state;
    const live = group.buckets.filter((b) => groups.isLive(b, (port) => ports.get(port)?.live ?? false));
    switch (group.type) {
      case GroupType.select:
        return selected(live, packet);
      case GroupType.ff:
        return live.slice(0, 1);
      default:
        return group.buckets;
    }
  }

  #packetIn(packet: ModelPacket, reason: number, maxLen: number, origin: Origin): void {
    const port = this.#state.ports.get(packet.inPort);
    if (port !== undefined && (port.config & PortConfig.noPacketIn) !== 0) return;
    if (!this.#state.controllerConnected) {
      this.#drop(packet, Drop.upcallFull);
      return;
    }
    if (!this.#meter(packet, METER_CONTROLLER)) return;
    this.#state.upcall({
      kind: 'packet_in',
      reason,
      table: origin.table,
      cookie: origin.flow?.cookie ?? NO_COOKIE,
      inPort: packet.inPort,
      maxLen,
      frameTotal: packet.frame.length,
      metadata: packet.metadata,
      tunnelId: packet.tunnelId,
      inPhyPort: packet.inPort,
      frame: packet.frame.slice(),
    });
  }
}
