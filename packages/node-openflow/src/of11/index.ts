/** Constants of OpenFlow 1.1. */
export * from './constants.js';
export * from './errors.js';
