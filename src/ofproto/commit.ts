/** Several changes at once: every packet meets all of them or none (OpenFlow 1.4.1 §7.3.9). */
import { type FlowMod, type GroupMod, type MeterMod, of13, type PacketOut, type PortMod } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { RecordWriter } from '../datapath/records.js';
import { ModCommand, Status } from '../datapath/schema.gen.js';
import { appendFlowMod } from './flow-mods.js';
import { appendGroupMod, groupExists, groupModOutcome } from './group-mods.js';
import { appendMeterMod, meterModOutcome } from './meter-mods.js';
import { badAction, flowModError, type OfError, portModFailed } from './of-error.js';
import type { PacketOuts, PreparedOut } from './packet-outs.js';
import type { PortTable } from './port-table.js';
import { legacyPortMod } from './versions.js';

const { OFPBAC, OFPG, OFPPMFC } = of13;

/** What can be part of a bundle. */
export type Change = FlowMod | GroupMod | MeterMod | PortMod | PacketOut;
type Modification = Exclude<Change, PacketOut>;

export interface Refused {
  readonly change: Change;
  readonly error: OfError;
}

export interface CommitParts {
  readonly datapath: Datapath;
  readonly ports: PortTable;
  readonly packetOuts: PacketOuts;
}

/**
 * Carries all out, in order, packet-outs behind the modifications. Where one is refused nothing has changed and no packet
 * was sent, and that one is returned.
 */
export function commit(parts: CommitParts, changes: readonly Change[]): Refused | undefined {
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

const isModification = (change: Change): change is Modification => change.type !== 'packet_out';

function prepareOuts(
  { datapath, packetOuts }: CommitParts,
  changes: readonly Change[],
  into: PreparedOut[],
): Refused | undefined {
  for (const change of changes) {
    if (change.type !== 'packet_out') continue;
    const prepared = packetOuts.prepare(change);
    if ('code' in prepared) return { change, error: prepared };
    into.push(prepared);
    if (!prepared.groups.every((id) => willExist(datapath, changes, id))) {
      return { change, error: badAction(OFPBAC.BAD_OUT_GROUP) };
    }
  }
  return undefined;
}

/** Whether the group is there when all changes are made. */
function willExist(datapath: Datapath, changes: readonly Change[], id: number): boolean {
  for (const change of changes.toReversed()) {
    if (change.type !== 'group_mod') continue;
    if (change.groupId === id) return change.command !== ModCommand.delete;
    if (change.command === ModCommand.delete && change.groupId === OFPG.ALL) return false;
  }
  return groupExists(datapath, id);
}

function modify({ datapath, ports }: CommitParts, changes: readonly Modification[]): Refused | undefined {
  const writer = new RecordWriter();
  for (const change of changes) {
    const error = append(writer, ports, change);
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

function append(writer: RecordWriter, ports: PortTable, change: Modification): OfError | undefined {
  switch (change.type) {
    case 'flow_mod':
      return appendFlowMod(writer, change);
    case 'group_mod':
      return appendGroupMod(writer, change);
    case 'meter_mod':
      return appendMeterMod(writer, change);
    case 'port_mod':
      return ports.appendMod(writer, legacyPortMod(change));
  }
}

function outcome(datapath: Datapath, change: Modification, status: number): OfError | undefined {
  if (status === Status.ok) return undefined;
  switch (change.type) {
    case 'flow_mod':
      return flowModError(status);
    case 'group_mod':
      return groupModOutcome(datapath, change, status);
    case 'meter_mod':
      return meterModOutcome(status);
    case 'port_mod':
      return portModFailed(OFPPMFC.BAD_PORT);
  }
}
