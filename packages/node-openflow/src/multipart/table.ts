/** ofp_table_stats (OpenFlow 1.0.2 §5.3.5, 1.1.0 §A.3.6.3, 1.2 §A.3.6.3, 1.3.5 §7.3.5.4) and table descriptions (1.4). */
import type { MultipartCodec } from '../codec/protocol.js';
import { tableDesc } from '../structures/tables.js';
import type { TableDescReply, TableReply, TableStats } from '../types/multipart.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { emptyBody, listBody } from './body.js';

const tableNameLength = 32;

function statsOf(
  decode: (r: WireReader) => TableStats,
  encode: (w: WireWriter, table: TableStats) => void,
): MultipartCodec {
  return { code: 3, type: 'table', request: emptyBody('table'), reply: listBody<TableReply>('table', decode, encode) };
}

/** Bits of 32, which a value holds as a bigint because 1.2 has 64 of them. */
const u32 = (w: WireWriter, bits: bigint | undefined): void => w.u32(Number(bits ?? 0n));

export const table10 = statsOf(
  (r) => {
    const tableId = r.u8();
    r.skip(3);
    const name = r.text(tableNameLength);
    const [wildcards, maxEntries, activeCount] = [BigInt(r.u32()), r.u32(), r.u32()];
    return { tableId, name, wildcards, maxEntries, activeCount, lookupCount: r.u64(), matchedCount: r.u64() };
  },
  (w, table) => {
    w.u8(table.tableId);
    w.zero(3);
    w.text(table.name ?? '', tableNameLength);
    u32(w, table.wildcards);
    w.u32(table.maxEntries ?? 0);
    w.u32(table.activeCount);
    w.u64(table.lookupCount);
    w.u64(table.matchedCount);
  },
);

export const table11 = statsOf(
  (r) => {
    const tableId = r.u8();
    r.skip(7);
    const name = r.text(tableNameLength);
    const [wildcards, match] = [BigInt(r.u32()), BigInt(r.u32())];
    const [instructions, writeActions, applyActions] = [r.u32(), r.u32(), r.u32()];
    const [config, maxEntries, activeCount] = [r.u32(), r.u32(), r.u32()];
    const bits = { wildcards, match, instructions, writeActions, applyActions, config };
    return { tableId, name, ...bits, maxEntries, activeCount, lookupCount: r.u64(), matchedCount: r.u64() };
  },
  (w, table) => {
    w.u8(table.tableId);
    w.zero(7);
    w.text(table.name ?? '', tableNameLength);
    u32(w, table.wildcards);
    u32(w, table.match);
    w.u32(table.instructions ?? 0);
    w.u32(table.writeActions ?? 0);
    w.u32(table.applyActions ?? 0);
    w.u32(table.config ?? 0);
    w.u32(table.maxEntries ?? 0);
    w.u32(table.activeCount);
    w.u64(table.lookupCount);
    w.u64(table.matchedCount);
  },
);

export const table12 = statsOf(
  (r) => {
    const tableId = r.u8();
    r.skip(7);
    const name = r.text(tableNameLength);
    const [match, wildcards] = [r.u64(), r.u64()];
    const [writeActions, applyActions] = [r.u32(), r.u32()];
    const [writeSetfields, applySetfields, metadataMatch, metadataWrite] = [r.u64(), r.u64(), r.u64(), r.u64()];
    const [instructions, config, maxEntries, activeCount] = [r.u32(), r.u32(), r.u32(), r.u32()];
    const fields = { match, wildcards, writeSetfields, applySetfields, metadataMatch, metadataWrite };
    const bits = { ...fields, writeActions, applyActions, instructions, config };
    return { tableId, name, ...bits, maxEntries, activeCount, lookupCount: r.u64(), matchedCount: r.u64() };
  },
  (w, table) => {
    w.u8(table.tableId);
    w.zero(7);
    w.text(table.name ?? '', tableNameLength);
    w.u64(table.match ?? 0n);
    w.u64(table.wildcards ?? 0n);
    w.u32(table.writeActions ?? 0);
    w.u32(table.applyActions ?? 0);
    w.u64(table.writeSetfields ?? 0n);
    w.u64(table.applySetfields ?? 0n);
    w.u64(table.metadataMatch ?? 0n);
    w.u64(table.metadataWrite ?? 0n);
    w.u32(table.instructions ?? 0);
    w.u32(table.config ?? 0);
    w.u32(table.maxEntries ?? 0);
    w.u32(table.activeCount);
    w.u64(table.lookupCount);
    w.u64(table.matchedCount);
  },
);

export const table = statsOf(
  (r) => {
    const tableId = r.u8();
    r.skip(3);
    return { tableId, activeCount: r.u32(), lookupCount: r.u64(), matchedCount: r.u64() };
  },
  (w, stats) => {
    w.u8(stats.tableId);
    w.zero(3);
    w.u32(stats.activeCount);
    w.u64(stats.lookupCount);
    w.u64(stats.matchedCount);
  },
);

export const tableDescs: MultipartCodec = {
  code: 14,
  type: 'table_desc',
  request: emptyBody('table_desc'),
  reply: listBody<TableDescReply>(
    'table_desc',
    (r, ctx) => tableDesc.decode(r, ctx),
    (w, desc, ctx) => tableDesc.encode(w, desc, ctx),
  ),
};
