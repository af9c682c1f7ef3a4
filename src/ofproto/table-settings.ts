/**
 * What controllers and the operator set of each table: misses (OpenFlow 1.1.0 §A.3.3), eviction and vacancy events
 * (1.4.1 §6.5, §7.3.3, §7.4.5), name, limit and whether it is in the pipeline (1.3.5 §7.3.5.5).
 */
import {
  neutralPair,
  of11,
  of14,
  type Subfield,
  type TableDesc,
  type TableMod,
  type TableModProperty,
} from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import {
  decodeTableAnswers,
  encodeQuery,
  GROUP_ANY,
  RecordWriter,
  writeFlowMod,
  writeTableConfig,
} from '../datapath/records.js';
import { EvictionFlag, FlowCommand, FlowFlag, Query, ReservedPort, TableMiss, tables } from '../datapath/schema.gen.js';
import { evictionGroups } from './eviction-groups.js';
import { FLOWS_PER_TABLE_MAX } from './limits.js';
import { type OfError, tableModFailed } from './of-error.js';
import { OF13, OF14 } from './versions.js';

const { OFPTC, OFPTMFC, OFPTR, OFPTT } = of14;
const EVICTION_FLAGS = EvictionFlag.other | EvictionFlag.importance | EvictionFlag.lifetime;
const PERCENT = 100;

/** One table as it is set. */
export interface TableSetting {
  readonly name: string;
  readonly inPipeline: boolean;
  readonly maxEntries: number;
  /** TableMiss */
  readonly miss: number;
  /** OFPTC: EVICTION, VACANCY_EVENTS. */
  readonly config: number;
  /** OFPTMPEF */
  readonly evictionFlags: number;
  /** Flows that match the same of these bits form a group, of the largest of which one makes room. */
  readonly groups: readonly Subfield[];
  /** Percent of the limit that is free. */
  readonly vacancyDown: number;
  readonly vacancyUp: number;
}

/** What the operator sets of a table. */
export interface TableLimit {
  /** Undefined: of all. */
  readonly tableId: number | undefined;
  /** Flows, 0 to FLOWS_PER_TABLE_MAX. */
  readonly maxEntries: number;
  /** A full table makes room for a new flow (OpenFlow 1.4.1 §6.5), instead of refusing it. */
  readonly evicts: boolean;
}

/** The same of one table, and the name that controllers are told. */
export interface TableState extends Omit<TableLimit, 'tableId'>, Pick<TableSetting, 'name' | 'groups'> {}
export type TableChange = Partial<TableState>;

export type TableStatusListener = (reason: number, table: TableDesc) => void;

const missOf: ReadonlyMap<number, number> = new Map([
  [of11.OFPTC.TABLE_MISS_CONTROLLER, TableMiss.controller],
  [of11.OFPTC.TABLE_MISS_CONTINUE, TableMiss.continue],
  [of11.OFPTC.TABLE_MISS_DROP, TableMiss.drop],
]);

/** OFPTC of 1.1 and 1.2 for a TableMiss. */
export function missConfig(miss: number): number {
  return [...missOf].find(([, each]) => each === miss)?.[0] ?? of11.OFPTC.TABLE_MISS_CONTROLLER;
}

/** What the datapath has to know. */
function configRecord(table: number, setting: TableSetting): Uint8Array {
  const { maxEntries, miss, config, evictionFlags } = setting;
  const writer = new RecordWriter(16);
  const eviction = (config & OFPTC.EVICTION) === 0 ? 0 : evictionFlags;
  writeTableConfig(writer, { table, maxEntries, miss, eviction, groups: evictionGroups(setting.groups) ?? [] });
  return writer.take();
}

export class TableSettings {
  /** The first of the tables that packets pass on their way out (OpenFlow 1.5.1 §5.1); 0: there are none. */
  firstEgress = 0;
  readonly #datapath: Datapath;
  readonly #tell: TableStatusListener;
  readonly #tables: TableSetting[] = Array.from({ length: tables }, (_, tableId) => ({
    name: `table${tableId}`,
    inPipeline: true,
    maxEntries: FLOWS_PER_TABLE_MAX,
    miss: TableMiss.default,
    config: 0,
    evictionFlags: EVICTION_FLAGS,
    groups: [],
    vacancyDown: 0,
    vacancyUp: 0,
  }));
  /** Which event each table with vacancy events waits for (OFPTR). */
  readonly #awaited = new Map<number, number>();

  /** `limits`: later ones win. */
  constructor(datapath: Datapath, tell: TableStatusListener, limits: readonly TableLimit[] = []) {
    this.#datapath = datapath;
    this.#tell = tell;
    for (const { tableId, maxEntries, evicts } of limits) {
      const change = { maxEntries, config: evicts ? OFPTC.EVICTION : 0 };
      for (const id of tableId === undefined ? this.ids() : [tableId]) this.set(id, change);
    }
  }

  /** The operator's will, until a controller has another. Flows beyond a new limit stay, unless the table evicts. */
  operate(tableId: number, { maxEntries, evicts, groups, name }: TableChange): TableState {
    const { config } = this.of(tableId);
    this.set(tableId, {
      ...(groups === undefined ? {} : { groups }),
      ...(maxEntries === undefined ? {} : { maxEntries }),
      ...(name === undefined ? {} : { name }),
      ...(evicts === undefined ? {} : { config: evicts ? config | OFPTC.EVICTION : config & ~OFPTC.EVICTION }),
    });
    const now = this.of(tableId);
    const evictsNow = (now.config & OFPTC.EVICTION) !== 0;
    return { maxEntries: now.maxEntries, evicts: evictsNow, groups: now.groups, name: now.name };
  }

  /** `tableId` is that of a table of the datapath. */
  of(tableId: number): TableSetting {
    return this.#tables[tableId]!;
  }

  has(tableId: number): boolean {
    return this.#tables[tableId]?.inPipeline === true;
  }

  /** Those in the pipeline, in order. */
  ids(): number[] {
    return [...this.#tables.keys()].filter((id) => this.has(id));
  }

  /** Carries out a table_mod; returns why it was refused. */
  modify(mod: TableMod): OfError | undefined {
    if (mod.tableId !== OFPTT.ALL && !this.has(mod.tableId)) return tableModFailed(OFPTMFC.BAD_TABLE);
    const change = mod.version < OF13 ? readMiss(mod.config) : mod.version < OF14 ? readDeprecated(mod) : readMod(mod);
    if ('code' in change) return change;
    for (const id of mod.tableId === OFPTT.ALL ? this.ids() : [mod.tableId]) this.set(id, change);
    this.look();
    return undefined;
  }

  /** What is not named stays as it is. */
  set(tableId: number, change: Partial<TableSetting>): void {
    const before = configRecord(tableId, this.of(tableId));
    const setting = { ...this.of(tableId), ...change };
    this.#tables[tableId] = setting;
    const record = configRecord(tableId, setting);
    // The datapath arranges all flows of the table anew.
    if (Buffer.compare(record, before) !== 0) this.#datapath.apply(record);
    if ((setting.config & OFPTC.VACANCY_EVENTS) === 0) this.#awaited.delete(tableId);
    else this.#awaited.set(tableId, this.#vacancy(tableId) < setting.vacancyUp ? OFPTR.VACANCY_UP : OFPTR.VACANCY_DOWN);
  }

  /** Deletes the flows of a table without telling of each (OpenFlow 1.3.5 §7.3.5.5). */
  clear(tableId: number): void {
    const writer = new RecordWriter(64);
    writeFlowMod(writer, {
      op: 'flow_mod',
      command: FlowCommand.delete,
      table: tableId,
      cookie: 0n,
      cookieMask: 0n,
      priority: 0,
      flags: FlowFlag.silent,
      idle: 0,
      hard: 0,
      outPort: ReservedPort.any,
      outGroup: GROUP_ANY,
      importance: 0,
      match: new Uint8Array(0),
      instructions: new Uint8Array(0),
    });
    this.#datapath.apply(writer.view());
  }

  /** Flows came or went: tells of tables that became too full, or empty enough. */
  look(): void {
    if (this.#awaited.size === 0) return;
    const answers = decodeTableAnswers(this.#datapath.read(encodeQuery({ query: Query.tables })).data);
    for (const [tableId, awaited] of this.#awaited) {
      const { maxEntries, vacancyDown, vacancyUp } = this.of(tableId);
      const vacancy = percentFree(answers[tableId]!.active, maxEntries);
      const happened = awaited === OFPTR.VACANCY_DOWN ? vacancy < vacancyDown : vacancy > vacancyUp;
      if (!happened) continue;
      const other = awaited === OFPTR.VACANCY_DOWN ? OFPTR.VACANCY_UP : OFPTR.VACANCY_DOWN;
      this.#awaited.set(tableId, other);
      this.#tell(awaited, this.#describe(tableId, vacancy));
    }
  }

  *descs(): Generator<TableDesc> {
    for (const tableId of this.ids()) {
      const counted = (this.of(tableId).config & OFPTC.VACANCY_EVENTS) !== 0;
      yield this.#describe(tableId, counted ? this.#vacancy(tableId) : 0);
    }
  }

  #vacancy(tableId: number): number {
    const answers = decodeTableAnswers(this.#datapath.read(encodeQuery({ query: Query.tables })).data);
    return percentFree(answers[tableId]!.active, this.of(tableId).maxEntries);
  }

  #describe(tableId: number, vacancy: number): TableDesc {
    const { config, evictionFlags, vacancyDown, vacancyUp } = this.of(tableId);
    const properties: TableModProperty[] = [{ type: 'eviction', flags: evictionFlags }];
    if ((config & OFPTC.VACANCY_EVENTS) !== 0) properties.push({ type: 'vacancy', vacancyDown, vacancyUp, vacancy });
    return { tableId, config, properties };
  }
}

function percentFree(active: number, maxEntries: number): number {
  return maxEntries === 0 ? 0 : Math.floor((Math.max(0, maxEntries - active) * PERCENT) / maxEntries);
}

function readMiss(config: number): Partial<TableSetting> | OfError {
  const miss = missOf.get(config);
  return miss === undefined ? tableModFailed(OFPTMFC.BAD_CONFIG) : { miss };
}

/** 1.3 has the bits of 1.1 and no use for them (1.3.5 §7.3.3). */
function readDeprecated({ config }: TableMod): Partial<TableSetting> | OfError {
  return (config & ~OFPTC.DEPRECATED_MASK) === 0 ? {} : tableModFailed(OFPTMFC.BAD_CONFIG);
}

function readMod({ config, properties = [] }: TableMod): Partial<TableSetting> | OfError {
  const known = OFPTC.EVICTION | OFPTC.VACANCY_EVENTS;
  if ((config & ~(known | OFPTC.DEPRECATED_MASK)) !== 0) return tableModFailed(OFPTMFC.BAD_CONFIG);
  const types = properties.map(({ type }) => type);
  if (new Set(types).size < types.length) return neutralPair('OFPBPC_DUP_TYPE');
  let change: Partial<TableSetting> = { config: config & known };
  for (const property of properties) {
    const read = readProperty(property);
    if ('code' in read) return read;
    change = { ...change, ...read };
  }
  return change;
}

function readProperty(property: TableModProperty): Partial<TableSetting> | OfError {
  switch (property.type) {
    case 'eviction': {
      const legal = property.flags !== 0 && (property.flags & ~EVICTION_FLAGS) === 0;
      return legal ? { evictionFlags: property.flags } : neutralPair('OFPBPC_BAD_VALUE');
    }
    case 'vacancy': {
      const { vacancyDown, vacancyUp, vacancy } = property;
      const legal = vacancyDown <= vacancyUp && vacancyUp <= PERCENT && vacancy === 0;
      return legal ? { vacancyDown, vacancyUp } : neutralPair('OFPBPC_BAD_VALUE');
    }
    case 'experimenter':
      return neutralPair('OFPBPC_BAD_EXPERIMENTER');
    case 'unknown':
      return neutralPair('OFPBPC_BAD_TYPE');
  }
}
