/** Group_mods (OpenFlow 1.3.5 §6.5, §7.3.4.2). */
import { type Bucket, type GroupMod, of13, of14 } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import {
  type BucketRecord,
  decodeGroupAnswers,
  encodeQuery,
  RecordWriter,
  writeGroupMod,
} from '../datapath/records.js';
import { GroupType, ModCommand, Query, Status } from '../datapath/schema.gen.js';
import { HeadersKnown } from './headers-known.js';
import { ENTRY_BYTES_MAX } from './limits.js';
import { badAction, groupModError, groupModFailed, type OfError } from './of-error.js';
import { writeActions } from './translate-actions.js';

const { OFPBAC, OFPG, OFPGMFC } = of13;
const { OFPBPC, OFPET } = of14;
const badProperty = (code: number): OfError => ({ type: OFPET.BAD_PROPERTY, code });

/** Carries one out; returns why it was refused. */
export function applyGroupMod(datapath: Datapath, mod: GroupMod): OfError | undefined {
  const writer = new RecordWriter();
  const wrong = appendGroupMod(writer, mod);
  return wrong ?? groupModOutcome(datapath, mod, datapath.apply(writer.view())[0] ?? Status.malformed);
}

/** What the datapath's verdict on its record means; undefined: done. */
export function groupModOutcome(datapath: Datapath, mod: GroupMod, status: number): OfError | undefined {
  if (status === Status.ok) return undefined;
  const unknown =
    status === Status.unknownGroup && mod.command === ModCommand.modify && !groupExists(datapath, mod.groupId);
  return unknown ? groupModFailed(OFPGMFC.UNKNOWN_GROUP) : groupModError(status);
}

/** Appends one record, or returns why there is none: the caller truncates the writer then. */
export function appendGroupMod(writer: RecordWriter, mod: GroupMod): OfError | undefined {
  const wrong = check(mod);
  if (wrong !== undefined) return wrong;
  const buckets: BucketRecord[] = [];
  for (const bucket of mod.command === ModCommand.delete ? [] : mod.buckets) {
    const record = toRecord(bucket);
    if ('code' in record) return record;
    buckets.push(record);
  }
  const start = writer.length;
  writeGroupMod(writer, { command: mod.command, type: mod.groupType, group: mod.groupId, buckets });
  return writer.length - start > ENTRY_BYTES_MAX ? badAction(OFPBAC.TOO_MANY) : undefined;
}

function check(mod: GroupMod): OfError | undefined {
  // How a select group chooses is none of its properties' business yet.
  if (mod.properties !== undefined && mod.properties.length > 0) return badProperty(OFPBPC.BAD_EXPERIMENTER);
  if (mod.command > ModCommand.delete) return groupModFailed(OFPGMFC.BAD_COMMAND);
  if (mod.command === ModCommand.delete) {
    const legal = mod.groupId <= OFPG.MAX || mod.groupId === OFPG.ALL;
    return legal ? undefined : groupModFailed(OFPGMFC.INVALID_GROUP);
  }
  if (mod.groupType > GroupType.ff) return groupModFailed(OFPGMFC.BAD_TYPE);
  if (mod.groupId > OFPG.MAX) return groupModFailed(OFPGMFC.INVALID_GROUP);
  if (mod.groupType === GroupType.indirect && mod.buckets.length !== 1) {
    return groupModFailed(OFPGMFC.INVALID_GROUP);
  }
  return undefined;
}

function toRecord({ weight, watchPort, watchGroup, actions }: Bucket): BucketRecord | OfError {
  const writer = new RecordWriter(256);
  const wrong = writeActions(writer, actions, { known: new HeadersKnown(undefined), packetOut: false });
  return wrong ?? { weight, watchPort, watchGroup, actions: writer.take() };
}

export function groupExists(datapath: Datapath, group: number): boolean {
  const { data } = datapath.read(encodeQuery({ query: Query.groups, id: group }));
  return [...decodeGroupAnswers(data)].length > 0;
}
