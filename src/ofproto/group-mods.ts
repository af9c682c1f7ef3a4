/** Group_mods (OpenFlow 1.3.5 §6.5, §7.3.4.2; single buckets 1.5.1 §7.3.4.3). */
import { type Bucket, type GroupMod, neutralPair, of13 } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import {
  type BucketRecord,
  decodeGroupAnswers,
  encodeQuery,
  type GroupAnswer,
  RecordWriter,
  writeGroupMod,
} from '../datapath/records.js';
import {
  allBuckets,
  bucketIdMax,
  firstBucket,
  GroupType,
  lastBucket,
  ModCommand,
  Query,
  Status,
} from '../datapath/schema.gen.js';
import { HeadersKnown } from './headers-known.js';
import { ENTRY_BYTES_MAX } from './limits.js';
import { badAction, groupModError, groupModFailed, type OfError } from './of-error.js';
import { selectionOf } from './selection-method.js';
import { writeActions } from './translate-actions.js';
import { hasBucketIds } from './versions.js';

const { OFPBAC, OFPG, OFPGMFC } = of13;

/** Carries one out; returns why it was refused. */
export function applyGroupMod(datapath: Datapath, mod: GroupMod): OfError | undefined {
  const writer = new RecordWriter();
  const wrong = appendGroupMod(datapath, writer, mod);
  return wrong ?? groupModOutcome(datapath, mod, datapath.apply(writer.view())[0] ?? Status.malformed);
}

/** What the datapath's verdict on its record means; undefined: done. */
export function groupModOutcome(datapath: Datapath, mod: GroupMod, status: number): OfError | undefined {
  if (status === Status.ok) return undefined;
  const names = mod.command === ModCommand.modify || isEdit(mod.command);
  const unknown = status === Status.unknownGroup && names && find(datapath, mod.groupId) === undefined;
  return unknown ? groupModFailed(OFPGMFC.UNKNOWN_GROUP) : groupModError(status, mod.version);
}

/** Appends one record, or returns why there is none: the caller truncates the writer then. */
export function appendGroupMod(datapath: Datapath, writer: RecordWriter, mod: GroupMod): OfError | undefined {
  const wrong = check(mod);
  if (wrong !== undefined) return wrong;
  const selection = selectionOf(mod);
  if ('code' in selection) return selection;
  const buckets: BucketRecord[] = [];
  for (const [index, bucket] of (mod.command === ModCommand.delete ? [] : mod.buckets).entries()) {
    const record = toRecord(bucket, index);
    if ('code' in record) return record;
    buckets.push(weighed(datapath, mod, record));
  }
  const start = writer.length;
  const { command, groupType: type, groupId: group, commandBucketId: place = allBuckets } = mod;
  writeGroupMod(writer, { command, type, group, place, buckets, selection });
  return writer.length - start > ENTRY_BYTES_MAX ? badAction(OFPBAC.TOO_MANY) : undefined;
}

/** 1.5's commands for single buckets. */
const isEdit = (command: number): boolean => command === ModCommand.insertBucket || command === ModCommand.removeBucket;

/** The type that an insertion gives is not the group's: there a bucket without a weight weighs 1 if the group selects. */
function weighed(datapath: Datapath, mod: GroupMod, bucket: BucketRecord): BucketRecord {
  if (mod.command !== ModCommand.insertBucket || bucket.weight !== 0 || mod.groupType === GroupType.select)
    return bucket;
  return find(datapath, mod.groupId)?.type === GroupType.select ? { ...bucket, weight: 1 } : bucket;
}

/**
 * 1.5.1 §7.3.4.3: which values of command_bucket_id go with which command. Other commands have no use for the
 * place, and clients put anything there.
 */
function checkPlace({ command, commandBucketId: place = allBuckets, buckets }: GroupMod): OfError | undefined {
  const one = place <= bucketIdMax || place === firstBucket || place === lastBucket;
  const isLegal = command === ModCommand.insertBucket ? one : (one || place === allBuckets) && buckets.length === 0;
  return isLegal ? undefined : groupModFailed(OFPGMFC.BAD_BUCKET);
}

function check(mod: GroupMod): OfError | undefined {
  const edits = hasBucketIds(mod.version) && isEdit(mod.command);
  if (mod.command > ModCommand.delete && !edits) return groupModFailed(OFPGMFC.BAD_COMMAND);
  if (edits) return mod.groupId > OFPG.MAX ? groupModFailed(OFPGMFC.INVALID_GROUP) : checkPlace(mod);
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

function toRecord(bucket: Bucket, index: number): BucketRecord | OfError {
  const { weight, watchPort, watchGroup, actions, bucketId: id = index, properties = [] } = bucket;
  // All others are fields of the bucket.
  if (properties.length > 0) return neutralPair('OFPBPC_BAD_EXPERIMENTER');
  const writer = new RecordWriter(256);
  const wrong = writeActions(writer, actions, { known: new HeadersKnown(undefined), packetOut: false });
  return wrong ?? { id, weight, watchPort, watchGroup, actions: writer.take() };
}

export function groupExists(datapath: Datapath, group: number): boolean {
  return find(datapath, group) !== undefined;
}

function find(datapath: Datapath, group: number): GroupAnswer | undefined {
  const { data } = datapath.read(encodeQuery({ query: Query.groups, id: group }));
  return [...decodeGroupAnswers(data)][0];
}
