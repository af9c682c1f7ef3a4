/** Every scenario, in the order in which they run. */
import { baseline } from './baseline.js';
import { bench } from './bench.js';
import { driverDomain } from './driver-domain.js';
import { endurance } from './endurance.js';
import { hostile } from './hostile.js';
import type { Scenario } from './scenario.js';
import { toolstack } from './toolstack.js';
import { wire } from './wire.js';

export const scenarios: readonly Scenario[] = [wire, toolstack, endurance, hostile, driverDomain, baseline, bench];
