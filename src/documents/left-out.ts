/** Which kept documents are in error: a version of this program may take less than the one that kept them. */
import type { Diagnostic, Diagnostics } from '../compiler/index.js';
import type { Documents, Kept } from './change.js';

/** With a sentence each; what is of none of them is not told. */
export function inError(diagnostics: Diagnostics, documents: Documents): ReadonlyMap<Kept, string> {
  const kept = [...documents.values()].map((document) => ({ document, lines: linesOf(document) }));
  const found = new Map<Kept, string>();
  for (const one of diagnostics.sorted()) {
    if (one.severity !== 'error') continue;
    const line = one.file.place(one.range.start).line;
    for (const { document, lines } of kept) {
      if (document.file !== one.file.name || line < document.line || line >= document.line + lines) continue;
      // A file may have been another when another of them was kept.
      if (!found.has(document) && one.file.text.includes(document.text)) found.set(document, sentenceOf(one));
    }
  }
  return found;
}

export const sentenceOf = ({ file, range, message }: Diagnostic): string =>
  `${file.name}:${file.place(range.start).line}: ${message}`;

const linesOf = ({ text }: Kept): number => text.split('\n').length;
