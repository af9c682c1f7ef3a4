/** ofp_table_features (OpenFlow 1.3.5 §7.3.5.5): the same list in request and reply. */
import { decodeTableFeatureProperties, encodeTableFeatureProperties } from '../../codec/lists.js';
import type { Context, MultipartCodec } from '../../codec/protocol.js';
import type { TableFeaturesBody } from '../../types/multipart.js';
import type { TableFeatures } from '../../types/structures.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import { OFPET, OFPTFFC } from '../errors.js';
import { listBody } from './body.js';

const tableNameLength = 32;

function decode(r: WireReader, ctx: Context): TableFeatures {
  const table = r.sized(0, OFPET.TABLE_FEATURES_FAILED, OFPTFFC.BAD_LEN);
  table.skip(2);
  const tableId = table.u8();
  table.skip(5);
  return {
    tableId,
    name: table.text(tableNameLength),
    metadataMatch: table.u64(),
    metadataWrite: table.u64(),
    config: table.u32(),
    maxEntries: table.u32(),
    properties: decodeTableFeatureProperties(table, ctx),
  };
}

function encode(w: WireWriter, table: TableFeatures, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u8(table.tableId);
  w.zero(5);
  w.text(table.name, tableNameLength);
  w.u64(table.metadataMatch);
  w.u64(table.metadataWrite);
  w.u32(table.config);
  w.u32(table.maxEntries);
  encodeTableFeatureProperties(w, table.properties, ctx);
  w.patchLength(start, 0);
}

const body = listBody<TableFeaturesBody>('table_features', decode, encode);

export const tableFeatures: MultipartCodec = { code: 12, type: 'table_features', request: body, reply: body };
