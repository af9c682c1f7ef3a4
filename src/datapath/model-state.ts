/** Everything a model datapath knows, shared by its parts. */
import type { FlowTables } from './model-flows.js';
import type { Groups } from './model-groups.js';
import type { Meters } from './model-meters.js';
import type { MacTable, ModelPorts } from './model-ports.js';
import type { UpcallRecord } from './records-upcall.js';

export interface ModelState {
  readonly flows: FlowTables;
  readonly groups: Groups;
  readonly meters: Meters;
  readonly ports: ModelPorts;
  readonly macs: MacTable;
  /** By collector set, of those that flows name. */
  readonly samples: Map<number, { packets: bigint; bytes: bigint }>;
  learned: number;
  learnsDropped: number;
  fragMode: number;
  controllerConnected: boolean;
  /** Packets that no flow of a table matches go up, as before OpenFlow 1.3. */
  missesToController: boolean;
  /** Nanoseconds that only go forward. */
  readonly nowNs: () => bigint;
  readonly upcall: (record: UpcallRecord) => void;
}
