/** Constants of OpenFlow 1.0. */
export * from './constants.js';
export * from './errors.js';
