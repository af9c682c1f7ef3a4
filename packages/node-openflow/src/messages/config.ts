/** ofp_switch_config (OpenFlow 1.3.5 §7.3.2). */
import type { MessageCodec } from '../codec/protocol.js';
import type { GetConfigReply, SetConfig } from '../types/message.js';

function switchConfig<M extends GetConfigReply | SetConfig>(code: number, type: M['type']): MessageCodec<M> {
  return {
    code,
    type,
    decode: (r, { version, xid }) => ({ version, xid, type, flags: r.u16(), missSendLen: r.u16() }) as M,
    encode(w, message) {
      w.u16(message.flags);
      w.u16(message.missSendLen);
    },
  };
}

export const getConfigReply = switchConfig<GetConfigReply>(8, 'get_config_reply');
export const setConfig = switchConfig<SetConfig>(9, 'set_config');
