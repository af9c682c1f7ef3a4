/** Constants of OpenFlow 1.2. */

export { oxmFields12 as oxmFields } from '../of15/oxm-fields.js';
export * from './constants.js';
export * from './errors.js';
