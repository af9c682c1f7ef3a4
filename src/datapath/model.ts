/**
 * The slow reference datapath: the same contract as the native one in plain TypeScript, one packet at a time, linear
 * search, numbers as bigint. It is the executable specification and the oracle of the differential tests; nothing here
 * is meant to be fast. Time comes from outside; frames come in by {@link ModelDatapath.inject}.
 */
import { type Datapath, DatapathClosed, type PortNo, type PortSettings, type PortSpec } from './datapath.js';
import { applyRecord, checkActions } from './model-apply.js';
import { removeFlow, tellFlow } from './model-changes.js';
import { FlowTables } from './model-flows.js';
import { Groups } from './model-groups.js';
import { withoutOrphans } from './model-learn.js';
import { Meters } from './model-meters.js';
import { Pipeline } from './model-pipeline.js';
import { MacTable, ModelPorts } from './model-ports.js';
import { type Answer, readModel } from './model-read.js';
import { checkSettings } from './model-settings.js';
import type { ModelState } from './model-state.js';
import { TableConfigs } from './model-tables.js';
import { passesThreshold } from './model-triggers.js';
import { sameVlans } from './model-vlan.js';
import { decodeActions } from './records-action.js';
import { decodeBatch } from './records-apply.js';
import { decodePacketOut } from './records-packet-out.js';
import { type UpcallRecord, writeUpcall } from './records-upcall.js';
import { RecordWriter } from './records-writer.js';
import { FlowRemovedReason, FragMode, Status } from './schema.gen.js';
import type { Carried, TraceSink } from './trace-steps.js';

const READ_LIMIT_BYTES = 1 << 20;
/** What a packet-out may carry (docs/native-boundary.md). */
const FRAME_BYTES_MIN = 14;
const FRAME_BYTES_MAX = 65_535;
const NS_PER_SECOND = 1_000_000_000n;

export class ModelDatapath implements Datapath {
  readonly #state: ModelState;
  readonly #pipeline: Pipeline;
  #upcalls: UpcallRecord[] = [];
  #listener: ((records: Uint8Array) => void) | undefined;
  #closed = false;

  /** `nowNs`: nanoseconds that only go forward. */
  constructor(nowNs: () => bigint = process.hrtime.bigint) {
    this.#state = {
      flows: new FlowTables(),
      groups: new Groups(),
      meters: new Meters(),
      ports: new ModelPorts(),
      macs: new MacTable(),
      samples: new Map(),
      hasEffects: false,
      learned: 0,
      learnsDropped: 0,
      fragMode: FragMode.normal,
      firstEgress: 0,
      controllerConnected: false,
      missesToController: false,
      tables: new TableConfigs(),
      watched: false,
      version: 1n,
      cause: undefined,
      nowNs,
      upcall: (record) => this.#upcalls.push(record),
    };
    this.#pipeline = new Pipeline(this.#state, (port, frame) =>
      this.#state.upcall({ kind: 'port_output', port, frame }),
    );
  }

  #open(): ModelState {
    if (this.#closed) throw new DatapathClosed();
    return this.#state;
  }

  portAttach(port: PortNo, spec: PortSpec, settings: PortSettings = {}): void {
    const state = this.#open();
    checkSettings(settings);
    state.ports.attach(port, spec, settings, state.nowNs());
  }

  portConfigure(port: PortNo, settings: PortSettings): void {
    const { ports, macs } = this.#open();
    const attached = ports.get(port);
    if (attached === undefined) return;
    checkSettings(settings);
    const moved = !sameVlans(attached.settings.vlan, settings.vlan);
    attached.settings = settings;
    // Stations known behind the port may be out of its reach now.
    if (moved) macs.forget(port);
  }

  portDetach(port: PortNo): void {
    this.#open().ports.detach(port);
    this.#state.macs.forget(port);
  }

  /** A frame comes in from outside a port. */
  inject(port: PortNo, frame: Uint8Array, carried: Carried = []): void {
    this.#open();
    this.#pipeline.receive(port, frame, carried);
    this.#deliver();
  }

  /** The same, telling what the frame meets. */
  follow(port: PortNo, frame: Uint8Array, sink: TraceSink, carried: Carried = []): void {
    // Each flow as the packet met it, who may learn it anew.
    this.#open().trace = (step) =>
      sink(step.kind === 'table' ? { ...step, flow: step.flow && { ...step.flow } } : step);
    try {
      this.inject(port, frame, carried);
    } finally {
      this.#state.trace = undefined;
    }
  }

  apply(batch: Uint8Array, options: { readonly atomic?: boolean } = {}): Uint8Array {
    const state = this.#open();
    const restore = options.atomic === true ? this.#snapshot() : undefined;
    const statuses: number[] = [];
    state.version++;
    for (const record of decodeBatch(batch)) {
      state.cause = statuses.length;
      // After a failure the rest of an atomic batch is only counted.
      const over = restore !== undefined && statuses.some((status) => status !== Status.ok);
      statuses.push(over ? Status.ok : applyRecord(state, record));
    }
    state.cause = undefined;
    if (restore !== undefined && statuses.some((status) => status !== Status.ok)) {
      restore();
      const failed = statuses.findIndex((status) => status !== Status.ok);
      return Uint8Array.from(statuses, (status, i) => (i === failed ? status : Status.ok));
    }
    this.#deliver();
    return Uint8Array.from(statuses);
  }

  /** Brings back what records of a batch can change. */
  #snapshot(): () => void {
    const { flows, groups, meters, tables, ports, fragMode, firstEgress, controllerConnected, missesToController } =
      this.#state;
    const undo = [flows.snapshot(), groups.snapshot(), meters.snapshot(), tables.snapshot()];
    const configs = ports.all().map((port) => [port, port.config] as const);
    const upcalls = [...this.#upcalls];
    return () => {
      for (const bringBack of undo) bringBack();
      for (const [port, config] of configs) port.config = config;
      this.#state.fragMode = fragMode;
      this.#state.firstEgress = firstEgress;
      this.#state.controllerConnected = controllerConnected;
      this.#state.missesToController = missesToController;
      this.#upcalls = upcalls;
    };
  }

  packetOut(record: Uint8Array): number {
    const state = this.#open();
    const packet = decodePacketOut(record);
    const actions = packet && decodeActions(packet.actions);
    // Here no packet is told with a continuation.
    if (packet === undefined || actions === undefined || packet.continuation !== undefined) return Status.malformed;
    if (packet.frame.length < FRAME_BYTES_MIN || packet.frame.length > FRAME_BYTES_MAX) return Status.malformed;
    const wrong = checkActions(state, actions);
    if (wrong !== Status.ok) return wrong;
    this.#pipeline.packetOut(packet.inPort, packet.frame, actions);
    this.#deliver();
    return Status.ok;
  }

  read(query: Uint8Array, limit = READ_LIMIT_BYTES): Answer {
    return readModel(this.#open(), query, limit);
  }

  tick(): void {
    const state = this.#open();
    const now = state.nowNs();
    state.version++;
    const over = (seconds: number, sinceNs: bigint) => seconds > 0 && now - sinceNs >= BigInt(seconds) * NS_PER_SECOND;
    withoutOrphans(state, () => {
      for (const flow of state.flows.all()) {
        if (over(flow.hard, flow.refreshedNs)) removeFlow(state, flow, FlowRemovedReason.hardTimeout);
        else if (over(flow.idle, flow.usedNs)) removeFlow(state, flow, FlowRemovedReason.idleTimeout);
      }
    });
    for (const flow of state.flows.all()) if (passesThreshold(flow, now)) tellFlow(state, flow, 'flow_statistics', 0);
    this.#deliver();
  }

  onUpcall(listener: (records: Uint8Array) => void): void {
    this.#open();
    this.#listener = listener;
    this.#deliver();
  }

  close(): void {
    this.#closed = true;
    this.#listener = undefined;
  }

  /** Hands over what has gathered, as one batch. */
  #deliver(): void {
    if (this.#listener === undefined || this.#upcalls.length === 0) return;
    const writer = new RecordWriter();
    for (const record of this.#upcalls.splice(0)) writeUpcall(writer, record);
    this.#listener(writer.take());
  }
}
