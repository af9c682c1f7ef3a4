import type { Run } from '../dom0/run.js';

export interface Scenario {
  readonly name: string;
  /** Time for the boot with this scenario, generously. */
  readonly seconds: number;
  /** The same for its short form; 0: not part of the short form. */
  readonly shortSeconds: number;
  readonly run: (run: Run) => Promise<void>;
}
