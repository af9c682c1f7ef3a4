/** ofp_table_mod (OpenFlow 1.3.5 §7.3.3). */
import type { MessageCodec } from '../../codec/protocol.js';
import type { TableMod } from '../../types/message.js';

export const tableMod: MessageCodec<TableMod> = {
  code: 17,
  type: 'table_mod',
  decode(r, { version, xid }) {
    const tableId = r.u8();
    r.skip(3);
    return { version, xid, type: 'table_mod', tableId, config: r.u32() };
  },
  encode(w, message) {
    w.u8(message.tableId);
    w.zero(3);
    w.u32(message.config);
  },
};
