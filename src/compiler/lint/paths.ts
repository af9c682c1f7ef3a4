/** Ways through the tables: tables that nothing leads to, and circles. */
import type { Action } from 'node-openflow';
import { say } from '../at.js';
import type { Diagnostics } from '../diagnostic.js';
import type { Origin, Program } from '../program.js';
import { actionsOf, groupsOf, resubmits } from './flows.js';
import { tell } from './tell.js';

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly origin: Origin;
}

function edgesOf(program: Program): Edge[] {
  const groups = groupsOf(program);
  const found = new Map<string, Edge>();
  // Flows that do the same may share their instructions.
  const looked = new Map<number, Set<object>>();
  for (const { mod, origin } of program.flows) {
    const known = looked.get(mod.tableId) ?? new Set();
    if (known.has(mod.instructions)) continue;
    looked.set(mod.tableId, known.add(mod.instructions));
    const goto = mod.instructions.flatMap((one) => (one.type === 'goto_table' ? [one.tableId] : []));
    const actions = actionsOf(mod.instructions);
    const looks = resubmits(actions, groups).map((table) => table ?? mod.tableId);
    for (const to of [...goto, ...looks]) {
      if (to === mod.tableId && takesTagsOff(actions)) continue;
      const key = `${mod.tableId} ${to}`;
      if (!found.has(key)) found.set(key, { from: mod.tableId, to, origin });
    }
  }
  return [...found.values()];
}

/** Of a packet with a tag less each time there is an end. */
const takesTagsOff = (actions: readonly Action[]): boolean =>
  actions[0]?.type === 'pop_vlan' && !actions.some(({ type }) => type === 'push_vlan');

export function lintPaths(program: Program, diagnostics: Diagnostics): void {
  const edges = edgesOf(program);
  lintUnreachable(program, edges, diagnostics);
  lintLoops(program, edges, diagnostics);
}

function lintUnreachable(program: Program, edges: readonly Edge[], diagnostics: Diagnostics): void {
  const reached = new Set([0]);
  for (const table of reached) for (const { from, to } of edges) if (from === table) reached.add(to);
  const used = new Set(program.flows.map(({ mod }) => mod.tableId));
  for (const { document, name, id, at } of program.tables) {
    if (reached.has(id) || !used.has(id) || program.allowed.get(document)?.has('unreachable')) continue;
    say(
      diagnostics,
      at,
      'unreachable',
      `no packet comes to table ${name} (${id}): packets begin in table 0, and nothing leads from there to it`,
      { severity: 'warning' },
    );
  }
}

/** Goto only leads onwards; a circle has a resubmit in it, and its packets are dropped after 64 rounds. */
function lintLoops(program: Program, edges: readonly Edge[], diagnostics: Diagnostics): void {
  const done = new Set<number>();
  const visit = (table: number, way: readonly Edge[]): void => {
    const start = way.findIndex(({ from }) => from === table);
    if (start >= 0) {
      const circle = way.slice(start);
      const last = circle.at(-1)!;
      const tables = [...circle.map(({ from }) => from), table].join(' → ');
      const message = `packets may go round in a circle: table ${tables}`;
      tell(
        program,
        diagnostics,
        last.origin,
        'loop',
        message,
        circle.slice(0, -1).map(({ origin }) => origin),
      );
      return;
    }
    if (done.has(table)) return;
    for (const edge of edges) if (edge.from === table) visit(edge.to, [...way, edge]);
    done.add(table);
  };
  for (const table of new Set(edges.map(({ from }) => from))) visit(table, []);
}
