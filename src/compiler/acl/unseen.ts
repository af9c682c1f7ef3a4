/**
 * Packets of members that do not show what rules ask for: first fragments whose ports or protocol come later, and IP to a
 * member in a frame to a group, which no address of a frame says is the member's.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { At } from '../at.js';
import { type Direction, hasPorts, type Member, otherWay, type RuleWords } from './matches.js';

/** Extension headers of IPv6 that may be the last of a first fragment. Open vSwitch says protocol 0 of those, and no fragment. */
const extensions = [43, 44, 51, 60] as const;
const cutHeaders: readonly string[] = [
  ...extensions.map((protocol) => `ipv6,nw_frag=first,nw_proto=${protocol}`),
  'ipv6,nw_proto=0',
];

/** Ports that no header has are 0 to a switch, and so is a header that ends before them. */
const withoutPorts = (protocol: string): string[] =>
  [protocol, `${protocol}6`].map((word) => `${word},nw_frag=first,tp_src=0,tp_dst=0`);

/**
 * Matches of first fragments that are to be dropped, for they would get past a rule that denies, or in by one that allows
 * port 0. Nobody needs them (RFC 3128, RFC 7112), and without the first fragment later ones are no packet.
 */
export function hiddenHeaders(rules: readonly At[]): Readonly<Record<Direction, readonly string[]>> {
  const found: Record<Direction, Set<string>> = { egress: new Set(), ingress: new Set() };
  for (const at of rules) {
    const { direction, action, protocol = 'any' } = at.value as RuleWords;
    const ports = hasPorts(protocol)
      ? at
          .key('ports')
          .each()
          .map(({ value }) => String(value))
      : [];
    const matches = [
      ...(action === 'deny' && protocol !== 'any' && protocol !== 'arp' ? cutHeaders : []),
      ...(ports.some((text) => action === 'deny' || /^0+(-|$)/.test(text)) ? withoutPorts(String(protocol)) : []),
    ];
    for (const match of matches) {
      found[direction].add(match);
      if (action !== 'deny') found[otherWay(direction)].add(match);
    }
  }
  return { egress: [...found.egress], ingress: [...found.ingress] };
}

export const GROUP_FRAMES = 'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00';

interface Family {
  readonly has: (address: string) => boolean;
  readonly word: string;
  readonly field: string;
  /** Whom frames to a group are meant for: limited broadcast (RFC 919), multicast (RFC 1112, RFC 4291 §2.7). */
  readonly groups: readonly string[];
  /** What hosts have besides the addresses that are written down: link-local ones (RFC 4291 §2.5.6). */
  readonly besides: readonly string[];
}
const families: readonly Family[] = [
  { has: isIPv4, word: 'ip', field: 'nw_dst', groups: ['255.255.255.255', '224.0.0.0/4'], besides: [] },
  { has: isIPv6, word: 'ipv6', field: 'ipv6_dst', groups: ['ff00::/8'], besides: ['fe80::/10'] },
];

/** Matches of IP in frames to a group; `passed` come first. */
export interface InGroupFrames {
  readonly passed: readonly string[];
  readonly dropped: readonly string[];
}

/** Where a member's addresses of a family are not known, any host's could be its own. */
export function unicastInGroupFrames(members: readonly Member[]): InGroupFrames {
  const kinds = families.map(({ has, word, field, groups, besides }) => {
    const to = (address: string) => `${GROUP_FRAMES},${word},${field}=${address}`;
    const known = members.every(({ addresses }) => addresses.some(has));
    const own = members.flatMap(({ addresses }) => addresses.filter(has));
    return known
      ? { passed: [], dropped: [...new Set([...own, ...besides])].map(to) }
      : { passed: groups.map(to), dropped: [`${GROUP_FRAMES},${word}`] };
  });
  return { passed: kinds.flatMap(({ passed }) => passed), dropped: kinds.flatMap(({ dropped }) => dropped) };
}
