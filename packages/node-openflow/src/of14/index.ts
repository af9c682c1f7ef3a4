/** Constants of OpenFlow 1.4. */
export * from './constants.js';
export * from './errors.js';
export { oxmFields14 as oxmFields } from '../of15/oxm-fields.js';
