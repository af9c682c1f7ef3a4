/** ofp_switch_features (OpenFlow 1.0.2 §5.3.1, 1.1.0 §A.3.1, 1.3.5 §7.3.1): until 1.2 with the ports. */
import type { MessageCodec } from '../codec/protocol.js';
import { refuseOther } from '../structures/expressible.js';
import type { FeaturesReply } from '../types/message.js';
import type { PortDesc } from '../types/structures.js';
import { EncodeError } from '../wire/error.js';

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
  encode(w, message, ctx) {
    refuseOther(message.actions, 0, 'actions in a features reply', ctx);
    if ((message.ports?.length ?? 0) > 0) throw new EncodeError('since OpenFlow 1.3 a features reply has no ports');
    w.u64(message.datapathId);
    w.u32(message.nBuffers);
    w.u8(message.nTables);
    w.u8(message.auxiliaryId);
    w.zero(2);
    w.u32(message.capabilities);
    w.u32(message.reserved);
  },
};

/** `hasActions`: 1.0's bitmap of actions stands where 1.1 and 1.2 have a reserved word. */
function withPorts(hasActions: boolean): MessageCodec<FeaturesReply> {
  return {
    code: 6,
    type: 'features_reply',
    decode(r, { version, xid }, ctx) {
      const datapathId = r.u64();
      const nBuffers = r.u32();
      const nTables = r.u8();
      r.skip(3);
      const capabilities = r.u32();
      const word = r.u32();
      const ports: PortDesc[] = [];
      while (r.remaining > 0) ports.push(ctx.protocol.port.decode(r, ctx));
      const base = {
        version,
        xid,
        type: 'features_reply',
        datapathId,
        nBuffers,
        nTables,
        auxiliaryId: 0,
        capabilities,
      };
      return { ...base, ...(hasActions ? { reserved: 0, actions: word } : { reserved: word }), ports } as FeaturesReply;
    },
    encode(w, message, ctx) {
      refuseOther(message.auxiliaryId, 0, 'auxiliary connection', ctx);
      if (!hasActions) refuseOther(message.actions, 0, 'actions in a features reply', ctx);
      w.u64(message.datapathId);
      w.u32(message.nBuffers);
      w.u8(message.nTables);
      w.zero(3);
      w.u32(message.capabilities);
      w.u32(hasActions ? (message.actions ?? 0) : message.reserved);
      for (const port of message.ports ?? []) ctx.protocol.port.encode(w, port, ctx);
    },
  };
}

export const featuresReply10 = withPorts(true);
export const featuresReply11 = withPorts(false);
