/** A match of a file → the matches it stands for, as texts of ovs-ofctl. */
import { fieldsByName } from 'node-openflow/text';
import { type At, say } from '../at.js';
import { RULE_FLOWS_MAX } from '../limits.js';
import { MappedText } from '../mapped-text.js';
import type { Scope } from '../scope.js';
import { type Context, contextsText, type Need, narrow } from './contexts.js';
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

const tags = new Set(['dl_vlan', 'vlan_vid', 'vlan_tci']);

/** By whatever names: only one of them could be asked for. It is said. */
function isSaidTwice(terms: readonly Term[], contexts: readonly Context[], scope: Scope): boolean {
  for (const context of contexts) {
    const found = new Map<string | undefined, Term>();
    for (const term of terms) {
      const [first] = term.choices?.(context) ?? [];
      if (first === undefined) continue;
      const name = tags.has(first.field) ? 'vlan' : fieldsByName.get(first.field)?.name;
      const other = found.get(name);
      found.set(name, term);
      if (other === undefined) continue;
      const { key, at } = term;
      const related = [{ message: other.key, file: other.at.file, range: other.at.keyRange() }];
      say(scope.diagnostics, at, 'duplicate', `${key} says again what ${other.key} says`, {
        range: at.keyRange(),
        related,
      });
      return true;
    }
  }
  return false;
}

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
  } of choices) {
    text.add(`${comma()}${field}=`, at, -1).add(value, at, exact ? 0 : undefined);
  }
  return { context, text };
}
