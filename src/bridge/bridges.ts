/** The bridges of the daemon, by name. */
import type { Bridge } from './bridge.js';
import { Refusal } from './refusal.js';

export class Bridges {
  readonly #bridges = new Map<string, Bridge>();

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

  withPort(name: string): Bridge | undefined {
    return this.all.find((bridge) => bridge.hasPort(name));
  }
}
