/**
 * The tree as a flat table of immutable nodes, and the view of it that a transaction has: nodes it touched are noted
 * with the generation they had then, nodes it changed are kept aside until commit. Operations (operations.ts) see
 * only {@link NodeView} and do not know which of both they work on.
 */
import type { Permission } from '../permissions.js';
import { StoreFailure } from './failure.js';

export interface StoreNode {
  readonly value: Buffer;
  /** The first entry names the owner. Never empty. */
  readonly permissions: readonly Permission[];
  /** Names, oldest first. */
  readonly children: readonly string[];
  /** Grows with each change anywhere; equal generations mean the same content. */
  readonly generation: number;
}

export type NodeContent = Omit<StoreNode, 'generation'>;

/** Something that watches fire for. */
export interface Change {
  readonly path: string;
  /** Only watches on this very path: nodes below a removed one. */
  readonly exact: boolean;
  /** Whoever may read by one of these lists sees the event (XSA-115). */
  readonly readable: readonly (readonly Permission[])[];
}

export interface NodeView {
  get(path: string): StoreNode | undefined;
  /** As get, but a transaction does not count the node among those it touched. */
  peek(path: string): StoreNode | undefined;
  put(path: string, content: NodeContent): void;
  remove(path: string): void;
  /** Nodes owned by a domain. */
  owned(domid: number): number;
  changed(change: Change): void;
}

export function ownerOf(node: NodeContent): number {
  return node.permissions[0]!.domid;
}

const NO_NODE = 0;

export class MemoryNodes implements NodeView {
  readonly #nodes = new Map<string, StoreNode>();
  readonly #owned = new Map<number, number>();
  readonly #fire: (change: Change) => void;
  #generation = NO_NODE;

  constructor(fire: (change: Change) => void) {
    this.#fire = fire;
  }

  get size(): number {
    return this.#nodes.size;
  }

  paths(): IterableIterator<string> {
    return this.#nodes.keys();
  }

  nextGeneration(): number {
    return ++this.#generation;
  }

  get(path: string): StoreNode | undefined {
    return this.#nodes.get(path);
  }

  peek(path: string): StoreNode | undefined {
    return this.#nodes.get(path);
  }

  put(path: string, content: NodeContent): void {
    const old = this.#nodes.get(path);
    if (old !== undefined) this.#count(ownerOf(old), -1);
    this.#count(ownerOf(content), 1);
    this.#nodes.set(path, { ...content, generation: this.nextGeneration() });
  }

  remove(path: string): void {
    const old = this.#nodes.get(path);
    if (old === undefined) return;
    this.#count(ownerOf(old), -1);
    this.#nodes.delete(path);
  }

  owned(domid: number): number {
    return this.#owned.get(domid) ?? 0;
  }

  changed(change: Change): void {
    this.#fire(change);
  }

  #count(domid: number, by: number): void {
    const count = this.owned(domid) + by;
    if (count === 0) this.#owned.delete(domid);
    else this.#owned.set(domid, count);
  }
}

export class TransactionNodes implements NodeView {
  readonly #base: MemoryNodes;
  readonly #touchedMax: number;
  /** Generation at first touch; NO_NODE where there was none. */
  readonly #touched = new Map<string, number>();
  readonly #staged = new Map<string, StoreNode | undefined>();
  readonly #owned = new Map<number, number>();
  readonly #changes: Change[] = [];

  constructor(base: MemoryNodes, touchedMax: number) {
    this.#base = base;
    this.#touchedMax = touchedMax;
  }

  /** Fails with ENOSPC when the transaction touches too many nodes. */
  get(path: string): StoreNode | undefined {
    if (this.#staged.has(path)) return this.#staged.get(path);
    const node = this.#base.get(path);
    if (!this.#touched.has(path)) {
      if (this.#touched.size >= this.#touchedMax) throw new StoreFailure('ENOSPC');
      this.#touched.set(path, node?.generation ?? NO_NODE);
    }
    return node;
  }

  peek(path: string): StoreNode | undefined {
    return this.#staged.has(path) ? this.#staged.get(path) : this.#base.peek(path);
  }

  put(path: string, content: NodeContent): void {
    const old = this.get(path);
    if (old !== undefined) this.#count(ownerOf(old), -1);
    this.#count(ownerOf(content), 1);
    this.#staged.set(path, { ...content, generation: this.#base.nextGeneration() });
  }

  remove(path: string): void {
    const old = this.get(path);
    if (old === undefined) return;
    this.#count(ownerOf(old), -1);
    this.#staged.set(path, undefined);
  }

  owned(domid: number): number {
    return this.#base.owned(domid) + (this.#owned.get(domid) ?? 0);
  }

  changed(change: Change): void {
    this.#changes.push(change);
  }

  /**
   * Makes the changes real and fires their watches in the order they were made. Fails with EAGAIN when a touched
   * node is not what it was, and with ENOSPC when `quota` (of `domid`) would now be exceeded.
   */
  commit(domid: number, quota: number): void {
    for (const [path, generation] of this.#touched) {
      if ((this.#base.get(path)?.generation ?? NO_NODE) !== generation) throw new StoreFailure('EAGAIN');
    }
    if ((this.#owned.get(domid) ?? 0) > 0 && this.owned(domid) > quota) throw new StoreFailure('ENOSPC');
    for (const [path, node] of this.#staged) {
      if (node === undefined) this.#base.remove(path);
      else this.#base.put(path, node);
    }
    for (const change of this.#changes) this.#base.changed(change);
  }

  #count(domid: number, by: number): void {
    this.#owned.set(domid, (this.#owned.get(domid) ?? 0) + by);
  }
}
