/** Programs and running switches: what differs, and making it alike. */
export { ApplyError, applyPlan, undoPlan } from './apply.js';
export { exportFlowSet } from './export.js';
export { type Change, type Conflict, makePlan, type Plan } from './plan.js';
export { RemoteSwitch, type SwitchState } from './switch.js';
export { connectTo } from './target.js';
