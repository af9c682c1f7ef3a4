/** Messages that are a header and nothing else; any further byte makes them BAD_LEN (OpenFlow 1.3.5 §7.1.1). */
import type { MessageCodec } from '../codec/protocol.js';
import type {
  BarrierReply,
  BarrierRequest,
  FeaturesRequest,
  GetAsyncRequest,
  GetConfigRequest,
} from '../types/message.js';

type Empty = FeaturesRequest | GetConfigRequest | BarrierRequest | BarrierReply | GetAsyncRequest;

function empty(code: number, type: Empty['type']): MessageCodec<Empty> {
  return {
    code,
    type,
    decode: (_, { version, xid }) => ({ version, xid, type }),
    encode() {},
  };
}

/** §7.3.1 */
export const featuresRequest = empty(5, 'features_request');
/** §7.3.2 */
export const getConfigRequest = empty(7, 'get_config_request');
/** §7.3.8 */
export const barrierRequest = empty(20, 'barrier_request');
export const barrierReply = empty(21, 'barrier_reply');
/** §7.3.10 */
export const getAsyncRequest = empty(26, 'get_async_request');
/** 1.0 numbers them differently. */
export const barrierRequest10 = empty(18, 'barrier_request');
export const barrierReply10 = empty(19, 'barrier_reply');
