/** A packet's way through the tables of the model (OpenFlow 1.3.5 §5.1 to §5.12). */
import { edit, remarkDscp } from './model-edit.js';
import { countFlow, type Flow } from './model-flows.js';
import { executable, mergeActionSet } from './model-groups.js';
import { admits } from './model-guard.js';
import {
  type ControllerData,
  type Journey,
  newJourney,
  noData,
  type Origin,
  type Outcome,
  outputReason,
} from './model-journey.js';
import { learnFlow, learnFrom, learnVerdict, shorten, withoutOrphans } from './model-learn.js';
import {
  CLONES_MAX,
  FRAME_BYTES_MIN,
  GROUP_DEPTH_MAX,
  RESUBMIT_DEPTH_MAX,
  RESUBMITS_MAX,
  STACK_MAX,
} from './model-limits.js';
import { decrementTtl, portOf, readSubfield, writeSubfield } from './model-nicira.js';
import { normal } from './model-normal.js';
import { fieldId } from './model-packet.js';
import { packetInRecord } from './model-packet-in.js';
import { ModelPacket } from './model-place.js';
import type { ModelPort } from './model-ports.js';
import { chosenBuckets, countSample, flowHash } from './model-select.js';
import type { ModelState } from './model-state.js';
import { bucketStep, depthOf, groupStep, traced } from './model-trace.js';
import { nearestMiss } from './nearest-miss.js';
import type { ActionRecord } from './records-action.js';
import type { LearnRecord } from './records-learn.js';
import { isNicira, type NiciraActionRecord } from './records-nicira.js';
import {
  allTables,
  controllerMaxLenNoBuffer,
  Drop,
  Frag,
  FragMode,
  LearnVerdict,
  LocalAgent,
  localController,
  MeterBandType,
  meterController,
  noMeter,
  PacketInReason,
  PortConfig,
  ReservedPort,
  TableMiss,
  tables,
} from './schema.gen.js';

const FIN_OR_RESET = 1 | 4;
const ACTIVE_BACKUP = 0; // NX_BD_ALG_ACTIVE_BACKUP
const NO_PORT_16 = 0xffff; // OFPP_NONE of OpenFlow 1.0
const agents: ReadonlySet<number | undefined> = new Set(Object.values(LocalAgent));
const SPANNING_TREE_MAC = 0x0180c2000000n;

export class Pipeline {
  readonly #state: ModelState;
  readonly #output: (port: number, frame: Uint8Array) => void;
  /** What packets ask to be done with flows. */
  readonly #afterwards: (() => void)[] = [];

  constructor(state: ModelState, output: (port: number, frame: Uint8Array) => void) {
    this.#state = state;
    this.#output = output;
  }

  /** A frame came in at a port. */
  receive(portNumber: number, frame: Uint8Array, carried: readonly { field: number; value: bigint }[] = []): void {
    const port = this.#state.ports.get(portNumber);
    if (port === undefined) return;
    port.rx.packets++;
    port.rx.bytes += BigInt(frame.length);
    const packet = new ModelPacket(frame, portNumber);
    if (port.stopped) {
      this.#drop(packet, Drop.portDown);
      return;
    }
    const spanningTree = packet.field(fieldId.eth_dst) === SPANNING_TREE_MAC;
    if ((port.config & (spanningTree ? PortConfig.noRecvStp : PortConfig.noRecv)) !== 0) {
      this.#drop(packet, Drop.noRecv);
      return;
    }
    if (port.settings.sources !== undefined && !admits(port.settings.sources, packet)) {
      this.#drop(packet, Drop.spoofed);
      return;
    }
    for (const { field, value } of carried) packet.carry(field, value);
    this.#run(packet, { copies: 0 });
    this.#carryOutAfterwards();
  }

  /** A packet-out: its actions, then nothing (§7.3.7). */
  packetOut(inPort: number, frame: Uint8Array, actions: readonly ActionRecord[]): void {
    const packet = new ModelPacket(frame, inPort);
    const journey = newJourney({ copies: 0 });
    const origin = { flow: undefined, table: 0, groupDepth: 0, packetOut: true, egress: false, journey };
    if (this.#perform(packet, actions, origin) !== 'gone') this.#performSet(packet, origin);
    this.#carryOutAfterwards();
  }

  #drop(packet: ModelPacket, reason: number): void {
    this.#state.trace?.({ kind: 'drop', reason, port: undefined });
    this.#state.ports.get(packet.inPort)?.dropRx(reason);
  }

  /** All tables from table 0, then the action set. */
  #run(packet: ModelPacket, budget: { copies: number }): void {
    if (this.#state.fragMode === FragMode.drop && packet.parsed.frag !== Frag.none) {
      this.#drop(packet, Drop.frag);
      return;
    }
    const journey = newJourney(budget);
    const origin: Origin = { flow: undefined, table: 0, groupDepth: 0, packetOut: false, egress: false, journey };
    const end = this.#tables(packet, 0, undefined, origin);
    if (end === undefined) this.#drop(packet, Drop.tableMiss);
    else if (end !== 'gone') this.#performSet(packet, end);
  }

  #lookup(packet: ModelPacket, table: number, origin: Origin): Flow | undefined {
    const { flows, trace } = this.#state;
    const flow = flows.lookup(table, (id) => packet.field(id));
    if (trace !== undefined) {
      const nearest = nearestMiss(flows.table(table).flows, flow, packet);
      trace({ kind: 'table', depth: depthOf(origin), table, egress: origin.egress, flow, nearest });
    }
    return flow;
  }

  /** No flow of the table matched: the table to go on with, or the end. */
  #miss(packet: ModelPacket, table: number, origin: Origin): number | 'gone' | undefined {
    const { miss } = this.#state.tables.of(table);
    if (miss === TableMiss.continue) return table + 1 < tables ? table + 1 : undefined;
    if (miss === TableMiss.drop || !this.#state.missesToController) return undefined;
    const missed = { ...origin, flow: undefined, table };
    this.#packetIn(packet, PacketInReason.noMatch, controllerMaxLenNoBuffer, missed);
    return 'gone';
  }

  /**
   * From one table on to the end of the pipeline, without the action set. Where the packet got to; undefined: no flow
   * matched. `asPort`: the ingress port that the first look-up sees, where it is not the packet's own.
   */
  #tables(packet: ModelPacket, first: number, asPort: number | undefined, from: Origin): Origin | 'gone' | undefined {
    const { journey } = from;
    let next: number | undefined = first;
    let seenPort = asPort;
    let origin = from;
    while (next !== undefined) {
      const table: number = next;
      if (journey.depth > 0 && ++journey.resubmits > RESUBMITS_MAX) {
        this.#drop(packet, Drop.resubmitLimit);
        return 'gone';
      }
      const real = packet.seenPort;
      packet.seenPort = seenPort ?? real;
      const flow = this.#lookup(packet, table, origin);
      packet.seenPort = real;
      seenPort = undefined;
      if (flow === undefined) {
        const end = journey.depth > 0 ? undefined : this.#miss(packet, table, origin);
        if (typeof end !== 'number') return end;
        next = end;
        continue;
      }
      origin = { ...origin, flow, table };
      const step = this.#carryOut(packet, flow, origin);
      if (step === 'gone') return 'gone';
      next = step === 'exited' ? undefined : step;
    }
    return origin;
  }

  /** What a flow does: the table it leads to, if any. */
  #carryOut(packet: ModelPacket, flow: Flow, origin: Origin): number | 'gone' | 'exited' | undefined {
    const { journey } = origin;
    countFlow(flow, packet.frame.length, this.#state.nowNs());
    let next: number | undefined;
    for (const instruction of flow.instructions) {
      if (instruction.kind !== 'apply')
        this.#state.trace?.({ kind: 'instruction', depth: depthOf(origin), instruction });
      if (instruction.kind === 'meter') {
        if (!this.#meter(packet, instruction.meter)) return 'gone';
      } else if (instruction.kind === 'apply') {
        if (this.#perform(packet, instruction.actions, origin) === 'gone') return 'gone';
        if (journey.exited) return 'exited';
      } else if (instruction.kind === 'write') {
        if (!journey.setDone) this.#setTo(packet, journey, mergeActionSet(journey.set, instruction.actions));
      } else if (instruction.kind === 'clear') {
        if (!journey.setDone) this.#setTo(packet, journey, []);
      } else if (instruction.kind === 'metadata') {
        packet.metadata = (packet.metadata & ~instruction.mask) | (instruction.value & instruction.mask);
      } else if (instruction.kind === 'goto') {
        next = instruction.table;
      }
    }
    return next;
  }

  /**
   * The tables that what leaves by a port passes (1.5.1 §5.1): they change or stop it, but do not lead it elsewhere. The
   * output to the port is part of the action set, so that clearing it stops the packet.
   */
  #leave(packet: ModelPacket, port: ModelPort, origin: Origin): void {
    const { journey } = origin;
    if (++journey.budget.copies > CLONES_MAX) {
      this.#drop(packet, Drop.noRoom);
      return;
    }
    const own = packet.clone();
    const before = { ...journey, stack: [...journey.stack] };
    Object.assign(journey, { set: [], setDone: false, exited: false, stack: [] });
    const leaves = this.#egress(own, port.number, { ...origin, egress: true });
    const { set, setDone, exited, stack } = before;
    Object.assign(journey, { set, setDone, exited, stack });
    if (leaves === 'stopped') this.#drop(own, Drop.noOutput);
    if (leaves === 'leaves') this.#deliver(own, port, origin);
  }

  #egress(packet: ModelPacket, port: number, from: Origin): 'leaves' | 'stopped' | 'gone' {
    const { journey } = from;
    let leaves = true;
    let origin = from;
    for (let next: number | undefined = this.#state.firstEgress; next !== undefined; ) {
      const table: number = next;
      packet.actsetOutput = leaves ? port : ReservedPort.unset;
      if (++journey.resubmits > RESUBMITS_MAX) {
        journey.resubmits = RESUBMITS_MAX;
        this.#drop(packet, Drop.resubmitLimit);
        return 'gone';
      }
      const flow = this.#lookup(packet, table, origin);
      if (flow === undefined) {
        this.#drop(packet, Drop.tableMiss);
        return 'gone';
      }
      origin = { ...origin, flow, table };
      const step = this.#carryOut(packet, flow, origin);
      if (step === 'gone') return 'gone';
      if (step === 'exited') break;
      if (flow.instructions.some(({ kind }) => kind === 'clear')) leaves = false;
      next = step;
    }
    return this.#performSet(packet, origin) === 'gone' ? 'gone' : leaves ? 'leaves' : 'stopped';
  }

  /** The action set is another; flows may match on where it outputs to (1.5.1 §7.2.3.8). */
  #setTo(packet: ModelPacket, journey: Journey, set: readonly ActionRecord[]): void {
    journey.set = set;
    const end = executable(set).find(({ kind }) => kind === 'output');
    packet.actsetOutput = end?.kind === 'output' ? end.port : ReservedPort.unset;
  }

  #performSet(packet: ModelPacket, origin: Origin): Outcome {
    const { journey } = origin;
    if (journey.setDone || journey.set.length === 0) return 'go_on';
    const actions = executable(journey.set);
    journey.setDone = true;
    journey.exited = false;
    this.#state.trace?.({ kind: 'action_set', depth: depthOf(origin) });
    return this.#perform(packet, actions, origin);
  }

  /** False when the meter drops the packet. */
  #meter(packet: ModelPacket, id: number): boolean {
    const meter = this.#state.meters.get(id);
    if (meter === undefined) return true;
    const band = this.#state.meters.pass(meter, packet.frame.length, this.#state.nowNs());
    this.#state.trace?.({ kind: 'meter', meter: id, band: band?.record.type });
    if (band?.record.type === MeterBandType.drop) {
      this.#drop(packet, Drop.meter);
      return false;
    }
    if (band?.record.type === MeterBandType.dscpRemark) remarkDscp(packet, band.record.precLevel);
    return true;
  }

  #perform(packet: ModelPacket, actions: readonly ActionRecord[], origin: Origin): Outcome {
    const { trace } = this.#state;
    for (const action of actions) {
      const act = () => this.#act(packet, action, origin);
      const outcome = trace === undefined ? act() : traced(trace, packet, action, depthOf(origin), act);
      if (outcome === 'gone') return 'gone';
      if (isNicira(action) && origin.journey.exited) return 'go_on';
    }
    return 'go_on';
  }

  #act(packet: ModelPacket, action: ActionRecord, origin: Origin): Outcome {
    if (action.kind === 'output') this.#outputAction(packet, action.port, action.maxLen, origin);
    else if (action.kind === 'group') this.#group(packet, action.group, origin);
    else if (action.kind === 'meter') return this.#meter(packet, action.meter) ? 'go_on' : 'gone';
    else if (isNicira(action)) return this.#nicira(packet, action, origin);
    else {
      const verdict = edit(packet, action);
      if (verdict === 'packet_type') return this.#giveUp(packet, Drop.packetType);
      if (verdict === 'no_room') return this.#giveUp(packet, Drop.noRoom);
      if (verdict === 'invalid_ttl') {
        this.#drop(packet, Drop.ttl);
        this.#packetIn(packet, PacketInReason.invalidTtl, controllerMaxLenNoBuffer, origin);
        return 'gone';
      }
    }
    return 'go_on';
  }

  #nicira(packet: ModelPacket, action: NiciraActionRecord, origin: Origin): Outcome {
    const { journey } = origin;
    switch (action.kind) {
      case 'load':
        writeSubfield(packet, action.to, action.value);
        return 'go_on';
      case 'move': {
        const value = readSubfield(packet, action.from);
        if (value !== undefined) writeSubfield(packet, action.to, value);
        return 'go_on';
      }
      case 'output_reg': {
        const value = readSubfield(packet, action.from);
        if (value !== undefined) this.#outputAction(packet, portOf(value), action.maxLen, origin);
        return 'go_on';
      }
      case 'stack_push':
        if (journey.stack.length >= STACK_MAX) return this.#giveUp(packet, Drop.stackFull);
        journey.stack.push(readSubfield(packet, action.from) ?? 0n);
        return 'go_on';
      case 'stack_pop': {
        const value = journey.stack.pop();
        if (value !== undefined) writeSubfield(packet, action.to, value);
        return 'go_on';
      }
      case 'check_pkt_larger':
        writeSubfield(packet, action.to, packet.own.length > action.bytes ? 1n : 0n);
        return 'go_on';
      case 'resubmit':
        return this.#resubmit(packet, action, origin);
      case 'clone':
        return this.#clone(packet, action.actions, origin);
      case 'exit':
        journey.exited = true;
        return 'go_on';
      case 'controller':
        this.#packetIn(packet, action.reason, action.maxLen, origin, action);
        // What pauses here does not come back.
        return action.pauses === true && !origin.egress ? 'gone' : 'go_on';
      case 'dec_nw_ttl_ids':
        if (decrementTtl(packet)) return 'go_on';
        this.#drop(packet, Drop.ttl);
        for (const id of action.ids) {
          const data = { ...noData, id };
          this.#packetIn(packet, PacketInReason.invalidTtl, controllerMaxLenNoBuffer, origin, data);
        }
        return 'gone';
      case 'output_trunc':
        this.#outputTruncated(packet, action.port, action.bytes, origin);
        return 'go_on';
      case 'sample':
        if (origin.flow !== undefined) countSample(this.#state, packet, action);
        return 'go_on';
      case 'fin_timeout':
        this.#finTimeout(packet, action, origin);
        return 'go_on';
      case 'learn':
        this.#learn(packet, action, origin);
        return 'go_on';
      case 'note':
      case 'conjunction':
        return 'go_on';
      case 'multipath':
        writeSubfield(packet, action.to, BigInt(flowHash(packet) % (action.maxLink + 1)));
        return 'go_on';
      case 'bundle': {
        const { ports } = this.#state;
        const live = action.members.filter((member) => ports.get(member)?.live);
        const member = live[action.algorithm === ACTIVE_BACKUP ? 0 : flowHash(packet) % live.length];
        if (action.to !== undefined) writeSubfield(packet, action.to, BigInt(member ?? NO_PORT_16));
        else if (member === undefined) this.#drop(packet, Drop.noPort);
        else this.#outputAction(packet, member, controllerMaxLenNoBuffer, origin);
        return 'go_on';
      }
    }
  }

  #outputTruncated(packet: ModelPacket, port: number, bytes: number, origin: Origin): void {
    const cut = packet.frame.length <= bytes ? packet : packet.clone();
    if (cut !== packet) cut.replace(packet.frame.slice(0, bytes));
    this.#outputAction(cut, port, controllerMaxLenNoBuffer, origin);
  }

  #finTimeout(packet: ModelPacket, { idle, hard }: { idle: number; hard: number }, { flow }: Origin): void {
    if (flow === undefined || (Number(packet.field(fieldId.tcp_flags)) & FIN_OR_RESET) === 0) return;
    this.#afterwards.push(() => shorten(this.#state, flow, idle, hard));
  }

  /** What is learned now counts for the packets that come later. */
  #learn(packet: ModelPacket, action: LearnRecord, origin: Origin): void {
    const learned = learnFrom(packet, action);
    const verdict = learnVerdict(this.#state, action, learned, origin.flow !== undefined);
    this.#state.trace?.({ kind: 'learn', verdict, flow: { ...action, ...learned } });
    if (verdict !== LearnVerdict.full) this.#afterwards.push(() => learnFlow(this.#state, action, learned));
    if (action.result !== undefined) writeSubfield(packet, action.result, verdict === LearnVerdict.full ? 0n : 1n);
  }

  #carryOutAfterwards(): void {
    if (this.#afterwards.length === 0) return;
    withoutOrphans(this.#state, () => {
      for (const change of this.#afterwards.splice(0)) change();
    });
  }

  #giveUp(packet: ModelPacket, reason: number): Outcome {
    this.#drop(packet, reason);
    return 'gone';
  }

  #resubmit(packet: ModelPacket, to: { readonly port: number; readonly table: number }, origin: Origin): Outcome {
    const { journey } = origin;
    if (journey.depth >= RESUBMIT_DEPTH_MAX) return this.#giveUp(packet, Drop.resubmitLimit);
    const table = to.table === allTables ? origin.table : to.table;
    journey.depth++;
    const end = this.#tables(packet, table, to.port === ReservedPort.inPort ? undefined : to.port, origin);
    journey.depth--;
    return end === 'gone' ? 'gone' : 'go_on';
  }

  /** On a copy; fields, stack and action set are as before when it is done. */
  #clone(packet: ModelPacket, actions: readonly ActionRecord[], origin: Origin): Outcome {
    const { journey } = origin;
    if (journey.depth >= RESUBMIT_DEPTH_MAX) return this.#giveUp(packet, Drop.resubmitLimit);
    if (++journey.budget.copies > CLONES_MAX) {
      this.#drop(packet, Drop.noRoom);
      return 'go_on';
    }
    const before = { set: journey.set, setDone: journey.setDone, stack: [...journey.stack], exited: false };
    const copy = packet.clone();
    journey.depth++;
    if (this.#perform(copy, actions, origin) !== 'gone') this.#performSet(copy, origin);
    journey.depth--;
    Object.assign(journey, before);
    return 'go_on';
  }

  #outputAction(packet: ModelPacket, port: number, maxLen: number, origin: Origin): void {
    switch (port) {
      case ReservedPort.controller:
        this.#packetIn(packet, outputReason(origin), maxLen, origin);
        return;
      case ReservedPort.table:
        if (origin.packetOut && ++origin.journey.budget.copies <= CLONES_MAX) {
          this.#run(packet.anew(), origin.journey.budget);
        }
        return;
      case ReservedPort.inPort:
        this.#send(packet, packet.seenPort, origin);
        return;
      case ReservedPort.all:
        this.#flood(packet, origin, 0);
        return;
      case ReservedPort.flood:
        this.#flood(packet, origin, PortConfig.noFlood);
        return;
      case ReservedPort.normal:
        normal(this.#state, packet, {
          floodPorts: () => this.#floodPorts(packet, PortConfig.noFlood),
          send: (changed, to) => this.#send(changed, to, origin),
          drop: (reason) => this.#drop(packet, reason),
        });
        return;
      default:
        if (port === packet.seenPort) {
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
    if (this.#state.firstEgress !== 0 && !origin.egress) this.#leave(packet, port, origin);
    else this.#deliver(packet, port, origin);
  }

  #deliver(packet: ModelPacket, port: ModelPort, origin: Origin): void {
    if (packet.bare || ++origin.journey.budget.copies > CLONES_MAX) {
      this.#drop(packet, packet.bare ? Drop.packetType : Drop.noRoom);
      return;
    }
    const closed = port.stopped ? Drop.portDown : (port.config & PortConfig.noFwd) !== 0 ? Drop.noFwd : undefined;
    if (closed !== undefined) {
      this.#state.trace?.({ kind: 'drop', reason: closed, port: port.number });
      port.dropTx(closed);
      return;
    }
    const frame = new Uint8Array(Math.max(FRAME_BYTES_MIN, packet.frame.length));
    frame.set(packet.frame);
    port.tx.packets++;
    port.tx.bytes += BigInt(packet.frame.length);
    this.#state.trace?.({ kind: 'output', port: port.number, frame });
    if (port.kind === 'capture') this.#output(port.number, frame);
  }

  #flood(packet: ModelPacket, origin: Origin, without: number): void {
    for (const port of this.#floodPorts(packet, without, true)) this.#send(packet, port.number, origin);
  }

  /** `without`: those with one of these PortConfig bits. `seen`: the packet's in_port counts, where it was written. */
  #floodPorts(packet: ModelPacket, without: number, seen = false): ModelPort[] {
    return this.#state.ports.all().filter((port) => {
      const forwards = !port.stopped && (port.config & (PortConfig.noFwd | without)) === 0;
      return port.number !== (seen ? packet.seenPort : packet.inPort) && forwards;
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
    const buckets = chosenBuckets(this.#state, group, packet);
    this.#state.trace?.(groupStep(this.#state, group, buckets));
    if (buckets.length === 0) {
      this.#drop(packet, Drop.groupNoBucket);
      return;
    }
    for (const bucket of buckets) {
      if (++origin.journey.budget.copies > CLONES_MAX) {
        this.#drop(packet, Drop.noRoom);
        return;
      }
      this.#state.trace?.(bucketStep(group, bucket, depthOf(origin)));
      bucket.packets++;
      bucket.bytes += BigInt(packet.frame.length);
      // What flows reached from a bucket write to the action set has no effect; exit ends the bucket alone.
      const { journey } = origin;
      const { setDone } = journey;
      journey.setDone = true;
      this.#perform(packet.clone(), bucket.actions, { ...origin, groupDepth: origin.groupDepth + 1 });
      Object.assign(journey, { setDone, exited: false });
    }
  }

  /** Of a meter that the controller action names only bands that drop count. */
  #passesMeter(packet: ModelPacket, id: number): boolean {
    const meter = this.#state.meters.get(id);
    if (meter === undefined) return true;
    const band = this.#state.meters.pass(meter, packet.frame.length, this.#state.nowNs());
    this.#state.trace?.({ kind: 'meter', meter: id, band: band?.record.type });
    if (band?.record.type !== MeterBandType.drop) return true;
    this.#drop(packet, Drop.meter);
    return false;
  }

  #packetIn(packet: ModelPacket, reason: number, maxLen: number, origin: Origin, data: ControllerData = noData): void {
    const port = this.#state.ports.get(packet.inPort);
    if (port !== undefined && (port.config & PortConfig.noPacketIn) !== 0) return;
    if (!this.#passesMeter(packet, data.meter)) return;
    const local = data.id === localController;
    const heard = local ? agents.has(data.userdata[0]) : this.#state.controllerConnected;
    if (!heard) {
      this.#drop(packet, Drop.upcallFull);
      return;
    }
    // What its meter does to it does not change the packet that goes on. One that the action names takes its place.
    const told = packet.clone();
    if (!local && data.meter === noMeter && !this.#meter(told, meterController)) return;
    this.#state.trace?.({ kind: 'packet_in', reason, table: origin.table, controller: data.id, maxLen });
    this.#state.upcall(packetInRecord(packet, told, reason, maxLen, origin, data));
  }
}
