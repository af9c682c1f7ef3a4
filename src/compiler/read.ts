/**
 * Files to documents: YAML 1.2 or JSON, several documents a file, every value with its place.
 *
 * Nothing is looked at here but that it is well-formed and within limits.
 */
import { Composer, type CST, type Document, isAlias, isMap, isScalar, isSeq, type Node, Parser, visit } from 'yaml';
import type { Diagnostics } from './diagnostic.js';
import { ALIAS_FACTOR_MAX, DOCUMENTS_MAX, FILE_BYTES_MAX, NESTING_MAX } from './limits.js';
import { readJson } from './read-json.js';
import { ScalarPlaces } from './scalar-places.js';
import type { Range, SourceFile } from './source.js';

export type Path = readonly (string | number)[];

type Root = Document.Parsed;

/** A document as plain values, and the places they were written at. */
export class SourceDocument {
  #made: Root | undefined;
  readonly #make: () => Root;
  readonly #aliases = new Map<Node, Node | undefined>();

  constructor(
    readonly file: SourceFile,
    /** Called when a place is asked for. */
    root: () => Root,
    readonly value: unknown,
  ) {
    this.#make = root;
  }

  get #root(): Root {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** The node at a path; where there is none, the nearest around it. */
  #node(path: Path): { readonly node: Node | undefined; readonly key: Node | undefined; readonly whole: boolean } {
    let node = this.#resolved(this.#root.contents as Node | null);
    let key: Node | undefined;
    for (const step of path) {
      let next: Node | null | undefined;
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        key = pair === undefined ? key : (pair.key as Node);
        next = pair === undefined ? undefined : ((pair.value ?? pair.key) as Node);
      } else if (isSeq(node)) {
        next = node.items[Number(step)] as Node | undefined;
      }
      if (next === undefined || next === null) return { node, key, whole: false };
      node = this.#resolved(next);
    }
    return { node, key, whole: true };
  }

  #resolved(node: Node | null | undefined): Node | undefined {
    if (!isAlias(node)) return node ?? undefined;
    if (!this.#aliases.has(node)) this.#aliases.set(node, node.resolve(this.#root) as Node | undefined);
    return this.#aliases.get(node);
  }

  /** Its text from the beginning of its first line on, and the number of that line, from 1. */
  get written(): { readonly line: number; readonly text: string } {
    const { text } = this.file;
    const [first, , end] = this.#root.range;
    const start = text.lastIndexOf('\n', first - 1) + 1;
    return { line: this.file.place(start).line, text: text.slice(start, end) };
  }

  /** Where a value was written; of a collection its first line only. */
  rangeOf(path: Path): Range {
    const { node } = this.#node(path);
    return this.#firstLine(node?.range ?? this.#root.range);
  }

  /** Where the key was written whose value the path names. */
  keyRangeOf(path: Path): Range {
    const { node, key, whole } = this.#node(path);
    const at = (whole || typeof path.at(-1) === 'string' ? key : undefined) ?? node;
    return this.#firstLine(at?.range ?? this.#root.range);
  }

  /** Where a letter of a text was written, counted from the text's first; `length` letters from there on. */
  rangeIn(path: Path, index: number, length = 1): Range {
    const { node, whole } = this.#node(path);
    if (!whole || !isScalar(node) || typeof node.value !== 'string') return this.rangeOf(path);
    const places = new ScalarPlaces(this.file.text, node);
    const start = places.offset(index);
    if (start === undefined) return this.rangeOf(path);
    const last = places.offset(index + length - 1);
    return { start, end: last === undefined || last < start ? start + 1 : last + 1 };
  }

  #firstLine(range: readonly [number, number, number] | null | undefined): Range {
    const start = Math.min(range?.[0] ?? 0, this.file.text.length);
    const end = Math.max(start, range?.[1] ?? start);
    const lineEnd = this.file.text.indexOf('\n', start);
    const clipped = lineEnd < 0 ? end : Math.min(end, lineEnd);
    return { start, end: Math.max(clipped, start + 1) };
  }
}

/** The documents of a file; what is wrong goes to `diagnostics`, and documents that are not well-formed are left out. */
export function readDocuments(file: SourceFile, diagnostics: Diagnostics): SourceDocument[] {
  const error = (code: 'syntax' | 'limit', message: string, start: number, end = start + 1): void =>
    diagnostics.add({ severity: 'error', code, message, file, range: { start, end } });
  if (file.text.length > FILE_BYTES_MAX) {
    error('limit', `the file has more than ${FILE_BYTES_MAX} letters`, 0);
    return [];
  }
  const json = readJson(file.text);
  if (json !== undefined) return [new SourceDocument(file, () => [...composed(file.text)][0]!, json)];
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
    return new SourceDocument(file, () => root, root.toJS({ maxAliasCount: ALIAS_FACTOR_MAX }));
  } catch (failure) {
    // Only aliases that stand for too much, or for nothing, make it throw.
    const [start, end] = unresolved(root) ?? root.range;
    error('limit', sentence((failure as Error).message), start, Math.min(end, start + 1));
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
