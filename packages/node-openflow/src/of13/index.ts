/** All constants of OpenFlow 1.3. */
export * from './constants.js';
export * from './errors.js';
export { OFPXMC, oxmFields13 as oxmFields } from './oxm-fields.js';
