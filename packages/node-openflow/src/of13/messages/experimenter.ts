/** ofp_experimenter_header (OpenFlow 1.3.5 §7.5.4): passed on as bytes. */
import type { MessageCodec } from '../../codec/protocol.js';
import type { Experimenter } from '../../types/message.js';

export const experimenter: MessageCodec<Experimenter> = {
  code: 4,
  type: 'experimenter',
  decode: (r, { version, xid }) => ({
    version,
    xid,
    type: 'experimenter',
    experimenter: r.u32(),
    expType: r.u32(),
    data: r.rest(),
  }),
  encode(w, message) {
    w.u32(message.experimenter);
    w.u32(message.expType);
    w.bytes(message.data);
  },
};
