/** A rule of an Acl → matches of ovs-ofctl, and those of its answers. */
import { isIP } from 'node:net';
import { type At, say } from '../at.js';
import { RULE_FLOWS_MAX } from '../limits.js';
import { rangeToMasks } from '../number-ranges.js';
import type { Scope } from '../scope.js';

/** A port that is protected, and its addresses. */
export interface Member {
  readonly at: At;
  readonly label: string;
  readonly port: number;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly labels: Labels;
}

export type Labels = Readonly<Record<string, string>>;

/** Those of all Acls that are compiled together. */
export interface Members {
  /** Undefined: there is no such Acl. */
  of(acl: string): readonly Member[] | undefined;
  /** Who have all of these labels. */
  labelled(labels: Labels): readonly Member[];
}

export type Direction = 'ingress' | 'egress';
export const otherWay = (direction: Direction): Direction => (direction === 'ingress' ? 'egress' : 'ingress');

export interface RuleWords {
  readonly name?: string;
  readonly direction: Direction;
  readonly action?: 'allow' | 'deny';
  readonly protocol?: string | number;
  readonly icmp_type?: number;
  readonly icmp_code?: number;
}

export interface RuleMatch {
  readonly match: string;
  /** The other way; absent where there is none. */
  readonly answer: string | undefined;
}

/** Kinds of packets: the words for IPv4 and for IPv6. */
const protocols: Readonly<Record<string, readonly [word: string, family: 4 | 6 | 0][]>> = {
  tcp: [
    ['tcp', 4],
    ['tcp6', 6],
  ],
  udp: [
    ['udp', 4],
    ['udp6', 6],
  ],
  sctp: [
    ['sctp', 4],
    ['sctp6', 6],
  ],
  icmp: [['icmp', 4]],
  icmp6: [['icmp6', 6]],
  arp: [['arp', 0]],
  any: [
    ['ip', 4],
    ['ipv6', 6],
  ],
};
const withPorts = new Set<string | number>(['tcp', 'udp', 'sctp']);
export const hasPorts = (protocol: string | number): boolean => withPorts.has(protocol);

const kindsOf = (protocol: string | number): readonly (readonly [string, 4 | 6 | 0])[] =>
  typeof protocol === 'number'
    ? [
        [`ip,nw_proto=${protocol}`, 4],
        [`ipv6,nw_proto=${protocol}`, 6],
      ]
    : protocols[protocol]!;

/** Undefined, and said, where a rule has no meaning. */
export function ruleMatches(at: At, scope: Scope, members: Members): RuleMatch[] | undefined {
  const words = at.value as RuleWords;
  const { protocol = 'any' } = words;
  const complain = (where: At, message: string): undefined => {
    say(scope.diagnostics, where, 'value', message);
    return undefined;
  };
  const name = String(protocol);
  if (at.key('ports').value !== undefined && !hasPorts(protocol))
    return complain(at.key('ports'), `ports go with tcp, udp and sctp, and protocol is ${name}`);
  for (const key of ['icmp_type', 'icmp_code'] as const) {
    if (words[key] !== undefined && !name.startsWith('icmp'))
      return complain(at.key(key), `${key} goes with icmp and icmp6, and protocol is ${name}`);
  }
  const ports = portsOf(at.key('ports'), scope);
  const remotes = remotesOf(at, scope, members);
  if (ports === undefined || remotes === undefined) return undefined;
  const kinds = kindsOf(protocol).map(([word, family]) => ({
    word,
    sides: remotes.filter((remote) => remote === undefined || (family !== 0 && familyOf(remote) === family)),
  }));
  const count = kinds.reduce((sum, { sides }) => sum + sides.length * ports.length, 0);
  if (count > RULE_FLOWS_MAX)
    return complain(at, `lists and ranges make ${count} matches of this rule; at most ${RULE_FLOWS_MAX}`);
  if (count === 0) return complain(at, `no packet of protocol ${name} has a remote side like this`);
  return kinds.flatMap(({ word, sides }) =>
    sides.flatMap((remote) => ports.map((port) => oneMatch(words, word, remote, port))),
  );
}

const familyOf = (prefix: string): 4 | 6 => (prefix.includes(':') ? 6 : 4);

/** Echo request and reply, and their like in ICMPv6. */
const echoes: Readonly<Record<string, readonly [number, number]>> = { icmp: [8, 0], icmp6: [128, 129] };

function oneMatch(words: RuleWords, word: string, remote: string | undefined, port: string | undefined): RuleMatch {
  const { direction, icmp_type: type, icmp_code: code } = words;
  const field = (side: 'src' | 'dst') =>
    remote === undefined ? [] : [`${familyOf(remote) === 6 ? `ipv6_${side}` : `nw_${side}`}=${remote}`];
  const [there, back] = direction === 'ingress' ? (['src', 'dst'] as const) : (['dst', 'src'] as const);
  const icmp = [
    ...(type === undefined ? [] : [`icmp_type=${type}`]),
    ...(code === undefined ? [] : [`icmp_code=${code}`]),
  ];
  const match = [word, ...field(there), ...(port === undefined ? [] : [`tp_dst=${port}`]), ...icmp].join(',');
  return { match, answer: answerOf(word, field(back), port, type) };
}

function answerOf(
  word: string,
  remote: readonly string[],
  port: string | undefined,
  type: number | undefined,
): string | undefined {
  if (word === 'arp') return undefined;
  const ports = port === undefined ? [] : [`tp_src=${port}`];
  if (word.startsWith('tcp')) return [word, ...remote, ...ports, 'tcp_flags=+ack'].join(',');
  const echo = echoes[word];
  // Only echoes have an answer of their own; errors are told from the other side of whatever is allowed.
  if (echo !== undefined && type !== undefined)
    return type === echo[0] ? [word, ...remote, `icmp_type=${echo[1]}`].join(',') : undefined;
  return [word, ...remote, ...ports].join(',');
}

/** Values of tp_dst, with masks; [undefined]: any. */
function portsOf(at: At, scope: Scope): (string | undefined)[] | undefined {
  if (at.value === undefined) return [undefined];
  const found: string[] = [];
  for (const one of at.each()) {
    const [, low, high] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(one.value)) ?? [];
    const [first, last] = [Number(low), Number(high ?? low)];
    if (low === undefined || last > 0xffff || first > last) {
      say(
        scope.diagnostics,
        one,
        'value',
        `${JSON.stringify(one.value)} is no port and no range of ports from 0 to 65535`,
      );
      return undefined;
    }
    for (const { value, mask } of rangeToMasks(BigInt(first), BigInt(last), 16)) {
      found.push(mask === 0xffffn ? String(value) : `0x${value.toString(16)}/0x${mask.toString(16)}`);
    }
  }
  return found;
}

const REMOTES = ['remote', 'remote_acl', 'remote_labels'] as const;

/** Prefixes of the other side; [undefined]: any. */
function remotesOf(at: At, scope: Scope, members: Members): (string | undefined)[] | undefined {
  const [remote, acl, labels] = REMOTES.map((key) => at.key(key)) as [At, At, At];
  const [, second] = [remote, acl, labels].filter(({ value }) => value !== undefined);
  if (second !== undefined) {
    say(scope.diagnostics, second, 'value', `the other side is said twice: give one of ${REMOTES.join(', ')}`);
    return undefined;
  }
  const denies = at.key('action').value === 'deny';
  if (acl.value !== undefined) {
    const name = String(acl.value);
    return addressesOf(acl, `of ${name}`, scope, members.of(name), `there is no Acl ${JSON.stringify(name)}`, denies);
  }
  if (labels.value !== undefined) {
    const wanted = labels.value as Labels;
    const words = Object.entries(wanted).map(([key, value]) => `${key}=${value}`);
    const found = members.labelled(wanted);
    const none = `no member of an Acl has the labels ${words.join(', ')}`;
    return addressesOf(labels, `with ${words.join(', ')}`, scope, found.length === 0 ? undefined : found, none, denies);
  }
  if (remote.value === undefined) return [undefined];
  const found = remote.each().map((one) => ({ one, text: String(one.value) }));
  const wrong = found.find(({ text }) => !isPrefix(text));
  if (wrong === undefined) return found.map(({ text }) => text);
  say(scope.diagnostics, wrong.one, 'value', `${JSON.stringify(wrong.text)} is no IP address and no prefix`);
  return undefined;
}

/** Undefined, and said, where there are none, or, of a rule that denies, where some are not known. */
function addressesOf(
  at: At,
  whose: string,
  { diagnostics }: Scope,
  members: readonly Member[] | undefined,
  none: string,
  denies: boolean,
): string[] | undefined {
  const addresses = members?.flatMap((member) => member.addresses) ?? [];
  // Whom a rule denies it must not miss.
  const missed = denies && members?.some((member) => member.addresses.length === 0);
  if (addresses.length > 0 && !missed) return [...new Set(addresses)];
  const unknown = `the addresses of the members ${whose} are not known: write {port: …, addresses: […]}`;
  say(diagnostics, at, 'name', members === undefined ? none : unknown);
  return undefined;
}

function isPrefix(text: string): boolean {
  const [address, length, more] = text.split('/');
  const family = isIP(address!);
  if (family === 0 || more !== undefined) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128));
}
