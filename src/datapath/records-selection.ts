/** How a select group chooses a bucket, in group_mod records and in the answers about groups (docs/native-boundary.md). */
import { decodeMatch, encodeMatch, fieldOnes } from './records-match.js';
import type { RecordWriter } from './records-writer.js';
import { SelectionMethod } from './schema.gen.js';

export interface SelectionRecord {
  /** SelectionMethod */
  readonly method: number;
  readonly parameter: bigint;
  /** What counts, ascending, and which bits of it; none: all that makes a flow. */
  readonly fields: readonly { readonly field: number; readonly mask: bigint }[];
}

export const DEFAULT_SELECTION: SelectionRecord = { method: SelectionMethod.default, parameter: 0n, fields: [] };

/** Appends the fields, padded to 8; returns their bytes without the padding. */
export function writeSelectionFields(writer: RecordWriter, { fields }: Pick<SelectionRecord, 'fields'>): number {
  const bytes = encodeMatch(fields.map(({ field, mask }) => ({ field, value: 0n, mask })));
  writer.bytes(bytes);
  writer.pad8();
  return bytes.length;
}

/** Undefined when they are broken. */
export function readSelectionFields(bytes: Uint8Array): SelectionRecord['fields'] | undefined {
  const entries = decodeMatch(bytes);
  if (entries === undefined || entries.some(({ mask }) => mask === undefined)) return undefined;
  return entries.map(({ field, mask }) => ({ field, mask: mask ?? fieldOnes(field) }));
}
