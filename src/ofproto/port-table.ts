/** The ports of a switch as controllers see them (OpenFlow 1.3.5 §7.2.1, §7.3.4.3). */
import { neutralPair, of13, type PortDesc, type PortMod } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { RecordWriter, writePortConfig } from '../datapath/records.js';
import { PortConfig, PortState, Status } from '../datapath/schema.gen.js';
import { type OfError, portModFailed } from './of-error.js';
import { legacyPortMod } from './versions.js';

const { OFPPF, OFPPMFC, OFPPR } = of13;
const CONFIG_KNOWN = Object.values(PortConfig).reduce<number>((all, bit) => all | bit, 0);
const SPEED_10GB_KBPS = 10_000_000;

/** What the owner of a port says of it. */
export interface PortInfo {
  readonly number: number;
  readonly name: string;
  /** `02:00:00:00:00:01` */
  readonly mac: string;
  /** Default: 10 Gbit/s. */
  readonly speedKbps?: number;
}

export type PortChange = (reason: number, port: PortDesc) => void;

function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

function describe(info: PortInfo, config: number, state: number): PortDesc {
  const speed = info.speedKbps ?? SPEED_10GB_KBPS;
  const features = OFPPF['10GB_FD'] | OFPPF.COPPER;
  return {
    portNo: info.number,
    hwAddr: macBytes(info.mac),
    name: info.name,
    config,
    state,
    curr: features,
    advertised: 0,
    supported: features,
    peer: 0,
    currSpeed: speed,
    maxSpeed: speed,
  };
}

export class PortTable {
  readonly #datapath: Datapath;
  readonly #changed: PortChange;
  readonly #ports = new Map<number, PortDesc>();

  constructor(datapath: Datapath, changed: PortChange) {
    this.#datapath = datapath;
    this.#changed = changed;
  }

  has(port: number): boolean {
    return this.#ports.has(port);
  }

  get(port: number): PortDesc | undefined {
    return this.#ports.get(port);
  }

  /** In ascending order. */
  all(): PortDesc[] {
    return [...this.#ports.values()].sort((a, b) => a.portNo - b.portNo);
  }

  add(info: PortInfo): void {
    const port = describe(info, 0, PortState.live);
    this.#ports.set(info.number, port);
    this.#changed(OFPPR.ADD, port);
  }

  remove(number: number): void {
    const port = this.#ports.get(number);
    if (port === undefined) return;
    this.#ports.delete(number);
    this.#changed(OFPPR.DELETE, port);
  }

  /** The datapath saw a link come or go. Nothing is said when it is as it was. */
  setState(number: number, state: number): void {
    const port = this.#ports.get(number);
    if (port !== undefined) this.#replace(port, { ...port, state });
  }

  #replace(old: PortDesc, port: PortDesc): void {
    if (old.config === port.config && old.state === port.state) return;
    this.#ports.set(port.portNo, port);
    this.#changed(OFPPR.MODIFY, port);
  }

  /** §7.3.4.3; returns why it was refused. */
  modify(mod: PortMod): OfError | undefined {
    const writer = new RecordWriter(64);
    const wrong = this.appendMod(writer, mod);
    if (wrong !== undefined) return wrong;
    if (this.#datapath.apply(writer.view())[0] !== Status.ok) return portModFailed(OFPPMFC.BAD_PORT);
    this.modified(mod);
    return undefined;
  }

  /** Appends one record, or returns why there is none. No port is optical, nor has it properties of experimenters. */
  appendMod(writer: RecordWriter, mod: PortMod): OfError | undefined {
    const port = this.#ports.get(mod.portNo);
    if (port === undefined) return portModFailed(OFPPMFC.BAD_PORT);
    if (!mod.hwAddr.every((byte, i) => byte === port.hwAddr[i])) return portModFailed(OFPPMFC.BAD_HW_ADDR);
    const [property] = mod.properties ?? [];
    if (property !== undefined) {
      return neutralPair(property.type === 'experimenter' ? 'OFPBPC_BAD_EXPERIMENTER' : 'OFPBPC_BAD_TYPE');
    }
    const change = legacyPortMod(mod);
    if (change === undefined || ((change.mask | change.config) & ~CONFIG_KNOWN) !== 0) {
      return portModFailed(OFPPMFC.BAD_CONFIG);
    }
    if ((mod.advertise & ~port.supported) !== 0) return portModFailed(OFPPMFC.BAD_ADVERTISE);
    writePortConfig(writer, mod.portNo, change.config, change.mask);
    return undefined;
  }

  /** The datapath has carried it out. */
  modified(mod: PortMod): void {
    const port = this.#ports.get(mod.portNo)!;
    const change = legacyPortMod(mod)!;
    const config = (port.config & ~change.mask) | (change.config & change.mask);
    const down = (config & PortConfig.down) !== 0 || (port.state & PortState.linkDown) !== 0;
    const state = down ? port.state & ~PortState.live : port.state | PortState.live;
    this.#replace(port, { ...port, config, state });
  }
}
