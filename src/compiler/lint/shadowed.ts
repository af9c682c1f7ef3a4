/**
 * Rules that never match, and rules of one priority that disagree.
 *
 * Flows are kept by the bits that they look at (as in tuple space search), so that one look-up per combination of bits
 * says whether a flow lies within another. A flow that only several others together cover is not found.
 */
import { say } from '../at.js';
import type { Diagnostics } from '../diagnostic.js';
import { LINT_MASKS_MAX } from '../limits.js';
import type { Program, ProgramFlow } from '../program.js';
import { common, looksAtLess, type Masks, masksOf, projected, shapeOf } from './cube.js';
import { doesSame, isClause, type LintFlow, type LintTables } from './flows.js';
import { tell } from './tell.js';

/** A flow, what it looks at, and the values of that where they are known without its cube. */
class Entry {
  readonly flow: ProgramFlow;
  readonly signature: string;
  readonly key: string | undefined;

  constructor(readonly of: LintFlow) {
    this.flow = of.flow;
    ({ signature: this.signature, key: this.key } = shapeOf(of.flow.mod.match));
  }

  /** Its values of the bits of a tuple. */
  in({ signature, masks }: Tuple): string {
    return (signature === this.signature ? this.key : undefined) ?? projected(this.of.cube, masks);
  }
}

/** Flows that look at the same bits. */
interface Tuple {
  readonly signature: string;
  readonly masks: Masks;
  readonly flows: Map<string, ProgramFlow>;
}

export function lintShadowed(program: Program, tables: LintTables, diagnostics: Diagnostics): void {
  for (const [, flows] of tables) {
    const entries = flows.filter((flow) => !isClause(flow)).map((flow) => new Entry(flow));
    const masks = new Set(entries.map(({ signature }) => signature));
    if (masks.size > LINT_MASKS_MAX) {
      const [first] = entries;
      say(
        diagnostics,
        first!.flow.origin.at,
        'limit',
        `its table has ${masks.size} combinations of masks: shadowed and overlapping rules are not looked for`,
        { severity: 'note' },
      );
      continue;
    }
    lintTable(entries, program, diagnostics);
  }
}

function lintTable(entries: readonly Entry[], program: Program, diagnostics: Diagnostics): void {
  const tuples = new Tuples();
  const alive = new Set<bigint>();
  const shadowed = new Map<bigint, { readonly flow: ProgramFlow; readonly by: ProgramFlow }>();
  for (const level of levels(entries)) {
    for (const entry of level) {
      const { flow } = entry;
      const by = tuples.covering(entry);
      if (by === undefined) alive.add(flow.mod.cookie);
      else if (!shadowed.has(flow.mod.cookie)) shadowed.set(flow.mod.cookie, { flow, by });
    }
    lintLevel(level, program, diagnostics);
    for (const entry of level) tuples.add(entry);
  }
  for (const [cookie, { flow, by }] of shadowed) {
    if (alive.has(cookie)) continue;
    tell(
      program,
      diagnostics,
      flow.origin,
      'shadowed',
      `${flow.origin.name} never matches: ${by.origin.name} takes all its packets`,
      [by.origin],
    );
  }
}

/** Flows of one priority. */
function levels(entries: readonly Entry[]): Entry[][] {
  const found: Entry[][] = [];
  for (const entry of entries) {
    const last = found.at(-1);
    if (last?.[0]?.flow.mod.priority === entry.flow.mod.priority) last.push(entry);
    else found.push([entry]);
  }
  return found;
}

/** Flows so far, by the bits that they look at. */
class Tuples {
  readonly #bySignature = new Map<string, Tuple>();
  readonly #all: Tuple[] = [];
  /** For each combination of bits the tuples that look at none besides, of the first `looked` ones. */
  readonly #less = new Map<string, { looked: number; readonly tuples: Tuple[] }>();

  add(entry: Entry): void {
    const { signature } = entry;
    let tuple = this.#bySignature.get(signature);
    if (tuple === undefined) {
      tuple = { signature, masks: masksOf(entry.of.cube), flows: new Map() };
      this.#bySignature.set(signature, tuple);
      this.#all.push(tuple);
    }
    const key = entry.in(tuple);
    if (!tuple.flows.has(key)) tuple.flows.set(key, entry.flow);
  }

  /** One that takes all packets of it. */
  covering(entry: Entry): ProgramFlow | undefined {
    for (const tuple of this.#lookingAtLess(entry)) {
      const found = tuple.flows.get(entry.in(tuple));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #lookingAtLess({ signature, of }: Entry): readonly Tuple[] {
    const less = this.#less.get(signature) ?? { looked: 0, tuples: [] };
    if (less.looked === this.#all.length) return less.tuples;
    this.#less.set(signature, less);
    const masks = masksOf(of.cube);
    for (; less.looked < this.#all.length; less.looked++) {
      const tuple = this.#all[less.looked]!;
      if (looksAtLess(tuple.masks, masks)) less.tuples.push(tuple);
    }
    return less.tuples;
  }
}

/** Combinations of bits of one priority that are compared with each other. */
const LEVEL_TUPLES_MAX = 200;

function lintLevel(level: readonly Entry[], program: Program, diagnostics: Diagnostics): void {
  if (level.length === 1) return;
  const tuples = [...grouped(level).values()];
  if (tuples.length > LEVEL_TUPLES_MAX) return;
  const told = new Set<string>();
  for (const [index, left] of tuples.entries()) {
    for (const right of tuples.slice(index + 1)) {
      const masks = common(masksOf(left[0]!.of.cube), masksOf(right[0]!.of.cube));
      const byKey = new Map(left.map(({ of, flow }) => [projected(of.cube, masks), flow]));
      for (const { flow, of } of right) {
        const other = byKey.get(projected(of.cube, masks));
        if (other !== undefined) overlap(other, flow, program, diagnostics, told);
      }
    }
  }
}

function grouped(level: readonly Entry[]): Map<string, Entry[]> {
  const found = new Map<string, Entry[]>();
  for (const entry of level) {
    const list = found.get(entry.signature) ?? [];
    list.push(entry);
    found.set(entry.signature, list);
  }
  return found;
}

function overlap(a: ProgramFlow, b: ProgramFlow, program: Program, diagnostics: Diagnostics, told: Set<string>): void {
  if (a.mod.cookie === b.mod.cookie || doesSame(a, b)) return;
  const pair = `${a.mod.cookie} ${b.mod.cookie}`;
  if (told.has(pair)) return;
  told.add(pair);
  const [first, second] = a.origin.at.range().start < b.origin.at.range().start ? [a, b] : [b, a];
  const message = `${second.origin.name} and ${first.origin.name} have priority ${a.mod.priority}, match some of the same packets and do different things`;
  tell(program, diagnostics, second.origin, 'overlap', message, [first.origin]);
}
