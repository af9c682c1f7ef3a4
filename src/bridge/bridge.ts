/**
 * A bridge: one datapath, its OpenFlow half with the channels to controllers, and its ports. Keeps the three together:
 * a port is attached, numbered and announced, or none of it.
 */
import type { Clock } from '../base/clock.js';
import { type Logger, RateLimitedLogs } from '../base/logger.js';
import type { Datapath, PortNo, PortSettings, PortSpec, Tracer } from '../datapath/datapath.js';
import type { PortAnswer, RuntimeAnswer, TraceRequest } from '../datapath/records.js';
import { PortState, ReservedPort } from '../datapath/schema.gen.js';
import type { TraceStep } from '../datapath/trace-steps.js';
import type { TableChange, TableState } from '../ofproto/index.js';
import type { FlowEntry } from './flow-text.js';
import { traceLive } from './live-trace.js';
import type { ControllerStatus, OpenFlowSide } from './openflow-side.js';
import { PortNumbers } from './port-numbers.js';
import { PortOverrides } from './port-overrides.js';
import { RateMeter } from './rates.js';
import { Refusal } from './refusal.js';
import { countFlows, type DropCount, readDrops, readPorts, readRuntime } from './statistics.js';

const SAMPLE_INTERVAL_MS = 1000;
/** Flows expire, and links are looked at, this often. */
const TICK_INTERVAL_MS = 250;

export type FailMode = 'secure' | 'standalone';

/** Whose a port is, as far as the toolstack tells. */
export interface PortGuest {
  /** Name of the VM. */
  readonly vm: string | undefined;
  /** Number of its interface. */
  readonly device: number;
  /** Of the interface, as XAPI has it (xs-vif-uuid). */
  readonly uuid: string | undefined;
}

export interface NewPort {
  readonly name: string;
  readonly spec: PortSpec;
  /** Undefined: made from the names of bridge and port. */
  readonly mac: string | undefined;
  readonly settings?: PortSettings;
  readonly guest?: PortGuest | undefined;
}

/** What is known of a port, to find it by. */
export interface PortIdentity {
  readonly name: string;
  readonly number: PortNo;
  readonly mac: string;
  readonly guest: PortGuest | undefined;
  /** IP addresses that it is locked to. */
  readonly addresses: readonly string[];
}

export type PortCounters = Omit<PortAnswer, 'port' | 'config' | 'state' | 'duration'>;

export interface BridgePort {
  readonly name: string;
  readonly number: PortNo;
  readonly spec: PortSpec;
  readonly mac: string;
  /** "up", or why not. */
  readonly state: string;
  readonly counters: PortCounters;
}

interface AttachedPort {
  readonly name: string;
  readonly number: PortNo;
  readonly spec: PortSpec;
  readonly mac: string;
  readonly guest?: PortGuest | undefined;
  /** As toolstack and configuration say, without the operator's overrides. */
  settings: PortSettings;
  /** What its other end did wrong; empty: nothing. */
  fault: string;
}

export interface BridgeOptions {
  readonly name: string;
  readonly datapathId: bigint;
  readonly failMode: FailMode;
  readonly managementSocket: string;
  readonly datapath: Datapath;
  /** Of the same datapath, if it can be asked what would become of packets. */
  readonly tracer?: Tracer | undefined;
  /** Its OpenFlow half, over the same datapath. Closed with the bridge, like the datapath. */
  readonly openflow: OpenFlowSide;
  /** Addresses of ports that bring none. */
  readonly macOf: (port: string) => string;
  /** What the operator set; by default nothing. */
  readonly overrides?: PortOverrides;
  readonly clock: Clock;
  readonly logger: Logger;
}

const noCounters: PortCounters = {
  rxPackets: 0n,
  txPackets: 0n,
  rxBytes: 0n,
  txBytes: 0n,
  rxDropped: 0n,
  txDropped: 0n,
  rxErrors: 0n,
  txErrors: 0n,
};

export class Bridge {
  readonly name: string;
  readonly datapathId: bigint;
  readonly failMode: FailMode;
  readonly managementSocket: string;
  /** Over the last second or so. */
  readonly rates: RateMeter;
  readonly #options: BridgeOptions;
  readonly #datapath: Datapath;
  readonly #openflow: OpenFlowSide;
  readonly #overrides: PortOverrides;
  /** Guests can provoke these lines. */
  readonly #faultLogs: RateLimitedLogs;
  readonly #numbers = new PortNumbers();
  readonly #ports = new Map<string, AttachedPort>();
  readonly #listeners = new Set<(text: string) => void>();
  readonly #faultListeners = new Set<(spec: PortSpec, fault: string) => void>();
  #identitiesChanged: () => void = () => {};
  readonly #timers: readonly NodeJS.Timeout[];
  /** Controllers connected when last looked at. */
  #connected: ReadonlySet<string> = new Set();
  #closed = false;

  constructor(options: BridgeOptions) {
    this.name = options.name;
    this.datapathId = options.datapathId;
    this.failMode = options.failMode;
    this.managementSocket = options.managementSocket;
    this.rates = new RateMeter(options.clock);
    this.#options = options;
    this.#datapath = options.datapath;
    this.#faultLogs = new RateLimitedLogs(options.logger, { clock: options.clock });
    this.#openflow = options.openflow;
    this.#overrides = options.overrides ?? new PortOverrides();
    this.#openflow.onPortState((number, linkDown, fault) => this.#portState(number, linkDown, fault));
    this.#timers = [
      setInterval(() => this.#openflow.tick(), TICK_INTERVAL_MS),
      setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** The port named like the bridge, with the number LOCAL. Throws AttachError. */
  addLocal(spec: PortSpec, mac: string): void {
    this.#attach({ name: this.name, number: ReservedPort.local as PortNo, spec, mac, settings: {}, fault: '' });
  }

  /** Throws {@link Refusal} or AttachError; nothing is left behind then. */
  addPort({ name, spec, mac, settings = {}, guest }: NewPort): PortNo {
    if (name === this.name) throw new Refusal('exists', `"${name}" is the LOCAL port of the bridge`);
    const number = this.#numbers.acquire(name);
    try {
      this.#attach({ name, number, spec, mac: mac ?? this.#options.macOf(name), guest, settings, fault: '' });
    } catch (error) {
      this.#numbers.release(name);
      throw error;
    }
    return number;
  }

  /** Replaces the settings of a port while traffic flows. Throws AttachError for a value out of range. */
  configurePort(name: string, settings: PortSettings): void {
    const port = this.#ports.get(name);
    if (port === undefined || this.#closed) return;
    this.#datapath.portConfigure(port.number, this.#overrides.apply(name, settings));
    port.settings = settings;
    this.#identitiesChanged();
  }

  /** The operator's overrides of the port changed. */
  reconfigurePort(name: string): void {
    const port = this.#ports.get(name);
    if (port !== undefined) this.configurePort(name, port.settings);
  }

  /** What is in force; undefined when there is no such port. */
  portSettings(name: string): PortSettings | undefined {
    const port = this.#ports.get(name);
    return port === undefined ? undefined : this.#overrides.apply(name, port.settings);
  }

  /** Name of the port that this vif is. */
  portOfVif(domid: number, handle: number): string | undefined {
    for (const { name, spec } of this.#ports.values()) {
      if (spec.kind === 'vif' && spec.domid === domid && spec.handle === handle) return name;
    }
    return undefined;
  }

  /** When it returns nothing of the port is in use. Unknown ports are ignored. */
  removePort(name: string): void {
    const port = this.#ports.get(name);
    if (port === undefined || this.#closed) return;
    this.#ports.delete(name);
    this.#numbers.release(name);
    this.#datapath.portDetach(port.number);
    this.#openflow.portRemoved(port.number);
    this.#identitiesChanged();
    this.#tell(`port ${name} (${port.number}) removed`);
  }

  hasPort(name: string): boolean {
    return this.#ports.has(name);
  }

  /** In the order of their numbers. */
  identities(): readonly PortIdentity[] {
    return [...this.#ports.values()]
      .sort((a, b) => a.number - b.number)
      .map(({ name, number, mac, guest, settings }) => {
        const { sources } = this.#overrides.apply(name, settings);
        return { name, number, mac, guest, addresses: [...(sources?.ipv4 ?? []), ...(sources?.ipv6 ?? [])] };
      });
  }

  /** Calls back after each change of what {@link identities} says. One listener. */
  onIdentities(listener: () => void): void {
    this.#identitiesChanged = listener;
  }

  /** In the order of their numbers. */
  ports(): readonly BridgePort[] {
    const answers = readPorts(this.#datapath);
    return [...this.#ports.values()]
      .sort((a, b) => a.number - b.number)
      .map(({ name, number, spec, mac, fault }) => {
        const answer = answers.get(number);
        return { name, number, spec, mac, state: stateWords(answer, fault), counters: countersOf(answer) };
      });
  }

  /** What is not named stays as it is; returns what is in force then. The table is one of the datapath's. */
  setTable(table: number, change: TableChange): TableState {
    return this.#openflow.setTable(table, change);
  }

  flows(): Promise<readonly FlowEntry[]> {
    return this.#openflow.flows();
  }

  /** What would become of a packet now; nothing becomes of it. Rejects with {@link Refusal}. */
  async trace(request: TraceRequest): Promise<readonly TraceStep[]> {
    const { tracer } = this.#options;
    if (tracer === undefined) throw new Refusal('unavailable', `bridge "${this.name}" cannot trace`);
    return traceLive(this.#datapath, tracer, request);
  }

  flowCount(): number {
    return countFlows(this.#datapath);
  }

  controllers(): readonly ControllerStatus[] {
    return this.#openflow.controllers();
  }

  /** Where controllers may connect. */
  listening(): readonly string[] {
    return this.#openflow.listening();
  }

  runtime(): RuntimeAnswer {
    return readRuntime(this.#datapath);
  }

  drops(): readonly DropCount[] {
    return readDrops(this.#datapath);
  }

  /** Calls back with a sentence for what happens to ports and controllers, until the returned function is called. */
  onEvent(listener: (text: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back when the other end of a port broke the rules and its traffic was stopped. */
  onFault(listener: (spec: PortSpec, fault: string) => void): void {
    this.#faultListeners.add(listener);
  }

  /** Ends channels, ports and the datapath. May be called again. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#openflow.close();
    this.#datapath.close();
    this.#ports.clear();
    this.#listeners.clear();
    this.#faultListeners.clear();
  }

  #attach(port: AttachedPort): void {
    const { name, number, spec, mac, settings } = port;
    this.#datapath.portAttach(number, spec, this.#overrides.apply(name, settings));
    this.#ports.set(name, port);
    this.#openflow.portAdded({ number, name, mac });
    this.#identitiesChanged();
    this.#tell(`port ${name} (${number}) added`);
  }

  #portState(number: number, linkDown: boolean, fault: string): void {
    const port = [...this.#ports.values()].find((candidate) => candidate.number === number);
    if (port === undefined) return;
    port.fault = fault;
    this.#tell(`port ${port.name} (${number}) is ${linkDown ? 'down' : 'up'}${fault === '' ? '' : `: ${fault}`}`);
    if (fault === '') return;
    this.#faultLogs.of(port.name).warn({ port: port.name, fault }, 'port stopped');
    for (const listener of this.#faultListeners) listener(port.spec, fault);
  }

  #sample(): void {
    this.rates.sample(readPorts(this.#datapath));
    const connected = new Set(this.controllers().flatMap(({ target, connected }) => (connected ? [target] : [])));
    for (const target of connected) if (!this.#connected.has(target)) this.#tell(`controller ${target} connected`);
    for (const target of this.#connected) if (!connected.has(target)) this.#tell(`controller ${target} disconnected`);
    this.#connected = connected;
  }

  #tell(text: string): void {
    for (const listener of this.#listeners) listener(text);
  }
}

function stateWords(answer: PortAnswer | undefined, fault: string): string {
  if (fault !== '') return fault;
  if (answer === undefined || (answer.state & PortState.linkDown) !== 0) return 'link down';
  return 'up';
}

function countersOf(answer: PortAnswer | undefined): PortCounters {
  if (answer === undefined) return noCounters;
  const { port: _port, config: _config, state: _state, duration: _duration, ...counters } = answer;
  return counters;
}
