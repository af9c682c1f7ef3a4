/** Where stations are: MAC address → port. Bounded, since any guest may make up addresses. */

/** Stations remembered; the one not heard of for longest goes first. */
const STATIONS_MAX = 8192;

export type Learned = 'new' | 'known' | 'moved';

export class Places {
  readonly #max: number;
  /** In the order in which they were last heard of. */
  readonly #ports = new Map<string, number>();

  constructor(max: number = STATIONS_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#ports.size;
  }

  learn(mac: string, port: number): Learned {
    const before = this.#ports.get(mac);
    this.#ports.delete(mac);
    this.#ports.set(mac, port);
    if (this.#ports.size > this.#max) this.#ports.delete(this.#ports.keys().next().value!);
    if (before === undefined) return 'new';
    return before === port ? 'known' : 'moved';
  }

  find(mac: string): number | undefined {
    return this.#ports.get(mac);
  }

  /** Stations behind a port that is gone; they are forgotten. */
  forgetPort(port: number): readonly string[] {
    const gone = [...this.#ports].filter(([, at]) => at === port).map(([mac]) => mac);
    for (const mac of gone) this.#ports.delete(mac);
    return gone;
  }
}
