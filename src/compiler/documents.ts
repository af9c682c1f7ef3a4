/** Files taken apart: each document by itself, so that it can be kept and compiled again, with the lines it stood on. */
import { atOnce, type Steps } from '../base/slices.js';
import { At } from './at.js';
import { type ReadDocument, readSteps } from './compile.js';
import type { Diagnostics } from './diagnostic.js';
import { SourceFile } from './source.js';

/** A document as it was written. */
export interface DocumentText {
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  /** Path of its file, as the user gave it. */
  readonly file: string;
  /** Of the file, where the text begins; from 1. */
  readonly line: number;
  readonly text: string;
}

/** With what was read. */
export interface ReadText extends DocumentText {
  readonly read: ReadDocument;
}

/** What is wrong is said; documents that are no good are left out. */
export const documentsOf = (files: readonly SourceFile[], diagnostics: Diagnostics): ReadText[] =>
  atOnce(textSteps(files, diagnostics));

/** The same in steps. */
export function* textSteps(files: readonly SourceFile[], diagnostics: Diagnostics): Steps<ReadText[]> {
  return (yield* readSteps(files, diagnostics)).map((read) => {
    const { document, kind } = read;
    const { name, owner = name } = At.root(document).key('metadata').value as { name: string; owner?: string };
    const { line, text } = document.written;
    return { name, kind, owner, file: document.file.name, line, text, read };
  });
}

/** A file in which the document stands on the lines on which it stood. */
export const sourceOf = ({ file, line, text }: DocumentText): SourceFile =>
  new SourceFile(file, '\n'.repeat(line - 1) + text);
