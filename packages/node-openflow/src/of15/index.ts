/** Constants of OpenFlow 1.5. */

export { OFPXSC } from '../structures/stats.js';
export * from './constants.js';
export * from './errors.js';
export { oxmFields15 as oxmFields } from './oxm-fields.js';
