/** Constants of OpenFlow 1.4. */

export { oxmFields14 as oxmFields } from '../of15/oxm-fields.js';
export * from './constants.js';
export * from './errors.js';
