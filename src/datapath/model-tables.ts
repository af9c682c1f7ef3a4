/** How the tables of the model are set, and which flow makes room in a full one (OpenFlow 1.4.1 §6.5, §7.3.3). */
import type { Flow } from './model-flows.js';
import type { TableConfigRecord } from './records-apply.js';
import { EvictionFlag, TableMiss, tables } from './schema.gen.js';

export type TableConfig = Required<Pick<TableConfigRecord, 'maxEntries' | 'miss' | 'eviction' | 'groups'>>;

/** kFlowsPerTableMax of native/base/limits.h. */
const FLOWS_PER_TABLE_MAX = 4_000_000;
const NS_PER_SECOND = 1_000_000_000n;

export class TableConfigs {
  #configs: TableConfig[] = Array.from({ length: tables }, () => ({
    maxEntries: FLOWS_PER_TABLE_MAX,
    miss: TableMiss.default,
    eviction: 0,
    groups: [],
  }));

  of(table: number): TableConfig {
    return this.#configs[table]!;
  }

  /** Brings back, when it is called, what is set now. */
  snapshot(): () => void {
    const configs = [...this.#configs];
    return () => {
      this.#configs = configs;
    };
  }

  set(table: number, { maxEntries, miss, eviction, groups = [] }: TableConfigRecord): void {
    this.#configs[table] = { maxEntries: Math.min(maxEntries, FLOWS_PER_TABLE_MAX), miss, eviction, groups };
  }
}

function expiryNs({ hard, idle, refreshedNs, usedNs }: Flow): bigint | undefined {
  const moments = [
    ...(hard === 0 ? [] : [refreshedNs + BigInt(hard) * NS_PER_SECOND]),
    ...(idle === 0 ? [] : [usedNs + BigInt(idle) * NS_PER_SECOND]),
  ];
  return moments.length === 0 ? undefined : moments.reduce((a, b) => (a < b ? a : b));
}

function earlier(a: bigint | undefined, b: bigint | undefined): boolean {
  return a !== undefined && (b === undefined || a < b);
}

/** Whether `a` goes before `b`: of less importance, or to expire sooner, or else the older. */
function goesFirst(a: Flow, b: Flow, eviction: number): boolean {
  if ((eviction & EvictionFlag.importance) !== 0 && a.importance !== b.importance) return a.importance < b.importance;
  const [ends, others] = [expiryNs(a), expiryNs(b)];
  if ((eviction & EvictionFlag.lifetime) !== 0 && ends !== others) return earlier(ends, others);
  return a.createdNs < b.createdNs;
}

/** What it matches of the bits by which flows form groups; a field that it does not match is 0. */
function groupOf({ match }: Flow, groups: TableConfig['groups']): string {
  const matched = (field: number) => match.find((entry) => entry.field === field)?.value ?? 0n;
  return groups.map(({ field, mask }) => matched(field) & mask).join();
}

/** Those of the largest groups. */
function crowded(flows: readonly Flow[], groups: TableConfig['groups']): readonly Flow[] {
  if (groups.length === 0) return flows;
  const byGroup = new Map<string, Flow[]>();
  for (const flow of flows) {
    const group = groupOf(flow, groups);
    byGroup.set(group, [...(byGroup.get(group) ?? []), flow]);
  }
  const most = Math.max(...[...byGroup.values()].map(({ length }) => length));
  return [...byGroup.values()].filter(({ length }) => length === most).flat();
}

/** The flow that makes room for one of this importance; undefined: none does. */
export function chooseVictim(
  flows: readonly Flow[],
  { eviction, groups }: TableConfig,
  importance: number,
): Flow | undefined {
  if (eviction === 0) return undefined;
  const [head, ...rest] = crowded(flows, groups);
  if (head === undefined) return undefined;
  const first = rest.reduce((best, flow) => (goesFirst(flow, best, eviction) ? flow : best), head);
  const tooImportant = (eviction & EvictionFlag.importance) !== 0 && first.importance > importance;
  return tooImportant ? undefined : first;
}
