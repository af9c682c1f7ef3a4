/** Constants of the Nicira extensions and the table of their match fields. */
export * from './constants.js';
export { cookieField, splitCookie } from './cookie.js';
export * from './errors.js';
export { niciraFields as oxmFields } from './fields.js';
