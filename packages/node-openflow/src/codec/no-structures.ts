/** Tables of what a version does not have. */
import { tableOf } from './protocol.js';

export const noTable = tableOf<never>([]);
