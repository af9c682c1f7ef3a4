/** Joins vifs to bridges: what the vif backend calls when a frontend has connected, gone, or gone wrong. */
import { messageOf } from '../base/error.js';
import { type Logger, RateLimitedLogs } from '../base/logger.js';
import type { PortSettings, VifSpec } from '../datapath/datapath.js';
import type { EmulatedHooks, VifHooks, VifInfo } from '../vif/index.js';
import type { Bridge } from './bridge.js';
import type { Bridges } from './bridges.js';
import { Refusal } from './refusal.js';

/** What OpenFlow takes for the name of a port. */
const NAME_MAX = 15;

export class VifPorts implements VifHooks, EmulatedHooks {
  readonly #bridges: Bridges;
  /** Where each attached vif is, by the vif's own name. */
  readonly #attached = new Map<string, Bridge>();
  /** The same of emulated interfaces. */
  readonly #emulated = new Map<string, Bridge>();
  /** Guests can provoke these lines: each time one loads its driver again. */
  readonly #logs: RateLimitedLogs;

  constructor(bridges: Bridges, logger: Logger) {
    this.#bridges = bridges;
    this.#logs = new RateLimitedLogs(logger);
  }

  refusal(info: VifInfo): string | undefined {
    try {
      this.#bridgeFor(info);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  effective({ portName }: VifInfo, settings: PortSettings): PortSettings {
    return this.#bridges.overrides.apply(portName, settings);
  }

  /** Throws what the guest then reads in its error node. */
  attach(info: VifInfo, spec: VifSpec, settings: PortSettings): void {
    const { name, portName, mac, vm, handle: device, uuid } = info;
    const bridge = this.#bridgeFor(info);
    const port = bridge.addPort({ name: portName, spec, mac, settings, guest: { vm, device, uuid } });
    this.#attached.set(name, bridge);
    const alias = portName === name ? {} : { portName };
    this.#logs
      .of(name)
      .info({ vif: name, ...alias, bridge: bridge.name, port, queues: spec.queues.length }, 'vif connected');
  }

  configure({ name, portName }: VifInfo, settings: PortSettings): void {
    this.#attached.get(name)?.configurePort(portName, settings);
    this.#logs.of(name).info({ vif: name, settings }, 'vif configured');
  }

  detach({ name, portName }: VifInfo): void {
    this.#attached.get(name)?.removePort(portName);
    this.#attached.delete(name);
    this.#logs.of(name).info({ vif: name }, 'vif disconnected');
  }

  attachEmulated(info: VifInfo, device: string, settings: PortSettings): string {
    const { name, mac } = info;
    const bridge = this.#bridgeFor(info);
    const port = emulatedName(info);
    if (port.length > NAME_MAX) throw new Refusal('invalid', `${port} is too long for the name of a port`);
    if (this.#bridges.withPort(port) !== undefined) throw new Refusal('exists', `there is a port ${port} already`);
    bridge.addPort({ name: port, spec: { kind: 'packet', device }, mac, settings });
    this.#emulated.set(name, bridge);
    this.#logs.of(name).info({ vif: name, port, device, bridge: bridge.name }, 'emulated interface connected');
    return port;
  }

  configureEmulated(info: VifInfo, settings: PortSettings): void {
    this.#emulated.get(info.name)?.configurePort(emulatedName(info), settings);
  }

  detachEmulated(info: VifInfo): void {
    this.#emulated.get(info.name)?.removePort(emulatedName(info));
    this.#emulated.delete(info.name);
    this.#logs.of(info.name).info({ vif: info.name }, 'emulated interface disconnected');
  }

  removed(name: string): void {
    this.#bridges.overrides.forget(name);
  }

  failed(info: VifInfo | undefined, error: Error): void {
    this.#logs.of(info?.name ?? '').warn({ vif: info?.name, reason: error.message }, 'vif closed over an error');
  }

  /** Refuses what cannot be joined. */
  #bridgeFor({ bridge: key, name, portName }: VifInfo): Bridge {
    const bridge = key === undefined ? this.#bridges.only() : this.#bridges.get(key.name);
    // Only a vifname can be somebody else's; names of ports are one set for all bridges, as in Open vSwitch.
    if (portName !== name && !this.#attached.has(name) && this.#bridges.withPort(portName) !== undefined) {
      throw new Refusal('exists', `vifname ${portName}: there is a port of that name already`);
    }
    return bridge;
  }
}

function emulatedName({ portName }: VifInfo): string {
  return `${portName}-emu`;
}
