/** Constants of OpenFlow 1.2. */
export * from './constants.js';
export * from './errors.js';
export { oxmFields12 as oxmFields } from '../of15/oxm-fields.js';
