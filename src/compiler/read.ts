/**
 * Files to documents: YAML 1.2 or JSON, several documents a file, every value with its place.
 *
 * Nothing is looked at here but that it is well-formed and within limits.
 */
import { Composer, type CST, isScalar, type Node, Parser, visit } from 'yaml';
import { atOnce, type Steps } from '../base/slices.js';
import type { Diagnostics } from './diagnostic.js';
import { ALIAS_FACTOR_MAX, DOCUMENTS_MAX, FILE_BYTES_MAX, NESTING_MAX } from './limits.js';
import { type Path, type Places, QuickPlaces, type Root, type Span, YamlPlaces } from './places.js';
import { quickSteps, readQuickly } from './quick-yaml.js';
import { readJson } from './read-json.js';
import { ScalarPlaces } from './scalar-places.js';
import type { Range, SourceFile } from './source.js';

/** A document as plain values, and the places they were written at. */
export class SourceDocument {
  #made: Places | undefined;
  readonly #make: () => Places;

  constructor(
    readonly file: SourceFile,
    /** Called when a place is asked for. */
    places: () => Places,
    readonly value: unknown,
    /** Where it stands, if that is known without its places. */
    readonly span?: Span,
  ) {
    this.#make = places;
  }

  get #places(): Places {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** Its text from the beginning of its first line on, and the number of that line, from 1. */
  get written(): { readonly line: number; readonly text: string } {
    const { text } = this.file;
    const [first, end] = this.span ?? this.#places.document;
    const start = text.lastIndexOf('\n', first - 1) + 1;
    return { line: this.file.place(start).line, text: text.slice(start, end) };
  }

  /** Where a value was written; of a collection its first line only. */
  rangeOf(path: Path): Range {
    return this.#firstLine(this.#places.find(path).value);
  }

  /** Where the key was written whose value the path names. */
  keyRangeOf(path: Path): Range {
    const { value, key, whole } = this.#places.find(path);
    return this.#firstLine((whole || typeof path.at(-1) === 'string' ? key : undefined) ?? value);
  }

  /** Where a letter of a text was written, counted from the text's first; `length` letters from there on. */
  rangeIn(path: Path, index: number, length = 1): Range {
    const { scalar, whole } = this.#places.find(path);
    if (!whole || typeof scalar?.value !== 'string') return this.rangeOf(path);
    const places = new ScalarPlaces(this.file.text, scalar);
    const start = places.offset(index);
    if (start === undefined) return this.rangeOf(path);
    const last = places.offset(index + length - 1);
    return { start, end: last === undefined || last < start ? start + 1 : last + 1 };
  }

  #firstLine([from, to]: Span = this.#places.document): Range {
    const start = Math.min(from, this.file.text.length);
    const end = Math.max(start, to);
    const lineEnd = this.file.text.indexOf('\n', start);
    const clipped = lineEnd < 0 ? end : Math.min(end, lineEnd);
    return { start, end: Math.max(clipped, start + 1) };
  }
}

/** The documents of a file; what is wrong goes to `diagnostics`, and documents that are not well-formed are left out. */
export const readDocuments = (file: SourceFile, diagnostics: Diagnostics): SourceDocument[] =>
  atOnce(documentSteps(file, diagnostics));

/** The same in steps, unless the file is read by the yaml package or the engine's parser of JSON. */
export function* documentSteps(file: SourceFile, diagnostics: Diagnostics): Steps<SourceDocument[]> {
  if (file.text.length > FILE_BYTES_MAX) {
    complainTo(file, diagnostics)('limit', `the file has more than ${FILE_BYTES_MAX} letters`, 0);
    return [];
  }
  const json = readJson(file.text);
  if (json !== undefined) {
    const span: Span = [file.text.search(/\S/), file.text.length];
    return [new SourceDocument(file, () => placesOfJson(file.text), json, span)];
  }
  const quick = yield* quickSteps(file.text);
  if (quick !== undefined && quick.length <= DOCUMENTS_MAX) {
    return quick.map(
      (document) => new SourceDocument(file, () => new QuickPlaces(file.text, document), document.value),
    );
  }
  return readYaml(file, diagnostics);
}

/** By the yaml package, which knows all of YAML and says what is wrong. */
export function readYaml(file: SourceFile, diagnostics: Diagnostics): SourceDocument[] {
  const error = complainTo(file, diagnostics);
  const tokens = [...new Parser().parse(file.text)];
  const deep = tooDeep(tokens);
  if (deep !== undefined) {
    error('limit', `nested more than ${NESTING_MAX} deep`, deep);
    return [];
  }
  const found: SourceDocument[] = [];
  let count = 0;
  for (const root of composed(file.text, tokens)) {
    if (++count > DOCUMENTS_MAX) {
      error('limit', `more than ${DOCUMENTS_MAX} documents in a file`, root.range[0]);
      break;
    }
    const document = documentOf(file, root, error);
    if (document !== undefined) found.push(document);
  }
  return found;
}

/** Of JSON, which was read without. */
function placesOfJson(text: string): Places {
  const [quick] = readQuickly(text) ?? [];
  if (quick !== undefined) return new QuickPlaces(text, quick);
  const [root] = composed(text);
  return new YamlPlaces(root!);
}

function composed(text: string, tokens: Iterable<CST.Token> = new Parser().parse(text)): Iterable<Root> {
  const composer = new Composer({
    version: '1.2',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    prettyErrors: false,
  });
  return composer.compose(tokens, true, text.length) as Iterable<Root>;
}

type Complain = (code: 'syntax' | 'limit', message: string, start: number, end?: number) => void;

const complainTo =
  (file: SourceFile, diagnostics: Diagnostics): Complain =>
  (code, message, start, end = start + 1) =>
    diagnostics.add({ severity: 'error', code, message, file, range: { start, end } });

function documentOf(file: SourceFile, root: Root, error: Complain): SourceDocument | undefined {
  if (root.directives.yaml.explicit === true && root.directives.yaml.version !== '1.2') {
    error('syntax', 'YAML is read as version 1.2 only', root.range[0]);
    return undefined;
  }
  const wrong = [...root.errors, ...root.warnings];
  for (const { message, pos } of wrong) error('syntax', sentence(message), pos[0], Math.max(pos[1], pos[0] + 1));
  // Where nothing stands between two separators, nothing is meant.
  if (wrong.length > 0 || root.contents === null || (isScalar(root.contents) && root.contents.value === null)) {
    return undefined;
  }
  keepLongNumbers(file, root);
  try {
    return new SourceDocument(file, () => new YamlPlaces(root), root.toJS({ maxAliasCount: ALIAS_FACTOR_MAX }));
  } catch (failure) {
    // Only aliases that stand for too much, or for nothing, make it throw.
    const alias = unresolved(root);
    const [start, end] = alias ?? root.range;
    error(alias ? 'syntax' : 'limit', sentence((failure as Error).message), start, Math.min(end, start + 1));
    return undefined;
  }
}

const sentence = (text: string): string => text.split('\n')[0]!.replace(/[.:]$/, '');

/** The first alias of nothing. */
function unresolved(root: Root): Node['range'] {
  let found: Node['range'];
  visit(root, {
    Alias(_, node) {
      if (node.resolve(root) !== undefined) return undefined;
      found = node.range;
      return visit.BREAK;
    },
  });
  return found;
}

/** Numbers that a double cannot hold, as those of 64 bits, stay the text that they were written as. */
function keepLongNumbers(file: SourceFile, root: Root): void {
  visit(root, {
    Scalar(_, node) {
      if (typeof node.value !== 'number' || Number.isSafeInteger(node.value) || !node.range) return;
      const text = file.text.slice(node.range[0], node.range[1]);
      if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) node.value = text;
    },
  });
}

/** Offset of the first collection that is nested too deep. Without recursion: that is what it protects from. */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (token.type === 'document') {
      if (token.value !== undefined) open.push({ token: token.value, depth });
    } else if ('items' in token) {
      if (depth >= NESTING_MAX) return token.offset;
      for (const { key, value } of token.items) {
        if (key) open.push({ token: key, depth: depth + 1 });
        if (value !== undefined) open.push({ token: value, depth: depth + 1 });
      }
    }
  }
  return undefined;
}
