/** The parts of a match: what each wants of a packet, and what it is in ovs-ofctl's words. */
import { fieldsByName, type OvsField, parseInteger } from 'node-openflow/text';
import { type At, say } from '../at.js';
import { ones, rangeToMasks } from '../number-ranges.js';
import type { MatchWord } from '../schema/flow-set.js';
import type { Scope, Value } from '../scope.js';
import {
  anyIcmp,
  anyIp,
  type Context,
  ETH,
  type Need,
  needOf,
  ofProtocol,
  PROTO,
  protocolContexts,
  withPorts,
} from './contexts.js';
import { allChoices, type Choice, familyOf } from './field-choices.js';

/** One key of a match. */
export interface Term {
  readonly key: string;
  readonly at: At;
  readonly need?: Need;
  /** The alternatives in packets of a kind, as `field=` and value; absent: the kind says it all. */
  readonly choices?: (context: Context) => readonly FieldChoice[];
}

export interface FieldChoice extends Choice {
  readonly field: string;
}

const field = (name: string): OvsField => fieldsByName.get(name)!;
const named = (name: string, choices: readonly Choice[]): FieldChoice[] =>
  choices.map((one) => ({ ...one, field: name }));

const transportNames: Readonly<Record<number, string>> = {
  [PROTO.tcp]: 'tcp',
  [PROTO.udp]: 'udp',
  [PROTO.sctp]: 'sctp',
};

/** A value has no meaning and that was said: no packet is like that. */
const wrong = (key: string, at: At): Term => ({ key, at, need: { anyOf: [] } });

/** Undefined: nothing to ask for, and no harm. */
type Maker = (key: string, at: At, scope: Scope) => Term;

function plain(key: string, at: At, scope: Scope): Term {
  const it = field(key);
  const choices = named(key, allChoices(it, scope.values(at), scope));
  if (choices.length === 0) return wrong(key, at);
  const need = needOf(it);
  return { key, at, ...(need === undefined ? {} : { need }), choices: () => choices };
}

/** Numbers that say what kind of packet it is. */
function numbers(limit: number, contexts: (value: number) => readonly Context[]): Maker {
  return (key, at, scope) => {
    const found = allChoices(field(key), scope.values(at), scope).flatMap(({ text, value }) => {
      const number = parseInteger(text);
      if (number !== undefined && number <= BigInt(limit)) return contexts(Number(number));
      const message = `${key} is ${JSON.stringify(text)} and must be a number from 0 to ${limit}`;
      say(scope.diagnostics, value.at, 'value', message);
      return [];
    });
    return { key, at, need: { anyOf: found } };
  };
}

/** By protocol: tcp_src, udp_src or sctp_src. */
function transport(side: 'src' | 'dst'): Maker {
  return (key, at, scope) => {
    const choices = allChoices(field(`tcp_${side}`), scope.values(at), scope);
    if (choices.length === 0) return wrong(key, at);
    const of = ({ proto }: Context) => named(`${transportNames[proto ?? 0]}_${side}`, choices);
    return { key, at, need: withPorts, choices: of };
  };
}

/** By family: ip_src or ipv6_src. */
function address(side: 'src' | 'dst'): Maker {
  return (key, at, scope) => {
    const values = scope.values(at);
    const of = (family: 4 | 6, name: string) => {
      const own = values.filter((value) => familyOf(value) === family);
      return named(name, allChoices(field(name), own, scope));
    };
    const [v4, v6] = [of(4, `ip_${side}`), of(6, `ipv6_${side}`)];
    const families = anyIp.filter(({ eth }) => (eth === ETH.ipv4 ? v4 : v6).length > 0);
    return { key, at, need: { anyOf: families }, choices: ({ eth }) => (eth === ETH.ipv6 ? v6 : v4) };
  };
}

function icmp(part: 'type' | 'code'): Maker {
  return (key, at, scope) => {
    const choices = allChoices(field(`icmp_${part}`), scope.values(at), scope);
    if (choices.length === 0) return wrong(key, at);
    return {
      key,
      at,
      need: anyIcmp,
      choices: ({ eth }) => named(eth === ETH.ipv6 ? `icmpv6_${part}` : `icmp_${part}`, choices),
    };
  };
}

const renamed =
  (name: string): Maker =>
  (key, at, scope) => ({ ...plain(name, at, scope), key });

function protocol(key: string, at: At, scope: Scope): Term {
  const found = scope.values(at).flatMap((value): readonly Context[] => {
    const known = Object.hasOwn(protocolContexts, value.text) ? protocolContexts[value.text] : undefined;
    if (known !== undefined) return known;
    const number = parseInteger(value.text);
    if (number !== undefined && number < 256n) return ofProtocol(Number(number));
    say(
      scope.diagnostics,
      value.at,
      'value',
      `there is no protocol ${JSON.stringify(value.text)}; there are ${Object.keys(protocolContexts).join(', ')} and numbers`,
    );
    return [];
  });
  return { key, at, need: { anyOf: found } };
}

const tagPresent = 0x1000n;

/** A VLAN id, a range of them, `none` or `any`. */
function vlan(key: string, at: At, scope: Scope): Term {
  const choices = scope.values(at).flatMap((value): FieldChoice[] => {
    const one = (name: string, text: string): FieldChoice => ({ field: name, text, value, exact: false });
    if (value.text === 'none') return [one('vlan_tci', '0')];
    if (value.text === 'any') return [one('vlan_tci', '0x1000/0x1000')];
    const [, low, high] = /^(\d+)(?:-(\d+))?$/.exec(value.text) ?? [];
    if (low === undefined || Number(high ?? low) > 4095 || Number(low) > Number(high ?? low)) {
      say(
        scope.diagnostics,
        value.at,
        'value',
        `vlan is ${JSON.stringify(value.text)} and must be an id from 0 to 4095, a range of them, none or any`,
      );
      return [];
    }
    if (high === undefined) return [one('dl_vlan', low)];
    return rangeToMasks(BigInt(low), BigInt(high), 12).map((range) => {
      const [id, mask] = [tagPresent | range.value, tagPresent | (range.mask & ones(12))];
      return one('vlan_vid', `0x${id.toString(16)}/0x${mask.toString(16)}`);
    });
  });
  return choices.length === 0 ? wrong(key, at) : { key, at, choices: () => choices };
}

const words: Readonly<Record<MatchWord, Maker>> = {
  protocol,
  src_mac: renamed('eth_src'),
  dst_mac: renamed('eth_dst'),
  src_ip: address('src'),
  dst_ip: address('dst'),
  src_port: transport('src'),
  dst_port: transport('dst'),
  vlan,
  dscp: renamed('ip_dscp'),
};

const eth = numbers(0xffff, (number) => [{ eth: number }]);
const proto = numbers(0xff, ofProtocol);

const special: Readonly<Record<string, Maker>> = {
  ...words,
  eth_type: eth,
  dl_type: eth,
  ip_proto: proto,
  nw_proto: proto,
  tp_src: transport('src'),
  tp_dst: transport('dst'),
  icmp_type: icmp('type'),
  icmp_code: icmp('code'),
};

/** Whether some kind of tag is asked for. */
const tagKeys = new Set(['vlan', 'vlan_tci', 'vlan_vid', 'dl_vlan', 'dl_vlan_pcp']);

const fixed = (at: At, name: string, texts: readonly string[], need?: Need): Term => {
  const choices = texts.map((text) => ({ field: name, text, value: { text, at, exact: false }, exact: false }));
  return { key: name, at, ...(need === undefined ? {} : { need }), choices: () => choices };
};

/** What fields need that is no ethertype and no protocol. */
function implied(keys: readonly string[], at: At): Term[] {
  const needs = keys.map((key) => fieldsByName.get(key)?.needs ?? '');
  const found: Term[] = [];
  if (needs.includes('vlan') && !keys.some((key) => tagKeys.has(key))) {
    found.push(fixed(at, 'vlan_tci', ['0x1000/0x1000']));
  }
  if (!keys.includes('icmpv6_type') && !keys.includes('icmp_type')) {
    const types = needs.includes('nd_solicit') ? ['135'] : needs.includes('nd_advert') ? ['136'] : ['135', '136'];
    if (needs.some((need) => need.startsWith('nd'))) found.push(fixed(at, 'icmpv6_type', types));
  }
  return found;
}

/** The parts of a match, those that follow from others included. */
export function termsOf(match: At, scope: Scope): Term[] {
  const entries = match.entries();
  const terms = entries.map(([key, at]) => (Object.hasOwn(special, key) ? special[key]! : plain)(key, at, scope));
  return [
    ...terms,
    ...implied(
      entries.map(([key]) => key),
      match,
    ),
  ];
}

/** Values of fields that are written: what they want of the packet. */
export function setNeed(key: string): Need | undefined {
  if (key === 'src_port' || key === 'dst_port' || key === 'tp_src' || key === 'tp_dst') return withPorts;
  if (key === 'icmp_type' || key === 'icmp_code') return anyIcmp;
  const it = fieldsByName.get(key);
  return it === undefined ? undefined : needOf(it);
}

export type { Value };
