/** Where the values of a document stand in its file. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Offsets, QuickDocument } from './quick-yaml.js';
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
    readonly offsets: ReadonlyMap<object, Offsets>,
  ) {
    this.document = [quick.start, quick.end];
  }

  find(path: Path): Found {
    let node: unknown = this.quick.value;
    let value = this.#of(node as object);
    let key: Span | undefined;
    for (const step of path) {
      const inside = typeof node === 'object' ? this.offsets.get(node!) : undefined;
      const index = Array.isArray(node)
        ? Number(step)
        : inside === undefined
          ? -1
          : Object.keys(node!).indexOf(String(step));
      const width = Array.isArray(node) ? 2 : 4;
      const at = 2 + index * width;
      if (inside === undefined || index < 0 || at >= inside.length) return { value, key, whole: false };
      if (width === 4) key = [inside[at]!, inside[at + 1]!];
      value = [inside[at + width - 2]!, inside[at + width - 1]!];
      node = (node as Record<string | number, unknown>)[step];
    }
    const scalar =
      typeof node === 'object' ? {} : { scalar: { range: value, type: this.#style(value[0]), value: node } };
    return { value, key, whole: true, ...scalar };
  }

  #of(collection: object): Span {
    const [start, end] = this.offsets.get(collection)!;
    return [start!, end!];
  }

  #style(start: number): string {
    return styles[this.text[start]!] ?? 'PLAIN';
  }
}

const styles: Readonly<Record<string, string>> = { '"': 'QUOTE_DOUBLE', "'": 'QUOTE_SINGLE', '|': 'BLOCK_LITERAL' };
