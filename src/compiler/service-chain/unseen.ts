/**
 * Packets that could be of a classifier's traffic and do not show it, and what becomes of them, so that none gets past a
 * chain: fragments have no ports, frames to a group may carry unicast IP, and a tag may stand behind a tag.
 */
import { fieldsByName, type OvsField } from 'node-openflow/text';
import { MULTICAST, PLACE_FIELD } from './classifiers.js';

/** Priorities in the table `classify`, above those of the classifiers, in the order in which they are asked. */
const PRIORITY = {
  multicast: 65_000,
  ofGroups: 64_900,
  groups: 64_800,
  tags: 64_700,
  answersOfExit: 64_602,
  fragments: 64_601,
  answers: 64_600,
} as const;

export interface UnseenFlow {
  readonly priority: number;
  readonly match: string;
  readonly actions: string;
  readonly rule: string;
}

/** The classifiers of a chain together. */
export interface Classified {
  /** Matches, without variables and lists. */
  readonly forward: readonly string[];
  /** Of answers; empty where those do not visit the chain. */
  readonly reverse: readonly string[];
  /** Actions for fragments. */
  readonly fragments: { readonly forward: string; readonly reverse: string };
  /** The only port that what goes forward leaves by, and so the one that answers come in by. */
  readonly exitPort: number | undefined;
  /** Actions for what is not the chain's. */
  readonly next: string;
}

export function unseenFlows(chain: Classified): UnseenFlow[] {
  const { forward, reverse, next } = chain;
  const matches = [...forward, ...reverse].map(read);
  const drop = (priority: number, rule: string, list: readonly Part[][]): UnseenFlow[] =>
    distinct(list).map((match) => ({ priority, match, actions: 'drop', rule }));
  return [
    ...multicastIp.map((match) => ({
      priority: PRIORITY.multicast,
      match: `${MULTICAST},${match}`,
      actions: next,
      rule: 'multicast',
    })),
    ...drop(PRIORITY.ofGroups, 'unicast in frames to a group', matches.flatMap(inGroupFrames)),
    { priority: PRIORITY.groups, match: MULTICAST, actions: next, rule: 'frames to a group' },
    ...drop(PRIORITY.tags, 'two tags', matches.flatMap(behindTwoTags)),
    ...fragmentFlows(chain),
  ];
}

/** Where directions look alike without ports, answers are known by the port that they come in by, or not at all. */
function fragmentFlows({ forward, reverse, fragments, exitPort }: Classified): UnseenFlow[] {
  const there = distinct(forward.map(read).flatMap(inFragments));
  const back = distinct(reverse.map(read).flatMap(inFragments));
  const flow = (priority: number, actions: string) => (match: string) => ({
    priority,
    match,
    actions,
    rule: 'fragments',
  });
  const ofExit = exitPort === undefined ? [] : back.filter((match) => !match.includes('in_port='));
  const known = new Set(there);
  return [
    ...ofExit.map((match) => flow(PRIORITY.answersOfExit, fragments.reverse)(`in_port=${exitPort},${match}`)),
    ...there.map(flow(PRIORITY.fragments, fragments.forward)),
    ...back.filter((match) => !known.has(match)).map(flow(PRIORITY.answers, fragments.reverse)),
  ];
}

/** Whom frames to a group are meant for: limited broadcast (RFC 919), multicast (RFC 1112, RFC 4291 §2.7). */
const multicastIp = ['ip,nw_dst=255.255.255.255', 'ip,nw_dst=224.0.0.0/4', 'ipv6,ipv6_dst=ff00::/8'] as const;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
/** Tags behind the first, where a switch looks at one only, as Open vSwitch does (`vlan-limit`). */
const tagTypes = ['0x8100', '0x88a8'] as const;

/** `field=value` of a match. */
interface Part {
  readonly text: string;
  readonly field: OvsField;
  readonly value: string;
}

const read = (match: string): Part[] =>
  match === ''
    ? []
    : match.split(',').map((text) => {
        const [name, value] = text.split('=') as [string, string];
        return { text, field: fieldsByName.get(name)!, value };
      });
const part = (text: string): Part => read(text)[0]!;
const isField = (name: string): ((part: Part) => boolean) => {
  const field = fieldsByName.get(name)!;
  return (one) => one.field === field;
};
const isEthertype = isField('dl_type');
const isProtocol = isField('nw_proto');
const isFragment = isField('nw_frag');
const isDestination = isField('dl_dst');
const isPlace = isField(PLACE_FIELD);
const ofFrames = new Set(['', 'vlan']);
const ofIp = new Set(['ip', 'ip4', 'ip6']);
const isOfFrame = ({ field }: Part): boolean => ofFrames.has(field.needs);
const isOfTransport = ({ field }: Part): boolean => !ofFrames.has(field.needs) && !ofIp.has(field.needs);

/** Undefined: packets of any kind. */
function ethertype(match: readonly Part[]): number | undefined {
  const found = match.find(isEthertype);
  return found === undefined ? undefined : Number(found.value);
}

/**
 * Later fragments have no ports, and those of IPv6 no protocol in Open vSwitch; a first one may be too short for its
 * ports. All go one way, so that a hop can put them together. Of IPv6 whose headers end before the protocol Open vSwitch
 * only says protocol 0, and not that it is a fragment (RFC 7112).
 */
function inFragments(match: readonly Part[]): Part[][] {
  const eth = ethertype(match);
  if (match.some(isFragment)) return [];
  const rest = match.filter((one) => !isOfTransport(one));
  if (eth === IPV4) return rest.length === match.length ? [] : [[...rest, part('nw_frag=yes')]];
  if (eth !== IPV6 || (rest.length === match.length && !match.some(isProtocol))) return [];
  const addresses = rest.filter((one) => !isProtocol(one));
  return [
    [...addresses, part('nw_frag=yes')],
    [...addresses, part('nw_proto=0')],
  ];
}

function behindTwoTags(match: readonly Part[]): Part[][] {
  const eth = ethertype(match);
  if (eth !== IPV4 && eth !== IPV6) return [];
  const frame = match.filter((one) => isOfFrame(one) && !isEthertype(one));
  return tagTypes.map((type) => [...frame, part(`dl_type=${type}`)]);
}

/** Whoever has the destination address hears a group's frames too; where it was seen is not looked up for them. */
function inGroupFrames(match: readonly Part[]): Part[][] {
  const eth = ethertype(match);
  const kinds = eth === undefined ? [IPV4, IPV6].map((type) => [part(`dl_type=${type}`), ...match]) : [match];
  if (eth !== undefined && eth !== IPV4 && eth !== IPV6) return [];
  const frame = (one: readonly Part[]) => [part(MULTICAST), ...one.filter((it) => !isDestination(it) && !isPlace(it))];
  return kinds.flatMap((one) => [one, ...inFragments(one), ...behindTwoTags(one)]).map(frame);
}

const distinct = (matches: readonly (readonly Part[])[]): string[] => [
  ...new Set(matches.map((match) => match.map(({ text }) => text).join(','))),
];
