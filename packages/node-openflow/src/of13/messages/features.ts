/** ofp_switch_features (OpenFlow 1.3.5 §7.3.1). */
import type { MessageCodec } from '../../codec/protocol.js';
import type { FeaturesReply } from '../../types/message.js';

export const featuresReply: MessageCodec<FeaturesReply> = {
  code: 6,
  type: 'features_reply',
  decode(r, { version, xid }) {
    const datapathId = r.u64();
    const nBuffers = r.u32();
    const nTables = r.u8();
    const auxiliaryId = r.u8();
    r.skip(2);
    return {
      version,
      xid,
      type: 'features_reply',
      datapathId,
      nBuffers,
      nTables,
      auxiliaryId,
      capabilities: r.u32(),
      reserved: r.u32(),
    };
  },
  encode(w, message) {
    w.u64(message.datapathId);
    w.u32(message.nBuffers);
    w.u8(message.nTables);
    w.u8(message.auxiliaryId);
    w.zero(2);
    w.u32(message.capabilities);
    w.u32(message.reserved);
  },
};
