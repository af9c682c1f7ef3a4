/** What goes into a chain: matches, and those of its answers. */
import { type At, say } from '../at.js';
import { expandMatch } from '../flow-set/match.js';
import { CHAIN_PORT_LISTS_MAX, RULE_FLOWS_MAX } from '../limits.js';
import { MappedText } from '../mapped-text.js';
import type { Scope } from '../scope.js';
import type { Residents } from './residents.js';

/** The register with the port that a packet's destination was seen at, 0 if it was not; its lower 16 bits. */
export const PLACE = 'NXM_NX_REG6[0..15]';
export const PLACE_FIELD = 'reg6';
export const MULTICAST = 'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00';
const PORT_BITS = 0xffff;

export interface ClassifierMatches {
  readonly forward: readonly MappedText[];
  /** Of answers, where those visit the chain. */
  readonly reverse: readonly string[];
}

/** Field by field, source and destination change places. */
const turned: Readonly<Record<string, string>> = {
  arp_spa: 'arp_tpa',
  arp_tpa: 'arp_spa',
  arp_sha: 'arp_tha',
  arp_tha: 'arp_sha',
};
/** Questions and their answers (RFC 792, RFC 4443 §4). */
const icmpAnswers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  icmp_type: { 8: '0', 0: '8', 13: '14', 14: '13' },
  icmpv6_type: { 128: '129', 129: '128', 135: '136', 136: '135' },
};

function turn(part: string): string {
  const [field, value] = part.split('=') as [string, string | undefined];
  if (value === undefined) return part;
  const answer = icmpAnswers[field]?.[value];
  if (answer !== undefined) return `${field}=${answer}`;
  const other = turned[field] ?? field.replace(/_(src|dst)$/, (_, side) => (side === 'src' ? '_dst' : '_src'));
  return `${other}=${value}`;
}

/** The match of what answers to what a match matches. */
export const answerTo = (match: string): string => match.split(',').map(turn).join(',');

const sameParts = (a: string, b: string): boolean => a.split(',').sort().join() === b.split(',').sort().join();

function portsAt(at: At, scope: Scope, legOf: (port: number) => string | undefined): number[] | undefined {
  const before = scope.diagnostics.errors;
  const found = at.each().flatMap((one) =>
    scope.values(one).flatMap((value) => {
      const number = scope.portNumber(value);
      const leg = number === undefined ? undefined : legOf(number);
      if (leg !== undefined) {
        const message = `${value.text} is a leg of hop ${leg}, and what comes from a hop is not classified again`;
        say(scope.diagnostics, one, 'value', message);
      }
      return number === undefined ? [] : [number];
    }),
  );
  return scope.diagnostics.errors > before ? undefined : found;
}

export interface ClassifierWorld {
  readonly scope: Scope;
  readonly symmetric: boolean;
  readonly residents: Residents;
  /** The hop that a port of the chain is a leg of. */
  readonly legOf: (port: number) => string | undefined;
}

/** Undefined, and said, where it has no meaning. */
export function classifierMatches(
  at: At,
  { scope, symmetric, residents, legOf }: ClassifierWorld,
): ClassifierMatches | undefined {
  const match = at.key('match');
  const inPort = match.key('in_port');
  if (inPort.value !== undefined) {
    say(scope.diagnostics, inPort, 'value', 'in_port is not for a match of a chain to say: from is', {
      range: inPort.keyRange(),
    });
    return undefined;
  }
  const [from, to] = [portsAt(at.key('from'), scope, legOf), portsAt(at.key('to'), scope, legOf)];
  const matches = expandMatch(match, [], scope).map(({ text }) => text);
  const texts = matches.map(({ text }) => text);
  if (from === undefined || to === undefined || texts.length === 0) return undefined;
  const count = Math.max(from.length, 1) * (to.length === 0 ? 1 : to.length + 2) * texts.length;
  if (count > RULE_FLOWS_MAX) {
    say(
      scope.diagnostics,
      at,
      'expansion',
      `lists and ranges make ${count} flows of this classifier; at most ${RULE_FLOWS_MAX}`,
    );
    return undefined;
  }
  if (symmetric && from.length === 0 && to.length === 0 && texts.some((text) => sameParts(text, answerTo(text)))) {
    const message =
      'answers match this too, so that the directions cannot be told apart: say from, to, or a source or destination';
    say(scope.diagnostics, at, 'value', message);
    return undefined;
  }
  const inPorts = (ports: readonly number[]) => (ports.length === 0 ? [''] : ports.map((port) => `in_port=${port}`));
  // What is for somebody who was seen nowhere is flooded by others, and so could be for any of the ports.
  const seenAt = (ports: readonly number[]) =>
    [0, ...ports].map((port) => `${PLACE_FIELD}=${port & PORT_BITS}/0x${PORT_BITS.toString(16)}`);
  const places = (ports: readonly number[]) => {
    if (ports.length === 0) return [''];
    const resident = residents.match(ports);
    if (resident !== undefined) return [...seenAt(ports), resident];
    const message = `classifiers name more than ${CHAIN_PORT_LISTS_MAX} different lists of ports that destinations are at`;
    say(scope.diagnostics, at, 'limit', message);
    return [''];
  };
  const put = (prefix: string, text: MappedText) =>
    new MappedText().add(prefix === '' || text.text === '' ? prefix : `${prefix},`, at).append(text);
  return {
    forward: product(inPorts(from), places(to)).flatMap((prefix) => matches.map((text) => put(prefix, text))),
    reverse: symmetric ? product(inPorts(to), places(from), texts.map(answerTo)) : [],
  };
}

/** All combinations, as matches. */
const product = (...lists: readonly (readonly string[])[]): string[] =>
  lists.reduce<string[]>(
    (found, list) => found.flatMap((a) => list.map((b) => (a === '' || b === '' ? a + b : `${a},${b}`))),
    [''],
  );
