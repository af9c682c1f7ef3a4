/**
 * Settings of ports that the operator made with the API. They win over what toolstack and configuration say, are kept
 * by the name of the port while the daemon lives, whether or not the port is there, and can be given back one by one.
 * A vif without a `vifname` has a name made of its domain's number, which another guest's will be one day: its settings go
 * when it is unplugged.
 */
import type { PortSettings } from '../datapath/datapath.js';
import { type OverrideName, overrideNames, parseSetting, type SettableSettings } from './port-setting-text.js';
import { Refusal } from './refusal.js';

/** Ports with settings of their own; as many as a bridge has numbers. */
const PORTS_MAX = 4096;
/** Gives a setting back to the toolstack. */
const TOOLSTACK = 'toolstack';

/** `undefined` of a name that is there: off, whatever the toolstack says. */
type Override = Map<OverrideName, SettableSettings[OverrideName]>;

export interface SettingText {
  readonly name: string;
  readonly value: string;
}

export class PortOverrides {
  readonly #ports = new Map<string, Override>();

  /** `settings` with what the operator wants instead. */
  apply(port: string, settings: PortSettings): PortSettings {
    const override = this.#ports.get(port);
    if (override === undefined) return settings;
    const result: Record<string, unknown> = { ...settings };
    for (const [name, value] of override) {
      if (value === undefined) delete result[name];
      else result[name] = value;
    }
    return result as PortSettings;
  }

  /**
   * All or none. Throws {@link Refusal} for a name or a value that is none. What it returns takes it back, as long as
   * nothing else was set.
   */
  set(port: string, settings: readonly SettingText[]): () => void {
    const before = this.#ports.get(port);
    const undo = () => void (before === undefined ? this.#ports.delete(port) : this.#ports.set(port, before));
    const override: Override = new Map(this.#ports.get(port));
    for (const { name, value } of settings) {
      const key = overrideNames.get(name);
      if (key === undefined) {
        throw new Refusal('invalid', `"${name}" is no setting of a port: ${[...overrideNames.keys()].join(', ')}`);
      }
      if (value === TOOLSTACK) override.delete(key);
      else override.set(key, parseSetting(key, name, value));
    }
    if (override.size === 0) {
      this.#ports.delete(port);
      return undo;
    }
    if (!this.#ports.has(port) && this.#ports.size >= PORTS_MAX) {
      throw new Refusal('unavailable', `${PORTS_MAX} ports have settings of their own already`);
    }
    this.#ports.set(port, override);
    return undo;
  }

  /** The name will be another's. */
  forget(port: string): void {
    this.#ports.delete(port);
  }
}
