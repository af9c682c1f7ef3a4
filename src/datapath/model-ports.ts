/** Ports of the model, and what NORMAL learns. */
import { AttachError, type PortNo, type PortSettings, type PortSpec } from './datapath.js';
import type { PortAnswer } from './records-answer.js';
import { Drop, PortConfig, PortState, portsMax, ReservedPort } from './schema.gen.js';

export const DROP_REASONS = Object.values(Drop).length;

export class ModelPort {
  config = 0;
  readonly rx = { packets: 0n, bytes: 0n };
  readonly tx = { packets: 0n, bytes: 0n };
  readonly rxDrops: bigint[] = new Array<bigint>(DROP_REASONS).fill(0n);
  readonly txDrops: bigint[] = new Array<bigint>(DROP_REASONS).fill(0n);

  constructor(
    readonly number: number,
    readonly kind: 'capture' | 'null',
    public settings: PortSettings,
    readonly createdNs: bigint,
  ) {}

  /** Nothing goes in or out. */
  get stopped(): boolean {
    return (this.config & PortConfig.down) !== 0 || this.settings.disabled === true;
  }
  get state(): number {
    return this.live ? PortState.live : 0;
  }
  get live(): boolean {
    return !this.stopped;
  }

  dropRx(reason: number): void {
    this.rxDrops[reason]!++;
  }
  dropTx(reason: number): void {
    this.txDrops[reason]!++;
  }

  answer(nowNs: bigint): PortAnswer {
    const sum = (counts: readonly bigint[]) => counts.reduce((a, b) => a + b, 0n);
    return {
      port: this.number,
      config: this.config,
      state: this.state,
      rxPackets: this.rx.packets,
      txPackets: this.tx.packets,
      rxBytes: this.rx.bytes,
      txBytes: this.tx.bytes,
      rxDropped: sum(this.rxDrops),
      txDropped: sum(this.txDrops),
      rxErrors: 0n,
      txErrors: 0n,
      duration: nowNs - this.createdNs,
    };
  }
}

export class ModelPorts {
  readonly #ports = new Map<number, ModelPort>();

  attach(port: PortNo, spec: PortSpec, settings: PortSettings, nowNs: bigint): void {
    if (port !== ReservedPort.local && (port < 1 || port >= portsMax)) {
      throw new AttachError(`${port} is no port number: 1 to ${portsMax - 1}, or LOCAL`);
    }
    if (this.#ports.has(port)) throw new AttachError(`port ${port} is attached already`);
    if (spec.kind !== 'capture' && spec.kind !== 'null') {
      throw new AttachError(`the model has no ports of kind ${spec.kind}`);
    }
    this.#ports.set(port, new ModelPort(port, spec.kind, settings, nowNs));
  }

  detach(port: number): void {
    this.#ports.delete(port);
  }

  get(port: number): ModelPort | undefined {
    return this.#ports.get(port);
  }
  /** In ascending order. */
  all(): ModelPort[] {
    return [...this.#ports.values()].sort((a, b) => a.number - b.number);
  }
}

const AGE_NS = 300_000_000_000n;
const ENTRIES_MAX = 8192;

/** The address table of NORMAL: where a MAC address of a VLAN was last seen as a source. */
export class MacTable {
  readonly #entries = new Map<string, { readonly port: number; readonly seenNs: bigint }>();

  learn(vlan: bigint, mac: bigint, port: number, nowNs: bigint): void {
    const key = `${vlan}/${mac}`;
    if (!this.#entries.has(key) && this.#entries.size >= ENTRIES_MAX) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest!);
    }
    this.#entries.delete(key);
    this.#entries.set(key, { port, seenNs: nowNs });
  }

  lookup(vlan: bigint, mac: bigint, nowNs: bigint): number | undefined {
    const entry = this.#entries.get(`${vlan}/${mac}`);
    return entry !== undefined && nowNs - entry.seenNs < AGE_NS ? entry.port : undefined;
  }

  forget(port: number): void {
    for (const [key, entry] of this.#entries) if (entry.port === port) this.#entries.delete(key);
  }
}
