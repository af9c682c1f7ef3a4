/** Ports that hops are connected to, of all chains: what comes back by them must be one chain's only. */
import type { At } from '../at.js';

export interface Leg {
  /** Name of the chain's document. */
  readonly document: string;
  readonly hop: string;
  readonly instance: string;
  readonly at: At;
  readonly inline: boolean;
  /** What packets are known by that come back, like 'vlan 3000'; undefined: by the port alone. */
  readonly tags: readonly string[] | undefined;
}

/** Who comes back by one port cannot be told apart. */
function clash(a: Leg, b: Leg): boolean {
  if (a.document === b.document) return a.hop !== b.hop || a.instance !== b.instance;
  if (!a.inline && !b.inline) return false;
  return a.tags === undefined || b.tags === undefined || a.tags.some((tag) => b.tags!.includes(tag));
}

export class Legs {
  readonly #legs = new Map<number, Leg[]>();
  readonly #documents = new Set<string>();

  /** The leg whose packets could be taken for those of this one, if there is one. */
  add(port: number, leg: Leg): Leg | undefined {
    const there = this.#legs.get(port) ?? [];
    this.#legs.set(port, [...there, leg]);
    this.#documents.add(leg.document);
    return there.find((other) => clash(leg, other));
  }

  /** Whether a document is a chain with ports. */
  has(document: string): boolean {
    return this.#documents.has(document);
  }

  /** The leg that a chain has at a port. */
  at(port: number, document: string): Leg | undefined {
    return this.#legs.get(port)?.find((leg) => leg.document === document);
  }

  /** Ports of a chain. */
  of(document: string): number[] {
    return [...this.#legs].flatMap(([port, legs]) => (legs.some((leg) => leg.document === document) ? [port] : []));
  }

  /** Ports of inline hops of other chains. */
  ofOthers(document: string): number[] {
    return [...this.#legs].flatMap(([port, legs]) =>
      legs.some((leg) => leg.document !== document && leg.inline) ? [port] : [],
    );
  }
}
