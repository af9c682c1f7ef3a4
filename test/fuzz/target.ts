import type { Random } from './random.js';

/** What is fuzzed. An input that finds something makes `run` throw. */
export interface Target {
  readonly name: string;
  mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array;
  run(input: Uint8Array): void | Promise<void>;
  /** Lets go of whatever earlier inputs left behind. */
  renew?(): Promise<void>;
  close(): Promise<void>;
}
