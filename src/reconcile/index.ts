/** Programs and running switches: what differs, and making it alike. */
export { ApplyError, applyPlan, conflictText, undoPlan } from './apply.js';
export {
  type BucketPackets,
  type ChainCount,
  type CookiePackets,
  countInstances,
  packetsByCookie,
} from './chain-counts.js';
export { exportFlowSet } from './export.js';
export {
  type Change,
  type Conflict,
  makePlan,
  type Plan,
  type PlanOptions,
  planSteps,
  stages,
} from './plan.js';
export { lostBy, putBackSteps } from './put-back.js';
export { type Atomicity, RemoteSwitch, type SwitchState } from './switch.js';
export { connectTo, type TlsFiles } from './target.js';
