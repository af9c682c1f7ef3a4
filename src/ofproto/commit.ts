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
import { appendPlainFlowMod } from './plain-messages.js';
import type { PlainRun } from './plain-run.js';
import type { PortTable } from './port-table.js';
import type { TableSettings } from './table-settings.js';

const { OFPG, OFPM, OFPPMFC } = of13;

/** What can be part of a bundle. */
export type Change = FlowMod | GroupMod | MeterMod | PortMod | PacketOut | PlainRun;
type Modification = Exclude<Change, PacketOut>;

/** Of the switch, what changes are about. */
export interface Parts {
  readonly datapath: Datapath;
  readonly ports: PortTable;
  readonly tableSettings: TableSettings;
  readonly packetOuts: PacketOuts;
}

/** Of a flow of the usual kind: so much room that a bundle of many of them needs no more. */
const RECORD_BYTES = 192;
const RECORD_ROOM_MAX = 32 * 1024 * 1024;

export interface Refused {
  readonly message: Exclude<Change, PlainRun>;
  readonly error: OfError;
}

/** Says whose message a record of a batch with these changes is. Asked for ascending records it looks at each once. */
export function xidsOf(changes: readonly Modification[]): (record: number) => number {
  let [index, first] = [0, 0];
  return (record) => {
    if (record < first) [index, first] = [0, 0];
    for (; index < changes.length; first += recordsOf(changes[index++]!)) {
      const change = changes[index]!;
      if (record >= first + recordsOf(change)) continue;
      return change.type === 'plain_run' ? xidOf(change.at(record - first)) : change.xid;
    }
    return 0;
  };
}
const recordsOf = (change: Modification): number => (change.type === 'plain_run' ? change.count : 1);

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
    if ('code' in prepared) return { message: change, error: prepared };
    into.push(prepared);
    if (prepared.references.length === 0) continue;
    willExist ??= afterwards(datapath, changes);
    const lost = prepared.references.find((reference) => !willExist?.(reference));
    if (lost !== undefined) return { message: change, error: lost.unknown };
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
  const writer = new RecordWriter(Math.min(RECORD_BYTES * count(changes), RECORD_ROOM_MAX));
  for (const change of changes) {
    const wrong = change.type === 'plain_run' ? appendRun(writer, parts, change) : append(writer, parts, change);
    if (wrong === undefined) continue;
    return 'message' in wrong ? wrong : { message: change as Exclude<Modification, PlainRun>, error: wrong };
  }
  const statuses = datapath.apply(writer.view(), { atomic: true });
  let record = 0;
  for (const change of changes) {
    for (let i = 0; i < recordsOf(change); i++) {
      const status = statuses[record++] ?? Status.malformed;
      if (status === Status.ok) continue;
      const message = change.type === 'plain_run' ? (decoded(change.at(i)) as FlowMod) : change;
      const error = outcome(datapath, message, status);
      if (error !== undefined) return { message, error };
    }
  }
  for (const change of changes) if (change.type === 'port_mod') ports.modified(change);
  return undefined;
}

const count = (changes: readonly Modification[]): number => changes.reduce((sum, change) => sum + recordsOf(change), 0);

function appendRun(writer: RecordWriter, { tableSettings }: Parts, run: PlainRun): Refused | undefined {
  for (const bytes of run) {
    if (appendPlainFlowMod(writer, bytes, tableSettings)) continue;
    // What tables there are has changed since.
    const message = decoded(bytes) as FlowMod;
    const error = appendFlowMod(writer, message, tableSettings);
    if (error !== undefined) return { message, error };
  }
  return undefined;
}

function append(writer: RecordWriter, parts: Parts, change: Exclude<Modification, PlainRun>): OfError | undefined {
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

/** The error that a record's status is. */
function outcome(datapath: Datapath, change: Exclude<Modification, PlainRun>, status: number): OfError | undefined {
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
