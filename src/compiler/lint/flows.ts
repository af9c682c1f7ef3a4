/** A program's flows as the lints look at them. */
import type { Action, Bucket, Instruction } from 'node-openflow';
import { formatInstructions } from 'node-openflow/text';
import type { Program, ProgramFlow } from '../program.js';
import { type Cube, cubeOf } from './cube.js';

/** There are very many of them; of most no cube is asked for. */
export class LintFlow {
  #cube: Cube | undefined;

  constructor(readonly flow: ProgramFlow) {}

  get cube(): Cube {
    this.#cube ??= cubeOf(this.flow.mod.match);
    return this.#cube;
  }
}

/** By table, highest priority first. */
export type LintTables = ReadonlyMap<number, readonly LintFlow[]>;

export function tablesOf(program: Program): LintTables {
  const tables = new Map<number, LintFlow[]>();
  for (const flow of program.flows) {
    const list = tables.get(flow.mod.tableId) ?? [];
    tables.set(flow.mod.tableId, list);
    list.push(new LintFlow(flow));
  }
  for (const list of tables.values()) list.sort((a, b) => b.flow.mod.priority - a.flow.mod.priority);
  return tables;
}

/** All actions, those within others included. */
export function actionsOf(instructions: readonly Instruction[]): Action[] {
  return instructions.flatMap((one) =>
    one.type === 'apply_actions' || one.type === 'write_actions' ? unfolded(one.actions) : [],
  );
}

export function unfolded(actions: readonly Action[]): Action[] {
  return actions.flatMap((action) => (action.type === 'nx_clone' ? [action, ...unfolded(action.actions)] : [action]));
}

/** Flows that do the same may share their instructions. */
const clauses = new WeakMap<readonly Instruction[], boolean>();

/** Flows of conjunctions are parts of matches, not matches. */
export function isClause({ flow }: LintFlow): boolean {
  const { instructions } = flow.mod;
  const known = clauses.get(instructions) ?? actionsOf(instructions).some(({ type }) => type === 'nx_conjunction');
  clauses.set(instructions, known);
  return known;
}

export const doesSame = (a: ProgramFlow, b: ProgramFlow): boolean =>
  formatInstructions(a.mod.instructions) === formatInstructions(b.mod.instructions);

/** Tables that actions look into, by resubmit; `undefined`: the table that the flow is in. */
export function resubmits(
  actions: readonly Action[],
  groups: ReadonlyMap<number, readonly Bucket[]>,
): (number | undefined)[] {
  return unfolded(actions).flatMap((action) => {
    if (action.type === 'nx_resubmit') return [undefined];
    if (action.type === 'nx_resubmit_table' || action.type === 'nx_resubmit_table_ct') {
      return [action.tableId === 0xff ? undefined : action.tableId];
    }
    if (action.type !== 'group') return [];
    const buckets = groups.get(action.groupId) ?? [];
    // A group's buckets may not lead to groups without end; one level is what is looked at.
    return buckets.flatMap((bucket) =>
      resubmits(
        bucket.actions.filter(({ type }) => type !== 'group'),
        groups,
      ),
    );
  });
}

export const groupsOf = (program: Program): ReadonlyMap<number, readonly Bucket[]> =>
  new Map(program.groups.map(({ mod }) => [mod.groupId, mod.buckets]));
