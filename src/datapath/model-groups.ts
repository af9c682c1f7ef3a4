/** Groups of the model (OpenFlow 1.3.5 §5.6, §6.5). */
import { checkSet } from './model-check.js';
import type { Meters } from './model-meters.js';
import { type ActionRecord, decodeActions } from './records-action.js';
import type { BucketRecord, GroupModRecord } from './records-apply.js';
import { GROUP_ANY } from './records-query.js';
import { DEFAULT_SELECTION, type SelectionRecord } from './records-selection.js';
import {
  allBuckets,
  bucketIdMax,
  firstBucket,
  GroupType,
  lastBucket,
  ModCommand,
  portsMax,
  ReservedPort,
  SelectionMethod,
  Status,
} from './schema.gen.js';

/** kGroupsMax and kBucketsMax of native/base/limits.h. */
const GROUPS_MAX = 65536;
const BUCKETS_MAX = 1024;
/** kGroupDepthMax. */
const WATCH_DEPTH_MAX = 8;
/** OFPG_MAX: larger numbers are reserved. */
const GROUP_MAX = 0xffffff00;

export interface Bucket {
  readonly record: BucketRecord;
  /** As they came. */
  readonly written: readonly ActionRecord[];
  /** What is carried out, in the order of an action set. */
  readonly actions: readonly ActionRecord[];
  packets: bigint;
  bytes: bigint;
}

export interface Group {
  readonly id: number;
  readonly type: number;
  readonly selection: SelectionRecord;
  readonly buckets: readonly Bucket[];
  readonly createdNs: bigint;
  packets: bigint;
  bytes: bigint;
}

/** Place of an action in the order of execution (§5.10). */
const setOrder: readonly ActionRecord['kind'][] = [
  'copy_ttl_in',
  'pop_vlan',
  'pop_mpls',
  'pop_pbb',
  'decap',
  'encap',
  'push_mpls',
  'push_pbb',
  'push_vlan',
  'copy_ttl_out',
  'dec_mpls_ttl',
  'dec_nw_ttl',
  'dec_nsh_ttl',
  'set_mpls_ttl',
  'set_nw_ttl',
  'set_field',
  'meter',
  'set_queue',
  'group',
  'output',
  'resubmit',
];

/** Merges actions into an action set: one per type, and one per field for what sets it; the later wins. */
export function mergeActionSet(set: readonly ActionRecord[], actions: readonly ActionRecord[]): ActionRecord[] {
  const setFields = setOrder.indexOf('set_field') * 256;
  const key = (a: ActionRecord) => {
    if (a.kind === 'load' || a.kind === 'move') return setFields + a.to.field;
    return a.kind === 'set_field' || a.kind === 'set_masked' ? setFields + a.field : setOrder.indexOf(a.kind) * 256;
  };
  const byKey = new Map<number, ActionRecord>();
  for (const action of [...set, ...actions]) byKey.set(key(action), action);
  return [...byKey.entries()].sort(([a], [b]) => a - b).map(([, action]) => action);
}

/** What of a set is carried out: the first there is of group, output and resubmit. */
export function executable(set: readonly ActionRecord[]): ActionRecord[] {
  const ends: readonly ActionRecord['kind'][] = ['group', 'output', 'resubmit'];
  const end = ends.find((wanted) => set.some(({ kind }) => kind === wanted));
  return set.filter(({ kind }) => kind === end || !ends.includes(kind));
}

function isWatchable(port: number): boolean {
  return port === ReservedPort.any || port === ReservedPort.local || (port > 0 && port < portsMax);
}

/** What groups depend on. */
export interface GroupWorld {
  readonly meters: Meters;
  readonly nowNs: () => bigint;
}

/** Undefined: its actions are malformed. */
function newBucket(record: BucketRecord): Bucket | undefined {
  const written = decodeActions(record.actions);
  if (written === undefined) return undefined;
  return { record, written, actions: executable(mergeActionSet([], written)), packets: 0n, bytes: 0n };
}

export class Groups {
  #groups: ReadonlyMap<number, Group> = new Map();

  /** Remembers what there is; the returned function brings it back. */
  snapshot(): () => void {
    const kept = this.#groups;
    return () => {
      this.#groups = kept;
    };
  }

  get(id: number): Group | undefined {
    return this.#groups.get(id);
  }
  /** In ascending order. */
  all(): Group[] {
    return [...this.#groups.values()].sort((a, b) => a.id - b.id);
  }

  /** Adds or replaces; returns a Status. */
  put(mod: GroupModRecord, world: GroupWorld, exists: boolean): number {
    if (mod.group > GROUP_MAX) return Status.unknownGroup;
    const old = this.#groups.get(mod.group);
    if (exists !== (old !== undefined)) return exists ? Status.unknownGroup : Status.groupExists;
    if (!exists && this.#groups.size >= GROUPS_MAX) return Status.outOfGroups;
    return this.#set(mod, mod.buckets.map(newBucket), world);
  }

  /** Inserts or removes buckets (1.5.1 §6.7); those that stay keep their counts. */
  edit(mod: GroupModRecord, world: GroupWorld): number {
    const old = this.#groups.get(mod.group);
    if (old === undefined) return Status.unknownGroup;
    const { place = allBuckets } = mod;
    const at = old.buckets.findIndex(({ record }) => record.id === place);
    const buckets: (Bucket | undefined)[] = [...old.buckets];
    if (mod.command === ModCommand.insertBucket) {
      if (place === allBuckets) return Status.badBucket;
      const before = place === firstBucket ? 0 : place === lastBucket ? buckets.length : at + 1;
      if (place < firstBucket && at < 0) return Status.unknownBucket;
      buckets.splice(before, 0, ...mod.buckets.map(newBucket));
    } else {
      if (mod.buckets.length > 0) return Status.badBucket;
      if (place === allBuckets) buckets.splice(0);
      else if (place === firstBucket) buckets.splice(0, 1);
      else if (place === lastBucket) buckets.splice(-1, 1);
      else if (at < 0) return Status.unknownBucket;
      else buckets.splice(at, 1);
    }
    return this.#set({ ...mod, type: old.type, selection: old.selection }, buckets, world);
  }

  /** `buckets`: undefined where the actions are malformed. The counts of a group go on when it is modified. */
  #set(mod: GroupModRecord, buckets: readonly (Bucket | undefined)[], { meters, nowNs }: GroupWorld): number {
    if (buckets.length > BUCKETS_MAX) return Status.outOfBuckets;
    if (!buckets.every((bucket) => bucket !== undefined)) return Status.malformed;
    const wrong = this.#check(mod, buckets, meters);
    if (wrong !== Status.ok) return wrong;
    const { packets, bytes, createdNs } = this.#groups.get(mod.group) ?? { packets: 0n, bytes: 0n, createdNs: nowNs() };
    const copies = buckets.map((bucket) => ({ ...bucket }));
    const { group: id, type, selection = DEFAULT_SELECTION } = mod;
    const group = { id, type, selection, buckets: copies, createdNs, packets, bytes };
    this.#groups = new Map(this.#groups).set(mod.group, group);
    return Status.ok;
  }

  #check(mod: GroupModRecord, buckets: readonly Bucket[], meters: Meters): number {
    if (mod.type > GroupType.ff) return Status.badGroupType;
    const own = (mod.selection ?? DEFAULT_SELECTION).method === SelectionMethod.default;
    if (mod.type !== GroupType.select && !own) return Status.badGroupType;
    if (mod.type === GroupType.indirect && buckets.length !== 1) return Status.badGroupType;
    const ids = new Set<number>();
    for (const { record, written } of buckets) {
      const wrong = checkSet(written);
      if (wrong !== Status.ok) return wrong;
      if (record.id > bucketIdMax) return Status.badBucket;
      if (mod.type !== GroupType.select && record.weight > 1) return Status.badWeight;
      if (!isWatchable(record.watchPort)) return Status.badWatch;
      if (record.watchGroup !== GROUP_ANY && !this.#groups.has(record.watchGroup)) return Status.badWatch;
      const unmetered = (a: ActionRecord) => a.kind === 'meter' && meters.get(a.meter) === undefined;
      if (written.some(unmetered)) return Status.unknownMeter;
      for (const action of written) {
        if (action.kind !== 'group') continue;
        if (action.group === mod.group || this.#reaches(action.group, mod.group)) return Status.groupLoop;
        if (!this.#groups.has(action.group)) return Status.unknownGroup;
      }
      if (ids.has(record.id)) return Status.bucketExists;
      ids.add(record.id);
    }
    return Status.ok;
  }

  /** Whether a packet in group `from` can come to group `to`. */
  #reaches(from: number, to: number): boolean {
    const group = this.#groups.get(from);
    if (group === undefined) return false;
    return group.buckets.some(({ written }) =>
      written.some((a) => a.kind === 'group' && (a.group === to || this.#reaches(a.group, to))),
    );
  }

  delete(id: number): void {
    this.#groups = new Map([...this.#groups].filter(([other]) => other !== id));
  }

  /** Groups whose buckets send packets to `id`. */
  chainedTo(id: number): Group[] {
    return this.all().filter((group) =>
      group.buckets.some(({ written }) => written.some((a) => a.kind === 'group' && a.group === id)),
    );
  }

  /** §5.6.1: a bucket without anything to watch is live. Groups that watch each other in a circle are not. */
  isLive(bucket: Bucket, portIsLive: (port: number) => boolean, depth = 0): boolean {
    const { watchPort, watchGroup } = bucket.record;
    if (watchPort === ReservedPort.any && watchGroup === GROUP_ANY) return true;
    if (watchPort !== ReservedPort.any && portIsLive(watchPort)) return true;
    if (watchGroup === GROUP_ANY || depth >= WATCH_DEPTH_MAX) return false;
    const group = this.#groups.get(watchGroup);
    return group?.buckets.some((inner) => this.isLive(inner, portIsLive, depth + 1)) ?? false;
  }
}
