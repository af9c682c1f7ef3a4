/** Tables of what a version does not have. */
import { EncodeError } from '../wire/error.js';
import { type Buckets, tableOf } from './protocol.js';

export const noTable = tableOf<never>([]);

/** 1.0 has no groups, so that nothing leads here. */
export const noBuckets: Buckets = {
  decode: () => {
    throw new Error('unreachable: OpenFlow 1.0 has no groups');
  },
  encode: () => {
    throw new EncodeError('OpenFlow 1.0 has no groups');
  },
};
