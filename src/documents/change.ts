/** What is kept of documents, and the records that say how it changes (journal.proto). */
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { packageRoot } from '../base/package-root.js';
import type { DocumentText } from '../compiler/index.js';
import { DOCUMENTS_MAX, RECORD_BYTES_MAX } from './limits.js';

/** A document that is kept. */
export interface Kept extends DocumentText {
  /** Milliseconds since 1970. */
  readonly appliedMs: number;
  /** Words of it that were the name of a port. */
  readonly portNames: readonly string[];
}

export interface Change {
  readonly put: readonly Kept[];
  readonly removed: readonly string[];
}

/** By name. */
export type Documents = ReadonlyMap<string, Kept>;

const record = protobuf.loadSync(join(packageRoot, 'src/documents/journal.proto')).lookupType('xvif.journal.v1.Change');

export const encodeChange = (change: Change): Uint8Array => record.encode(record.fromObject(change)).finish();

/** Throws a sentence for what is no change. */
export function decodeChange(bytes: Uint8Array): Change {
  if (bytes.length > RECORD_BYTES_MAX) throw new Error(`a record of ${bytes.length} bytes`);
  const { put, removed } = record.toObject(record.decode(bytes), {
    longs: Number,
    defaults: true,
    arrays: true,
  }) as Change;
  const nameless = put.some(({ name, owner, kind, line }) => name === '' || owner === '' || kind === '' || line === 0);
  if (nameless) throw new Error('a document without name, kind, owner or line');
  if (put.length > DOCUMENTS_MAX) throw new Error(`${put.length} documents in one record`);
  return { put, removed };
}

export function changed(before: Documents, { put, removed }: Change): Documents {
  const documents = new Map(before);
  for (const name of removed) documents.delete(name);
  for (const document of put) documents.set(document.name, document);
  return documents;
}

/** What makes the one of the other. */
export function difference(before: Documents, after: Documents): Change {
  return {
    put: [...after.values()].filter((document) => before.get(document.name) !== document),
    removed: [...before.keys()].filter((name) => !after.has(name)),
  };
}
