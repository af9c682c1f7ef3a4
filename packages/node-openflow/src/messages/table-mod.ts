/** ofp_table_mod and ofp_table_status (OpenFlow 1.3.5 §7.3.3, 1.4.1 §7.3.3, §7.4.5). */
import type { MessageCodec } from '../codec/protocol.js';
import { refuseProperties } from '../structures/expressible.js';
import { present } from '../structures/properties.js';
import { tableDesc, tableProperties } from '../structures/tables.js';
import type { TableMod, TableStatus } from '../types/message.js';

/** Since 1.4 with properties. */
function tableModOf(hasProperties: boolean): MessageCodec<TableMod> {
  return {
    code: 17,
    type: 'table_mod',
    decode(r, { version, xid }, ctx) {
      const tableId = r.u8();
      r.skip(3);
      const config = r.u32();
      const properties = hasProperties ? present(tableProperties.decode(r, ctx)) : {};
      return { version, xid, type: 'table_mod', tableId, config, ...properties };
    },
    encode(w, message, ctx) {
      w.u8(message.tableId);
      w.zero(3);
      w.u32(message.config);
      if (hasProperties) tableProperties.encode(w, message.properties, ctx);
      else refuseProperties(message.properties, ctx, 'table property');
    },
  };
}

export const tableMod = tableModOf(false);
export const tableMod14 = tableModOf(true);

export const tableStatus: MessageCodec<TableStatus> = {
  code: 31,
  type: 'table_status',
  decode(r, { version, xid }, ctx) {
    const reason = r.u8();
    r.skip(7);
    return { version, xid, type: 'table_status', reason, table: tableDesc.decode(r, ctx) };
  },
  encode(w, message, ctx) {
    w.u8(message.reason);
    w.zero(7);
    tableDesc.encode(w, message.table, ctx);
  },
};
