export { DEVICES_MAX, XenbusBackend, type XenbusOptions } from './bus.js';
export type { Phase } from './decide.js';
export type { XenbusDevice } from './device.js';
export { type DeviceAddress, type DeviceDriver, DeviceError, type KeyReader } from './driver.js';
export { parseState, stateName, XenbusState } from './state.js';
