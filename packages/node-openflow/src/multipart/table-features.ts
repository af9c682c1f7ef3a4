/** ofp_table_features (OpenFlow 1.3.5 §7.3.5.5, 1.5.1 §7.3.5.18): the same list in request and reply. */
import { decodeTableFeatureProperties, encodeTableFeatureProperties } from '../codec/lists.js';
import type { Context, MultipartCodec } from '../codec/protocol.js';
import { OFPET, OFPTFFC } from '../of13/errors.js';
import { refuseOther } from '../structures/expressible.js';
import type { TableFeaturesBody } from '../types/multipart.js';
import type { TableFeatures } from '../types/structures.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { listBody } from './body.js';

const tableNameLength = 32;

/** 1.5 has a command and flags where 1.3 and 1.4 have padding. */
function decode(r: WireReader, ctx: Context, hasCommand: boolean): TableFeatures {
  const table = r.sized(0, OFPET.TABLE_FEATURES_FAILED, OFPTFFC.BAD_LEN);
  table.skip(2);
  const tableId = table.u8();
  const command = table.u8();
  const features = table.u32();
  return {
    tableId,
    ...(hasCommand ? { command, features } : {}),
    name: table.text(tableNameLength),
    metadataMatch: table.u64(),
    metadataWrite: table.u64(),
    config: table.u32(),
    maxEntries: table.u32(),
    properties: decodeTableFeatureProperties(table, ctx),
  };
}

function encode(w: WireWriter, table: TableFeatures, ctx: Context, hasCommand: boolean): void {
  if (!hasCommand) {
    refuseOther(table.command, 0, 'command in table features', ctx);
    refuseOther(table.features, 0, 'flags in table features', ctx);
  }
  const start = w.mark();
  w.u16(0);
  w.u8(table.tableId);
  w.u8(table.command ?? 0);
  w.u32(table.features ?? 0);
  w.text(table.name, tableNameLength);
  w.u64(table.metadataMatch);
  w.u64(table.metadataWrite);
  w.u32(table.config);
  w.u32(table.maxEntries);
  encodeTableFeatureProperties(w, table.properties, ctx);
  w.patchLength(start, 0);
}

function featuresOf(hasCommand: boolean): MultipartCodec {
  const body = listBody<TableFeaturesBody>(
    'table_features',
    (r, ctx) => decode(r, ctx, hasCommand),
    (w, table, ctx) => encode(w, table, ctx, hasCommand),
  );
  return { code: 12, type: 'table_features', request: body, reply: body };
}

export const tableFeatures = featuresOf(false);
export const tableFeatures15 = featuresOf(true);
