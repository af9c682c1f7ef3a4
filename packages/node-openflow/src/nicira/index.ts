/** Constants of the Nicira extensions and the table of their match fields. */
export * from './constants.js';
export { niciraFields as oxmFields } from './fields.js';
