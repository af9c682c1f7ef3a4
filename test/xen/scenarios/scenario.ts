import type { Run } from '../dom0/run.js';

export interface Scenario {
  readonly name: string;
  /** Time for the boot with this scenario, generously. */
  readonly seconds: number;
  /** The same for its short form; 0: not part of the short form. */
  readonly shortSeconds: number;
  /** On one processor whose time is the instructions it has run, so that figures repeat. */
  readonly counted?: true;
  readonly run: (run: Run) => Promise<void>;
}
