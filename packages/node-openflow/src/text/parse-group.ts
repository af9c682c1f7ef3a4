/** Groups: 'group_id=1,type=select,bucket=weight:2,actions=output:1,bucket=output:2' (ovs-ofctl(8), "Group Syntax"). */

import { OFPP10 } from '../nicira/constants.js';
import { OFPG, OFPGC, OFPGT, OFPP } from '../of13/constants.js';
import type { GroupMod } from '../types/message.js';
import type { Bucket } from '../types/structures.js';
import { parsing, TextFailure, type TextResult, unknownWord } from './error.js';
import { selectionOf, selectionWords } from './group-selection.js';
import { parseLines } from './lines.js';
import { type Names, port, toPort11, u16, u32 } from './numbers.js';
import { actionListOf } from './parse-actions.js';
import { type KeyValue, keyValues, lookUp, type Span, slice, span } from './tokens.js';
import { OF10, OF13, OF15 } from './versions.js';

export type GroupText = Omit<GroupMod, 'version' | 'xid'>;
export type GroupCommand = 'add' | 'modify' | 'delete';

export interface GroupOptions extends Names {
  /** 'file', the default of parseGroups: what the first word says, or it is added. */
  readonly command?: GroupCommand | 'file';
  /** The version byte of who takes it; default: 1.3's, 4. Numbers of buckets and selection methods are 1.5's, 6, and 1.0's, 1. */
  readonly version?: number;
}

const commands: Readonly<Record<GroupCommand, number>> = {
  add: OFPGC.ADD,
  modify: OFPGC.MODIFY,
  delete: OFPGC.DELETE,
};
const types: Readonly<Record<string, number>> = {
  all: OFPGT.ALL,
  select: OFPGT.SELECT,
  indirect: OFPGT.INDIRECT,
  ff: OFPGT.FF,
  fast_failover: OFPGT.FF,
};
/** What OpenFlow 1.3 has no place for. */
const later = [...selectionWords, 'command_bucket_id'];

/** 1.0's groups are Nicira's, which are 1.5's. */
const isLater = ({ version = OF13 }: GroupOptions): boolean => version >= OF15 || version === OF10;

function watchPort(value: Span, names: Names): number {
  const number = port(value, names);
  if (number >= OFPP10.MAX && number !== OFPP10.NONE && number !== OFPP10.CONTROLLER) {
    throw new TextFailure(`port ${value.text} cannot be watched`, value.at);
  }
  return toPort11(number);
}

/** The text of a bucket's actions, cut out of the rest but in its place. */
function actionSpans(words: readonly KeyValue[], text: Span): Span[] {
  return words.map(({ key, value, delimiter }) => {
    if (key.text.toLowerCase() === 'actions' || key.text.toLowerCase() === 'action') return value;
    const end = value.at + value.text.length + (delimiter === '(' ? 1 : 0);
    return slice(text, key.at - text.at, end - text.at);
  });
}

function bucketOf(text: Span, type: number, names: GroupOptions): Bucket {
  let weight = type === OFPGT.SELECT ? 1 : 0;
  let port11: number = OFPP.ANY;
  let watchGroup: number = OFPG.ANY;
  let bucketId: number | undefined;
  const actionWords: KeyValue[] = [];
  for (const word of keyValues(text)) {
    const { key, value } = word;
    const name = key.text.toLowerCase();
    if (name === 'weight') weight = u16(value, 'weight');
    else if (name === 'watch_port') port11 = watchPort(value, names);
    else if (name === 'watch_group') watchGroup = u32(value, 'watch_group');
    else if (name === 'bucket_id' && isLater(names)) bucketId = u32(value, 'bucket_id');
    else if (name === 'bucket_id') throw new TextFailure('buckets have numbers from OpenFlow 1.5 on', key.at);
    else actionWords.push(word);
  }
  if (actionWords.length === 0) throw new TextFailure('a bucket needs actions', text.at);
  if (type === OFPGT.FF && port11 === OFPP.ANY && watchGroup === OFPG.ANY) {
    throw new TextFailure('a bucket of a fast failover group needs watch_port or watch_group', text.at);
  }
  if (type !== OFPGT.SELECT && weight !== 0)
    throw new TextFailure('only buckets of select groups have a weight', text.at);
  const actions = actionSpans(actionWords, text).flatMap((part) => [...actionListOf(part, names)]);
  return { weight, watchPort: port11, watchGroup, actions, ...(bucketId === undefined ? {} : { bucketId }) };
}

function groupId(value: Span): number {
  if (value.text === 'all') return OFPG.ALL;
  const id = u32(value, 'group_id');
  if (id > OFPG.MAX && id !== OFPG.ALL) throw new TextFailure(`${value.text} is no number of a group`, value.at);
  return id;
}

/** Where each 'bucket=' begins. */
const bucketStarts = (text: string): number[] => [...text.matchAll(/(?<![a-z_])bucket=/g)].map(({ index }) => index);

function leadingCommand(text: Span): { readonly command: GroupCommand; readonly rest: Span } {
  const [whole, word] = /^\s*([^,\s]*)/.exec(text.text)!;
  if (word === 'add_or_mod' || word === 'insert_bucket' || word === 'remove_bucket') {
    throw new TextFailure(`OpenFlow 1.3 has no ${word}`, text.at + whole.length - word.length);
  }
  if (lookUp(commands, word!) === undefined) return { command: 'add', rest: text };
  return { command: word as GroupCommand, rest: slice(text, whole.length) };
}

/** Throws TextFailure. */
function groupOf(whole: Span, options: GroupOptions): GroupText {
  const leading = options.command === 'file' ? leadingCommand(whole) : undefined;
  const command = leading?.command ?? (options.command as GroupCommand | undefined) ?? 'add';
  const text = leading?.rest ?? whole;
  const isDeletion = command === 'delete';
  const starts = bucketStarts(text.text);
  if (isDeletion && starts.length > 0)
    throw new TextFailure('a group is deleted without buckets', text.at + starts[0]!);
  let id: number | undefined = isDeletion && text.text.trim() === '' ? OFPG.ALL : undefined;
  let type: number | undefined;
  const words = [...keyValues(slice(text, 0, starts[0]))];
  for (const { key, value } of words) {
    if (key.text === 'group_id') id = groupId(value);
    else if (key.text === 'type' && !isDeletion) {
      type = lookUp(types, value.text);
      if (type === undefined) throw unknownWord('type of group', value.text, value.at, Object.keys(types));
    } else if (isLater(options) && selectionWords.includes(key.text)) continue;
    else if (later.includes(key.text)) throw new TextFailure(`OpenFlow 1.3 has no ${key.text}`, key.at);
    else throw unknownWord('word', key.text, key.at, ['group_id', 'type', 'bucket']);
  }
  if (id === undefined) throw new TextFailure('there must be group_id=', text.at);
  if (type === undefined && !isDeletion) throw new TextFailure('there must be type=', text.at);
  const groupType = type ?? OFPGT.ALL;
  const buckets = starts.map((start, i) =>
    bucketOf(slice(text, start + 'bucket='.length, starts[i + 1]), groupType, options),
  );
  if (groupType === OFPGT.INDIRECT && buckets.length > 1)
    throw new TextFailure('an indirect group has one bucket', text.at);
  const selection = selectionOf(words, options);
  const properties = selection === undefined ? {} : { properties: [selection] };
  return { type: 'group_mod', command: commands[command], groupType, groupId: id, buckets, ...properties };
}

/** What add-group takes; `command` for what mod-group and del-groups take. */
export function parseGroup(text: string, options: GroupOptions = {}): TextResult<GroupText> {
  return parsing(() => groupOf(span(text), options));
}

/** A file of groups, as add-groups takes it. */
export function parseGroups(text: string, options: GroupOptions = {}): TextResult<readonly GroupText[]> {
  return parseLines(text, (line) => groupOf(line, { command: 'file', ...options }));
}
