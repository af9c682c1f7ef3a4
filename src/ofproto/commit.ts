/** Several changes at once: every packet meets all of them or none (OpenFlow 1.4.1 §7.3.9). */
import { type FlowMod, type GroupMod, type MeterMod, of13, type PacketOut, type PortMod } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { RecordWriter } from '../datapath/records.js';
import { ModCommand, Status } from '../datapath/schema.gen.js';
import { appendFlowMod, decoded, xidOf } from './flow-mods.js';
import { appendGroupMod, groupExists, groupModOutcome } from './group-mods.js';
import { appendMeterMod, meterExists, meterModOutcome } from './meter-mods.js';
import { flowModError, type OfError, portModFailed } from './of-error.js';
import type { PacketOuts, PreparedOut, Reference } from './packet-outs.js';
import { appendPlainFlowMod, isPlainFlowMod } from './plain-flow-mods.js';
import type { PortTable } from './port-table.js';
import type { TableSettings } from './table-settings.js';

const { OFPG, OFPM, OFPPMFC } = of13;

/** A flow_mod of the usual kind as it came: of a bundle of many it takes the least memory. */
export interface PlainFlowMod {
  readonly type: 'plain_flow_mod';
  readonly xid: number;
  readonly bytes: Uint8Array;
}

/** What can be part of a bundle. */
export type Change = FlowMod | PlainFlowMod | GroupMod | MeterMod | PortMod | PacketOut;
type Modification = Exclude<Change, PacketOut>;

/** A message as a change, if it need not be decoded for that. Keeps the bytes. */
export function plainFlowMod(bytes: Uint8Array): PlainFlowMod | undefined {
  return isPlainFlowMod(bytes) ? { type: 'plain_flow_mod', xid: xidOf(bytes), bytes } : undefined;
}

/** Of the switch, what changes are about. */
export interface Parts {
  readonly datapath: Datapath;
  readonly ports: PortTable;
  readonly tableSettings: TableSettings;
  readonly packetOuts: PacketOuts;
}

/** Of a flow of the usual kind: so much room that a bundle of many of them needs no more. */
const RECORD_BYTES = 192;

export interface Refused {
  readonly message: Exclude<Change, PlainFlowMod>;
  readonly error: OfError;
}
const refused = (change: Change, error: OfError): Refused => ({
  message: change.type === 'plain_flow_mod' ? (decoded(change.bytes) as FlowMod) : change,
  error,
});

/**
 * Carries all out, in order, packet-outs behind the modifications. Where one is refused nothing has changed and no packet
 * was sent, and that one is returned.
 */
export function commit(parts: Parts, changes: readonly Change[]): Refused | undefined {
  const outs: PreparedOut[] = [];
  const failed = prepareOuts(parts, changes, outs) ?? modify(parts, changes.filter(isModification));
  if (failed !== undefined) {
    for (const out of outs.reverse()) out.putBack();
    return failed;
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
  let willExist: ((reference: Reference) => boolean) | undefined;
  for (const change of changes) {
    if (change.type !== 'packet_out') continue;
    const prepared = packetOuts.prepare(change);
    if ('code' in prepared) return refused(change, prepared);
    into.push(prepared);
    if (prepared.references.length === 0) continue;
    willExist ??= afterwards(datapath, changes);
    const lost = prepared.references.find((reference) => !willExist?.(reference));
    if (lost !== undefined) return refused(change, lost.unknown);
  }
  return undefined;
}

/** Whether a group or meter is there when all changes are made. */
function afterwards(datapath: Datapath, changes: readonly Change[]): (reference: Reference) => boolean {
  const known = {
    group: { there: new Map<number, boolean>(), allGone: false, all: OFPG.ALL, look: groupExists },
    meter: { there: new Map<number, boolean>(), allGone: false, all: OFPM.ALL, look: meterExists },
  };
  for (const change of changes) {
    if (change.type !== 'group_mod' && change.type !== 'meter_mod') continue;
    const [kind, id] =
      change.type === 'group_mod' ? [known.group, change.groupId] : ([known.meter, change.meterId] as const);
    const deletes = change.command === ModCommand.delete;
    if (deletes && id === kind.all) {
      kind.there.clear();
      kind.allGone = true;
    } else kind.there.set(id, !deletes);
  }
  return ({ kind, id }) => {
    const { there, allGone, look } = known[kind];
    const answer = there.get(id) ?? (!allGone && look(datapath, id));
    there.set(id, answer);
    return answer;
  };
}

function modify(parts: Parts, changes: readonly Modification[]): Refused | undefined {
  const { datapath, ports } = parts;
  const writer = new RecordWriter(RECORD_BYTES * changes.length);
  for (const change of changes) {
    const error = append(writer, parts, change);
    if (error !== undefined) return refused(change, error);
  }
  const statuses = datapath.apply(writer.view(), { atomic: true });
  for (const [i, change] of changes.entries()) {
    const error = outcome(datapath, change, statuses[i] ?? Status.malformed);
    if (error !== undefined) return refused(change, error);
  }
  for (const change of changes) if (change.type === 'port_mod') ports.modified(change);
  return undefined;
}

function append(writer: RecordWriter, parts: Parts, change: Modification): OfError | undefined {
  const { datapath, ports, tableSettings } = parts;
  switch (change.type) {
    case 'flow_mod':
      return appendFlowMod(writer, change, tableSettings);
    case 'plain_flow_mod':
      if (appendPlainFlowMod(writer, change.bytes, tableSettings)) return undefined;
      // What tables there are has changed since.
      return appendFlowMod(writer, decoded(change.bytes) as FlowMod, tableSettings);
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
    case 'plain_flow_mod':
      return flowModError(status, change.bytes[0]!);
    case 'group_mod':
      return groupModOutcome(datapath, change, status);
    case 'meter_mod':
      return meterModOutcome(status);
    case 'port_mod':
      return portModFailed(OFPPMFC.BAD_PORT);
  }
}
