/** A match of a file → the matches it stands for, as texts of ovs-ofctl. */
import { type At, say } from '../at.js';
import { RULE_FLOWS_MAX } from '../limits.js';
import { MappedText } from '../mapped-text.js';
import type { Scope } from '../scope.js';
import { type Context, contextsText, type Need, narrow } from './contexts.js';
import { isSaidTwice } from './said-twice.js';
import { type FieldChoice, type Term, termsOf } from './terms.js';

export interface MatchText {
  readonly context: Context;
  readonly text: MappedText;
}

/** A need that is not the match's own: what an action writes. */
export interface Wanted {
  readonly key: string;
  readonly at: At;
  readonly need: Need;
}

/** Every combination; [] and said where there is none, or where there are too many. */
export function expandMatch(match: At, wanted: readonly Wanted[], scope: Scope): MatchText[] {
  const before = scope.diagnostics.errors;
  const terms = termsOf(match, scope);
  if (scope.diagnostics.errors > before) return [];
  const contexts = contextsOf(terms, wanted, scope);
  if (isSaidTwice(terms, contexts, scope)) return [];
  const tables = contexts.map((context) => ({ context, lists: terms.flatMap((term) => listOf(term, context)) }));
  const count = tables.reduce((sum, { lists }) => sum + lists.reduce((product, list) => product * list.length, 1), 0);
  if (count > RULE_FLOWS_MAX) {
    const parts = tables[0]!.lists.filter((list) => list.length > 1).map((list) => `${list[0]!.field}: ${list.length}`);
    const kinds = contexts.length > 1 ? [`${contexts.length} kinds of packets`] : [];
    say(
      scope.diagnostics,
      match,
      'expansion',
      `lists and ranges make ${count} flows of this rule (${[...parts, ...kinds].join(' × ')}); at most ${RULE_FLOWS_MAX}`,
    );
    return [];
  }
  return tables.flatMap(({ context, lists }) => combinations(lists).map((choices) => textOf(context, choices, match)));
}

const listOf = ({ choices }: Term, context: Context): (readonly FieldChoice[])[] => {
  const list = choices?.(context);
  return list === undefined ? [] : [list];
};

/** The kinds of packets that fit; [] and said where none does. */
export function contextsOf(terms: readonly Term[], wanted: readonly Wanted[], scope: Scope): readonly Context[] {
  const all: Wanted[] = [
    ...terms.flatMap(({ key, at, need }) => (need === undefined ? [] : [{ key, at, need }])),
    ...wanted,
  ];
  // What says the kind itself comes before what only needs one, and what has a default last.
  const ranked = [...all].sort((a, b) => rank(a) - rank(b));
  let contexts: readonly Context[] = [{}];
  for (const [index, { key, at, need }] of ranked.entries()) {
    const narrower = narrow(contexts, need);
    if (narrower.length === 0) {
      const others = ranked.slice(0, index).map((other) => other.key);
      const message = `${key} is of ${contextsText(need.anyOf)}, and ${others.join(', ')} of ${contextsText(contexts)}`;
      const related = ranked
        .slice(0, index)
        .map((other) => ({ message: other.key, file: other.at.file, range: other.at.keyRange() }));
      say(scope.diagnostics, at, 'prerequisite', message, { range: at.keyRange(), related });
      return [];
    }
    contexts = narrower;
  }
  return contexts;
}

const saysKind = new Set(['protocol', 'eth_type', 'dl_type', 'ip_proto', 'nw_proto']);
const rank = ({ key, need }: Wanted): number => (saysKind.has(key) ? 0 : need.first === true ? 2 : 1);

function combinations(lists: readonly (readonly FieldChoice[])[]): FieldChoice[][] {
  return lists.reduce<FieldChoice[][]>(
    (found, list) => found.flatMap((choices) => list.map((choice) => [...choices, choice])),
    [[]],
  );
}

/** A tag as a whole comes before its parts, which it would overwrite. */
const inOrder = (choices: readonly FieldChoice[]): readonly FieldChoice[] =>
  choices.toSorted((a, b) => Number(b.field === 'vlan_tci') - Number(a.field === 'vlan_tci'));

function textOf(context: Context, choices: readonly FieldChoice[], match: At): MatchText {
  const text = new MappedText();
  const comma = () => (text.text === '' ? '' : ',');
  if (context.eth !== undefined) text.add(`dl_type=0x${context.eth.toString(16).padStart(4, '0')}`, match);
  if (context.proto !== undefined) text.add(`${comma()}nw_proto=${context.proto}`, match);
  for (const {
    field,
    text: value,
    value: { at },
    exact,
  } of inOrder(choices)) {
    text.add(`${comma()}${field}=`, at, -1).add(value, at, exact ? 0 : undefined);
  }
  return { context, text };
}
