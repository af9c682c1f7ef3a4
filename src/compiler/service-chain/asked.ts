/**
 * Instances of all chains that are asked how they are. Answers come to the tables of whichever chain a packet comes to first,
 * so each has to know those of the others; and what only a prober sends must come from nobody else.
 */
import type { Health, Station } from './health.js';
import type { Instance } from './hops.js';

export interface AskedInstance {
  readonly document: string;
  readonly hop: string;
  readonly instance: Instance;
  readonly health: Health;
}

export class AskedInstances {
  readonly #all: AskedInstance[] = [];
  /** Probes of all of them. */
  probesPerSecond = 0;

  add(asked: AskedInstance): void {
    this.#all.push(asked);
  }

  ofOthers(document: string): readonly AskedInstance[] {
    return this.#all.filter((one) => one.document !== document);
  }

  /** Those by which probes are known, and who sends or gets them. */
  get probers(): readonly { readonly source: Station; readonly target: Station | undefined }[] {
    return this.#all.flatMap(({ health: { type, source, target }, instance: { address } }) =>
      type === 'counters' ? [] : [{ source, target: address === undefined ? target : undefined }],
    );
  }
}
