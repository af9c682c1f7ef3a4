export type * from './action.js';
export type * from './message.js';
export type * from './multipart.js';
export type * from './oxm.js';
export type * from './oxs.js';
export type * from './property.js';
export type * from './structures.js';
