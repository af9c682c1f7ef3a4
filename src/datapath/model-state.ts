/** Everything a model datapath knows, shared by its parts. */
import type { FlowTables } from './model-flows.js';
import type { Groups } from './model-groups.js';
import type { Meters } from './model-meters.js';
import type { MacTable, ModelPorts } from './model-ports.js';
import type { TableConfigs } from './model-tables.js';
import type { UpcallRecord } from './records-upcall.js';
import type { TraceSink } from './trace-steps.js';

export interface ModelState {
  readonly flows: FlowTables;
  readonly groups: Groups;
  readonly meters: Meters;
  readonly ports: ModelPorts;
  readonly macs: MacTable;
  /** By collector set, of those that flows name. */
  readonly samples: Map<number, { packets: bigint; bytes: bigint }>;
  /** Some flow has learned or sampled so far: without, nothing is looked for. */
  hasEffects: boolean;
  learned: number;
  learnsDropped: number;
  fragMode: number;
  /** First table of those that packets pass on their way out; 0: there are none. */
  firstEgress: number;
  controllerConnected: boolean;
  /** Packets that no flow of a table matches go up, as before OpenFlow 1.3. */
  missesToController: boolean;
  readonly tables: TableConfigs;
  /** What becomes of flows is told. */
  watched: boolean;
  /** Of the batch that is carried out. */
  version: bigint;
  /** Which of its records is carried out; undefined: none. */
  cause: number | undefined;
  /** Nanoseconds that only go forward. */
  readonly nowNs: () => bigint;
  /** Is told what the packet meets that is on its way. */
  trace?: TraceSink | undefined;
  readonly upcall: (record: UpcallRecord) => void;
}
