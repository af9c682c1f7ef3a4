/** Chains of other formats → ServiceChain files. */
import { At, say } from '../at.js';
import type { Diagnostics } from '../diagnostic.js';
import { readDocuments } from '../read.js';
import type { SourceFile } from '../source.js';
import { type ImportedChain, printChains } from './imported.js';
import { fromNetworkingSfc } from './networking-sfc.js';
import { Reading } from './reading.js';
import { fromSol001 } from './sol001.js';
import { fromSol006 } from './sol006.js';
import { fromTosca } from './tosca.js';

const readers = {
  'networking-sfc': fromNetworkingSfc,
  tosca: fromTosca,
  sol001: fromSol001,
  sol006: fromSol006,
} as const satisfies Readonly<Record<string, (roots: readonly At[], reading: Reading) => ImportedChain[]>>;
export type ImportFormat = keyof typeof readers;
export const importFormats = Object.keys(readers) as readonly ImportFormat[];

/** ServiceChain documents in YAML; undefined, and said, where the file has mistakes. */
export function importChains(format: ImportFormat, file: SourceFile, diagnostics: Diagnostics): string | undefined {
  const roots = readDocuments(file, diagnostics).map((document) => At.root(document));
  if (diagnostics.errors > 0) return undefined;
  const [first] = roots;
  if (first === undefined) {
    diagnostics.add({
      severity: 'error',
      code: 'missing',
      message: 'there is no document',
      file,
      range: { start: 0, end: 1 },
    });
    return undefined;
  }
  const reading = new Reading(diagnostics);
  const chains = readers[format](roots, reading);
  if (diagnostics.errors === 0 && chains.length === 0)
    say(diagnostics, first, 'missing', 'there is no chain in the file');
  return diagnostics.errors > 0 ? undefined : printChains(chains, `${format}, ${file.name}`);
}
