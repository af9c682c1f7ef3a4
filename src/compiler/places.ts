/** Where the values of a document stand in its file. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import type { QuickDocument } from './quick-yaml.js';
import type { WrittenText } from './scalar-places.js';

export type Path = readonly (string | number)[];

/** Offsets in the file, half open. */
export type Span = readonly [start: number, end: number, ...rest: number[]];

export interface Found {
  /** Of the value; undefined: it has no place. */
  readonly value: Span | undefined;
  /** Of its key, or that of what it is in. */
  readonly key: Span | undefined;
  /** False: nothing stands at the path; `value` is what is nearest around it. */
  readonly whole: boolean;
  /** Where it is no collection. */
  readonly scalar?: WrittenText;
}

export interface Places {
  /** From the first letter that belongs to the document to the next document. */
  readonly document: Span;
  find(path: Path): Found;
}

export type Root = Document.Parsed;

/** As the yaml package tells it. */
export class YamlPlaces implements Places {
  readonly document: Span;
  readonly #aliases = new Map<Node, Node | undefined>();

  constructor(readonly root: Root) {
    const [start, , end] = root.range;
    this.document = [start, end];
  }

  find(path: Path): Found {
    let node = this.#resolved(this.root.contents as Node | null);
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
      if (next === undefined || next === null) return { ...spansOf(node, key), whole: false };
      node = this.#resolved(next);
    }
    return { ...spansOf(node, key), whole: true, ...(isScalar(node) ? { scalar: node } : {}) };
  }

  #resolved(node: Node | null | undefined): Node | undefined {
    if (!isAlias(node)) return node ?? undefined;
    if (!this.#aliases.has(node)) this.#aliases.set(node, node.resolve(this.root) as Node | undefined);
    return this.#aliases.get(node);
  }
}

const spansOf = (node: Node | undefined, key: Node | undefined) => ({
  value: node?.range ?? undefined,
  key: key?.range ?? undefined,
});

/** From the offsets of the quick reader. */
export class QuickPlaces implements Places {
  readonly document: Span;

  constructor(
    readonly text: string,
    readonly quick: QuickDocument,
  ) {
    this.document = [quick.start, quick.end];
  }

  find(path: Path): Found {
    const { offsets } = this.quick;
    let node: unknown = this.quick.value;
    let { entry } = this.quick;
    let key: Span | undefined;
    for (const step of path) {
      const next = this.#inside(node, entry, step);
      if (next === undefined) return { value: offsets.of(entry), key, whole: false };
      entry = next;
      if (!Array.isArray(node)) key = offsets.keyOf(entry);
      node = (node as Record<string | number, unknown>)[step];
    }
    const value = offsets.of(entry);
    const scalar =
      typeof node === 'object' ? {} : { scalar: { range: value, type: this.#style(value[0]), value: node } };
    return { value, key, whole: true, ...scalar };
  }

  /** The entry of what is there; undefined: nothing is. */
  #inside(node: unknown, entry: number, step: string | number): number | undefined {
    if (typeof node !== 'object') return undefined;
    const { offsets } = this.quick;
    if (!Array.isArray(node)) {
      const index = Object.keys(node!).indexOf(String(step));
      return index < 0 ? undefined : offsets.inMap(entry, index);
    }
    const index = Number(step);
    return index in node ? offsets.inList(entry, index, node.length) : undefined;
  }

  #style(start: number): string {
    return styles[this.text[start]!] ?? 'PLAIN';
  }
}

const styles: Readonly<Record<string, string>> = { '"': 'QUOTE_DOUBLE', "'": 'QUOTE_SINGLE', '|': 'BLOCK_LITERAL' };
