/** A group as ovs-ofctl prints it. */
import { OFPG, OFPGC, OFPGT, OFPP } from '../of13/constants.js';
import type { GroupMod } from '../types/message.js';
import type { Bucket } from '../types/structures.js';
import { formatActions } from './format-actions.js';
import { selectionTexts } from './group-selection.js';
import { type NamesOf, port11Text } from './numbers.js';

const typeNames: readonly string[] = ['all', 'select', 'indirect', 'ff'];

function bucketText(bucket: Bucket, type: number, names: NamesOf): string {
  const parts = [
    ...(bucket.bucketId === undefined ? [] : [`bucket_id:${bucket.bucketId}`]),
    ...(bucket.weight === (type === OFPGT.SELECT ? 1 : 0) ? [] : [`weight:${bucket.weight}`]),
    ...(bucket.watchPort === OFPP.ANY ? [] : [`watch_port:${port11Text(bucket.watchPort, names)}`]),
    ...(bucket.watchGroup === OFPG.ANY ? [] : [`watch_group:${bucket.watchGroup}`]),
    `actions=${formatActions(bucket.actions, names)}`,
  ];
  return `bucket=${parts.join(',')}`;
}

/** 'group_id=1,type=select,bucket=weight:2,actions=output:1'; a deletion has neither type nor buckets. */
export function formatGroup(
  group: Pick<GroupMod, 'groupId' | 'groupType' | 'buckets' | 'properties'> & { readonly command?: number },
  names: NamesOf = {},
): string {
  const id = `group_id=${group.groupId === OFPG.ALL ? 'all' : group.groupId}`;
  if (group.command === OFPGC.DELETE) return id;
  const buckets = group.buckets.map((bucket) => bucketText(bucket, group.groupType, names));
  const selection = (group.properties ?? []).flatMap((each) =>
    each.type === 'selection_method' ? selectionTexts(each, names) : [],
  );
  return [id, `type=${typeNames[group.groupType] ?? 'unknown'}`, ...selection, ...buckets].join(',');
}
