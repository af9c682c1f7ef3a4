/** Wires between switches: pairs of veth devices, for ports `packet:DEVICE`. Needs root. */
import { sh } from './process.js';

export class Wires {
  readonly #tag = Math.random().toString(36).slice(2, 6);
  readonly #devices: string[] = [];

  /** Two devices joined to each other, up; the host's own stack says nothing on them. */
  async add(): Promise<[string, string]> {
    const name = `xw${this.#tag}${this.#devices.length}`;
    const ends: [string, string] = [`${name}a`, `${name}b`];
    await sh('ip', 'link', 'add', ends[0], 'type', 'veth', 'peer', 'name', ends[1]);
    this.#devices.push(ends[0]);
    for (const end of ends) {
      await sh('sysctl', '-qw', `net.ipv6.conf.${end}.disable_ipv6=1`);
      await sh('ip', 'link', 'set', end, 'up');
    }
    return ends;
  }

  async stop(): Promise<void> {
    for (const device of this.#devices) await sh('ip', 'link', 'del', device).catch(() => undefined);
  }
}
