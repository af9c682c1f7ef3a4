/** Several changes at once: every packet meets all of them or none (OpenFlow 1.4.1 §7.3.9). */
import { type FlowMod, type GroupMod, type MeterMod, of13, type PacketOut, type PortMod } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { RecordWriter } from '../datapath/records.js';
import { ModCommand, Status } from '../datapath/schema.gen.js';
import { appendFlowMod } from './flow-mods.js';
import { appendGroupMod, groupExists, groupModOutcome } from './group-mods.js';
import { appendMeterMod, meterExists, meterModOutcome } from './meter-mods.js';
import { flowModError, type OfError, portModFailed } from './of-error.js';
import type { PacketOuts, PreparedOut, Reference } from './packet-outs.js';
import type { PortTable } from './port-table.js';
import type { TableSettings } from './table-settings.js';

const { OFPG, OFPM, OFPPMFC } = of13;

/** What can be part of a bundle. */
export type Change = FlowMod | GroupMod | MeterMod | PortMod | PacketOut;
type Modification = Exclude<Change, PacketOut>;

/** Of the switch, what changes are about. */
export interface Parts {
  readonly datapath: Datapath;
  readonly ports: PortTable;
  readonly tableSettings: TableSettings;
  readonly packetOuts: PacketOuts;
}

export interface Refused {
  readonly change: Change;
  readonly error: OfError;
}

/**
 * Carries all out, in order, packet-outs behind the modifications. Where one is refused nothing has changed and no packet
 * was sent, and that one is returned.
 */
export function commit(parts: Parts, changes: readonly Change[]): Refused | undefined {
  const outs: PreparedOut[] = [];
  const refused = prepareOuts(parts, changes, outs) ?? modify(parts, changes.filter(isModification));
  if (refused !== undefined) {
    for (const out of outs.reverse()) out.putBack();
    return refused;
  }
  // What could be wrong with them was looked at; what is left is a lack of memory, as for every packet.
  for (const out of outs) out.run();
  return undefined;
}

/** What stands in the batch. */
export const isModification = (change: Change): change is Modification => change.type !== 'packet_out';

function prepareOuts(
  { datapath, packetOuts }: Parts,
  changes: readonly Change[],
  into: PreparedOut[],
): Refused | undefined {
  for (const change of changes) {
    if (change.type !== 'packet_out') continue;
    const prepared = packetOuts.prepare(change);
    if ('code' in prepared) return { change, error: prepared };
    into.push(prepared);
    const lost = prepared.references.find((reference) => !willExist(datapath, changes, reference));
    if (lost !== undefined) return { change, error: lost.unknown };
  }
  return undefined;
}

/** Whether the group or meter is there when all changes are made. */
function willExist(datapath: Datapath, changes: readonly Change[], { kind, id }: Reference): boolean {
  const all = kind === 'group' ? OFPG.ALL : OFPM.ALL;
  for (const change of changes.toReversed()) {
    if (change.type !== 'group_mod' && change.type !== 'meter_mod') continue;
    if (change.type !== `${kind}_mod`) continue;
    const changed = change.type === 'group_mod' ? change.groupId : change.meterId;
    if (changed === id) return change.command !== ModCommand.delete;
    if (change.command === ModCommand.delete && changed === all) return false;
  }
  return kind === 'group' ? groupExists(datapath, id) : meterExists(datapath, id);
}

function modify(parts: Parts, changes: readonly Modification[]): Refused | undefined {
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

function append(writer: RecordWriter, parts: Parts, change: Modification): OfError | undefined {
  const { datapath, ports, tableSettings } = parts;
  switch (change.type) {
    case 'flow_mod':
      return appendFlowMod(writer, change, tableSettings);
    case 'group_mod':
      return appendGroupMod(datapath, writer, change);
    case 'meter_mod':
      return appendMeterMod(writer, change);
    case 'port_mod':
      return ports.appendMod(writer, change);
  }
}

function outcome(datapath: Datapath, change: Modification, status: number): OfError | undefined {
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
