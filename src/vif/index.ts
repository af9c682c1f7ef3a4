export { VifBackend, type VifBackendOptions, type VifStatus } from './backend.js';
export { type BridgeKey, parseBridgeKey, vlanOf } from './bridge-key.js';
export type { EmulatedHooks } from './emulated.js';
export { advertisedFeatures, QUEUES_MAX } from './features.js';
export { MTU_MAX, MTU_MIN, parseMac, parseRate, readVifInfo, type VifInfo } from './info.js';
export {
  type Locking,
  type LockingAnswer,
  type LockingKeys,
  lockingSettings,
  parseLocking,
  readLocking,
} from './locking.js';
export { parseVifName, type VifId, vifAlias, vifName } from './names.js';
export { type FrontendWishes, vifSettings } from './settings.js';
export { VERDICT_KEY, type VifCounters, type VifHooks, type VifLifecycle } from './vif.js';
