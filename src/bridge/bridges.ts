/** The bridges of the daemon, by name. */
import { parseVifName } from '../vif/index.js';
import type { Bridge } from './bridge.js';
import { PortOverrides, type SettingText } from './port-overrides.js';
import { settingTexts } from './port-setting-text.js';
import { Refusal } from './refusal.js';
import { tableChange, tableTexts } from './table-setting-text.js';

export class Bridges {
  readonly #bridges = new Map<string, Bridge>();
  /** What the operator set; shared by all bridges, as the names of their ports are. */
  readonly overrides = new PortOverrides();

  add(bridge: Bridge): void {
    if (this.#bridges.has(bridge.name)) throw new Refusal('exists', `a bridge "${bridge.name}" exists already`);
    this.#bridges.set(bridge.name, bridge);
  }

  get all(): readonly Bridge[] {
    return [...this.#bridges.values()];
  }

  /** Refuses when there is none of that name. */
  get(name: string): Bridge {
    const bridge = this.#bridges.get(name);
    if (bridge === undefined) throw new Refusal('notFound', `there is no bridge "${name}"`);
    return bridge;
  }

  /** The bridge of that name, all for the empty name. */
  select(name: string): readonly Bridge[] {
    return name === '' ? this.all : [this.get(name)];
  }

  /** For who names none: refuses unless there is exactly one. */
  only(): Bridge {
    const [first, ...others] = this.#bridges.values();
    if (first === undefined) throw new Refusal('unavailable', 'there is no bridge');
    if (others.length > 0) throw new Refusal('invalid', 'there are several bridges, and none is named');
    return first;
  }

  /** A port by its name, or a vif by either of its names whatever its port is called. Refuses when there is none. */
  port(text: string): { readonly bridge: Bridge; readonly name: string } {
    const named = this.withPort(text);
    if (named !== undefined) return { bridge: named, name: text };
    const vif = parseVifName(text);
    for (const bridge of vif === undefined ? [] : this.all) {
      const name = bridge.portOfVif(vif!.domid, vif!.handle);
      if (name !== undefined) return { bridge, name };
    }
    throw new Refusal('notFound', `there is no port "${text}"`);
  }

  /** The operator's will for a port, see {@link PortOverrides}. Returns what is in force then. */
  setPort(text: string, settings: readonly SettingText[]): readonly SettingText[] {
    const { bridge, name } = this.port(text);
    const undo = this.overrides.set(name, settings);
    try {
      if (settings.length > 0) bridge.reconfigurePort(name);
    } catch (error) {
      undo();
      throw error;
    }
    return settingTexts(bridge.portSettings(name) ?? {});
  }

  /** Sets a flow table of a bridge, the only one for the empty name. Returns what is in force then. */
  setTable(bridge: string, table: number, settings: readonly SettingText[]): readonly SettingText[] {
    const owner = bridge === '' ? this.only() : this.get(bridge);
    return tableTexts(owner.setTable(table, tableChange(table, settings)));
  }

  withPort(name: string): Bridge | undefined {
    return this.all.find((bridge) => bridge.hasPort(name));
  }
}
