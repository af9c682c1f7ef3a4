/** What provokes an error, or why nothing does. */
import type { Bed } from '../bed.js';

export interface ErrorCase {
  /** As the versions' own tables call it. */
  readonly error: string;
  /** Version bytes. */
  readonly versions: readonly number[];
  /** When the switch produces it: the words of the table in docs/openflow-errors.md. */
  readonly when: string;
  /** Whole messages; the last one is answered with the error, those before are taken. */
  say(version: number): Uint8Array | readonly Uint8Array[];
  /** Instead of the usual hello; then nothing more is said. */
  readonly hello?: (version: number) => Uint8Array;
  /** What another controller says before. */
  readonly other?: (version: number) => Uint8Array;
  /** What is brought about otherwise, since it would take long. */
  readonly before?: (bed: Bed) => void;
  /** Milliseconds that pass after the last message. */
  readonly passMs?: number;
  /** Nothing that was sent has the error's xid (it is about one of the messages before). */
  readonly about?: 'setup' | 'hello';
}

export interface Impossible {
  readonly error: string;
  /** Default: all that have it and no case. */
  readonly versions?: readonly number[];
  readonly why: string;
}

export const all = [1, 2, 3, 4, 5, 6] as const;
export const between = (first: number, last: number): readonly number[] =>
  all.filter((version) => version >= first && version <= last);
export const since = (first: number): readonly number[] => between(first, 6);
