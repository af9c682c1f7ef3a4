/** ofp_async_config: which asynchronous messages a controller wants, per role (OpenFlow 1.3.5 §7.3.10). */
import type { MessageCodec } from '../../codec/protocol.js';
import type { GetAsyncReply, SetAsync } from '../../types/message.js';

function asyncConfig<M extends GetAsyncReply | SetAsync>(code: number, type: M['type']): MessageCodec<M> {
  return {
    code,
    type,
    decode: (r, { version, xid }) =>
      ({
        version,
        xid,
        type,
        packetInMask: [r.u32(), r.u32()],
        portStatusMask: [r.u32(), r.u32()],
        flowRemovedMask: [r.u32(), r.u32()],
      }) as const as unknown as M,
    encode(w, message) {
      for (const mask of [message.packetInMask, message.portStatusMask, message.flowRemovedMask]) {
        w.u32(mask[0]);
        w.u32(mask[1]);
      }
    },
  };
}

export const getAsyncReply = asyncConfig<GetAsyncReply>(27, 'get_async_reply');
export const setAsync = asyncConfig<SetAsync>(28, 'set_async');
