/** Several changes at once: every packet meets all of them or none (OpenFlow 1.4.1 §7.3.9). */
import { type FlowMod, type GroupMod, type MeterMod, of13, type PortMod } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { RecordWriter } from '../datapath/records.js';
import { Status } from '../datapath/schema.gen.js';
import { appendFlowMod } from './flow-mods.js';
import { appendGroupMod, groupModOutcome } from './group-mods.js';
import { appendMeterMod, meterModOutcome } from './meter-mods.js';
import { flowModError, type OfError, portModFailed } from './of-error.js';
import type { PortTable } from './port-table.js';
import type { TableSettings } from './table-settings.js';
import { legacyPortMod } from './versions.js';

const { OFPPMFC } = of13;

/** What can be undone, and so be part of a bundle. */
export type Change = FlowMod | GroupMod | MeterMod | PortMod;

/** Of the switch, what changes are about. */
export interface Parts {
  readonly datapath: Datapath;
  readonly ports: PortTable;
  readonly tableSettings: TableSettings;
}

export interface Refused {
  readonly change: Change;
  readonly error: OfError;
}

/** Carries all out, in order. Where one is refused nothing has changed, and that one is returned. */
export function commit(parts: Parts, changes: readonly Change[]): Refused | undefined {
  const { datapath, ports } = parts;
  const writer = new RecordWriter();
  for (const change of changes) {
    const error = append(writer, parts, change);
    if (error !== undefined) return { change, error };
  }
  const statuses = datapath.apply(writer.view(), { atomic: true });
  for (const [i, change] of changes.entries()) {
    const error = outcome(datapath, change, statuses[i] ?? Status.malformed);
    if (error !== undefined) return { change, error };
  }
  for (const change of changes) if (change.type === 'port_mod') ports.modified(change);
  return undefined;
}

function append(writer: RecordWriter, parts: Parts, change: Change): OfError | undefined {
  const { datapath, ports, tableSettings } = parts;
  switch (change.type) {
    case 'flow_mod':
      return appendFlowMod(writer, change, tableSettings);
    case 'group_mod':
      return appendGroupMod(datapath, writer, change);
    case 'meter_mod':
      return appendMeterMod(writer, change);
    case 'port_mod':
      return ports.appendMod(writer, legacyPortMod(change));
  }
}

function outcome(datapath: Datapath, change: Change, status: number): OfError | undefined {
  if (status === Status.ok) return undefined;
  switch (change.type) {
    case 'flow_mod':
      return flowModError(status, change.version);
    case 'group_mod':
      return groupModOutcome(datapath, change, status);
    case 'meter_mod':
      return meterModOutcome(status);
    case 'port_mod':
      return portModFailed(OFPPMFC.BAD_PORT);
  }
}
