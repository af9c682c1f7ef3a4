/** Every scenario, in the order in which they run. */
import { baseline } from './baseline.js';
import type { Scenario } from './scenario.js';
import { wire } from './wire.js';

export const scenarios: readonly Scenario[] = [wire, baseline];
