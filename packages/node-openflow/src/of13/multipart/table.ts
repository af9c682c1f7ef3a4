/** ofp_table_stats (OpenFlow 1.3.5 §7.3.5.4). */
import type { MultipartCodec } from '../../codec/protocol.js';
import type { TableReply, TableStats } from '../../types/multipart.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import { emptyBody, listBody } from './body.js';

function decode(r: WireReader): TableStats {
  const tableId = r.u8();
  r.skip(3);
  return { tableId, activeCount: r.u32(), lookupCount: r.u64(), matchedCount: r.u64() };
}

function encode(w: WireWriter, table: TableStats): void {
  w.u8(table.tableId);
  w.zero(3);
  w.u32(table.activeCount);
  w.u64(table.lookupCount);
  w.u64(table.matchedCount);
}

export const table: MultipartCodec = {
  code: 3,
  type: 'table',
  request: emptyBody('table'),
  reply: listBody<TableReply>('table', decode, encode),
};
