export { type ControlLimits, controlLimits, endHashing, HASH_TYPE, type Hashing, setHashing } from './control-ring.js';
export { type EmulatedGuest, EmulatedHost, type GuestVifConfig } from './emulated-host.js';
export { GuestFrontend, type GuestFrontendOptions } from './guest-frontend.js';
export {
  freebsdPersonality,
  linuxPersonality,
  miniOsPersonality,
  netbsdPersonality,
  type Personality,
  personalities,
  unikraftPersonality,
  windowsPersonality,
} from './personality.js';
export type { GuestPhase } from './phase.js';
export { Toolstack, type ToolstackVif, type VifConfig } from './toolstack.js';
