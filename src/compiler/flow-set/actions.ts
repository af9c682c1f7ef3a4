/** Actions of a file → actions in the words of ovs-ofctl. */
import { fieldsByName, nearest } from 'node-openflow/text';
import { type At, say } from '../at.js';
import { joined, MappedText } from '../mapped-text.js';
import { reservedPorts } from '../ports.js';
import type { Named, Scope, Value } from '../scope.js';
import { type Context, ETH, type Need, PROTO } from './contexts.js';
import { familyOf } from './field-choices.js';
import type { Wanted } from './match.js';
import { setNeed } from './terms.js';

/** What the actions write, and so want of the packet. */
export function wantedBy(actions: At, scope: Scope): Wanted[] {
  return actions.each().flatMap((action) => {
    const nested = ['write', 'clone'].flatMap((key) => wantedBy(action.key(key), scope));
    const set = action
      .key('set')
      .entries()
      .flatMap(([key, at]) => {
        const need = setNeed(key);
        const byValue = key === 'src_ip' || key === 'dst_ip' ? addressNeed(at, scope) : need;
        return byValue === undefined ? [] : [{ key, at, need: byValue }];
      });
    return [...nested, ...set];
  });
}

/** Of the family that the address is of. */
function addressNeed(at: At, scope: Scope): Need {
  const value = scope.text(at);
  return { anyOf: [{ eth: value !== undefined && familyOf(value) === 6 ? ETH.ipv6 : ETH.ipv4 }] };
}

/** The actions for packets of a kind; undefined, and said, where something is wrong. */
export function actionsText(actions: At, context: Context, scope: Scope): MappedText | undefined {
  const texts = actions.each().map((action) => actionText(action, context, scope));
  return texts.includes(undefined) ? undefined : joined(texts as MappedText[], ',');
}

function actionText(action: At, context: Context, scope: Scope): MappedText | undefined {
  if (typeof action.value === 'string') return verbatim(action, scope);
  const [entry] = action.entries();
  if (entry === undefined) return undefined;
  const [key, at] = entry;
  return writers[key]!(at, context, scope);
}

function verbatim(at: At, scope: Scope): MappedText | undefined {
  const value = scope.text(at);
  return value === undefined ? undefined : new MappedText().add(value.text, at, value.exact ? 0 : undefined);
}

type Writer = (at: At, context: Context, scope: Scope) => MappedText | undefined;

/** A word with the number of a table, group or meter. */
const numbered =
  (what: Named, text: (number: number) => string): Writer =>
  (at, _, scope) => {
    const number = scope.number(what, at);
    return number === undefined ? undefined : new MappedText().add(text(number), at);
  };

const nested =
  (word: string): Writer =>
  (at, context, scope) => {
    const inside = actionsText(at, context, scope);
    return inside === undefined ? undefined : new MappedText().add(`${word}(`, at, -1).append(inside).add(')');
  };

const wordsOfPorts: ReadonlyMap<number, string> = new Map(
  Object.entries(reservedPorts).map(([name, number]) => [number, name.toLowerCase()]),
);

/** `output:3`, or the word for a reserved port. */
function output(value: Value, scope: Scope): MappedText | undefined {
  const number = scope.portNumber(value);
  if (number === undefined) return undefined;
  return new MappedText().add(wordsOfPorts.get(number) ?? `output:${number}`, value.at);
}

const outputs: Writer = (at, _, scope) => {
  const texts = scope.values(at).map((value) => output(value, scope));
  return texts.length === 0 || texts.includes(undefined) ? undefined : joined(texts as MappedText[], ',');
};

const tagPresent = 0x1000;

function vlanId(at: At, scope: Scope): number | undefined {
  const id = Number(scope.text(at)?.text ?? Number.NaN);
  if (Number.isInteger(id) && id >= 0 && id <= 4095) return id;
  say(scope.diagnostics, at, 'value', `${JSON.stringify(at.value)} is no VLAN id: a number from 0 to 4095`);
  return undefined;
}

const pushVlan: Writer = (at, _, scope) => {
  const id = vlanId(at, scope);
  return id === undefined
    ? undefined
    : new MappedText().add(`push_vlan:0x8100,set_field:${id | tagPresent}->vlan_vid`, at);
};

const transportNames: Readonly<Record<number, string>> = {
  [PROTO.tcp]: 'tcp',
  [PROTO.udp]: 'udp',
  [PROTO.sctp]: 'sctp',
};

/** The field that a word means in packets of a kind. */
function fieldIn(key: string, { eth, proto }: Context): string {
  const end = key.includes('src') ? 'src' : 'dst';
  const byWord: Readonly<Record<string, string>> = {
    src_mac: 'eth_src',
    dst_mac: 'eth_dst',
    dscp: 'ip_dscp',
    src_ip: eth === ETH.ipv6 ? 'ipv6_src' : 'ip_src',
    dst_ip: eth === ETH.ipv6 ? 'ipv6_dst' : 'ip_dst',
    src_port: `${transportNames[proto ?? 0]}_${end}`,
    dst_port: `${transportNames[proto ?? 0]}_${end}`,
    tp_src: `${transportNames[proto ?? 0]}_${end}`,
    tp_dst: `${transportNames[proto ?? 0]}_${end}`,
    icmp_type: eth === ETH.ipv6 ? 'icmpv6_type' : 'icmp_type',
    icmp_code: eth === ETH.ipv6 ? 'icmpv6_code' : 'icmp_code',
  };
  return Object.hasOwn(byWord, key) ? byWord[key]! : key;
}

const settable = [...fieldsByName].filter(([, { writable }]) => writable).map(([name]) => name);

function setOne(key: string, at: At, context: Context, scope: Scope): MappedText | undefined {
  if (key === 'vlan' || key === 'dl_vlan') {
    const id = vlanId(at, scope);
    return id === undefined ? undefined : new MappedText().add(`set_field:${id | tagPresent}->vlan_vid`, at);
  }
  const name = fieldIn(key, context);
  const known = fieldsByName.get(name);
  if (known === undefined || !known.writable) {
    const suggestion = nearest(key, settable);
    const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
    const what = known === undefined ? `there is no field ${JSON.stringify(key)}${hint}` : `${key} cannot be written`;
    say(scope.diagnostics, at, 'name', what, {
      range: at.keyRange(),
      suggestion: known === undefined ? suggestion : undefined,
    });
    return undefined;
  }
  const value = scope.text(at);
  if (value === undefined) return undefined;
  return new MappedText()
    .add('set_field:', at, -1)
    .add(value.text, at, value.exact ? 0 : undefined)
    .add(`->${name}`, at, -1);
}

const set: Writer = (at, context, scope) => {
  const texts = at.entries().map(([key, value]) => setOne(key, value, context, scope));
  return texts.includes(undefined) ? undefined : joined(texts as MappedText[], ',');
};

const plain =
  (text: (value: string) => string): Writer =>
  (at, _, scope) => {
    const value = scope.text(at);
    return value === undefined ? undefined : new MappedText().add(text(value.text), at);
  };

const writers: Readonly<Record<string, Writer>> = {
  output: outputs,
  controller: (at) => new MappedText().add(`controller:${(at.value as { max_len?: number }).max_len ?? 65_535}`, at),
  goto: numbered('table', (number) => `goto_table:${number}`),
  resubmit: numbered('table', (number) => `resubmit(,${number})`),
  group: numbered('group', (number) => `group:${number}`),
  meter: numbered('meter', (number) => `meter:${number}`),
  queue: plain((value) => `set_queue:${value}`),
  metadata: plain((value) => `write_metadata:${value}`),
  set,
  push_vlan: pushVlan,
  write: nested('write_actions'),
  clone: nested('clone'),
};
