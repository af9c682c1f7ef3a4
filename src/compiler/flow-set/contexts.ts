/** What kind of packet fields belong to: ethertype and protocol, which are derived and never asked for. */
import type { OvsField } from 'node-openflow/text';

/** A kind of packet; what is absent may be anything. */
export interface Context {
  readonly eth?: number;
  readonly proto?: number;
}

export const ETH = {
  ipv4: 0x0800,
  arp: 0x0806,
  rarp: 0x8035,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsm: 0x8848,
  nsh: 0x894f,
} as const;
export const PROTO = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;

export interface Need {
  /** Any of these. */
  readonly anyOf: readonly Context[];
  /** Where more than one is left, the first is meant. */
  readonly first?: boolean;
}

const over = (...protocols: number[]): Context[] =>
  protocols.flatMap((proto) => [ETH.ipv4, ETH.ipv6].map((eth) => ({ eth, proto })));
export const icmp4: Context = { eth: ETH.ipv4, proto: PROTO.icmp };
export const icmp6: Context = { eth: ETH.ipv6, proto: PROTO.icmp6 };
export const anyIp: readonly Context[] = [{ eth: ETH.ipv4 }, { eth: ETH.ipv6 }];

/** `protocol: tcp` and so on. */
export const protocolContexts: Readonly<Record<string, readonly Context[]>> = {
  tcp: over(PROTO.tcp),
  udp: over(PROTO.udp),
  sctp: over(PROTO.sctp),
  icmp: [icmp4],
  icmp6: [icmp6],
  ip: anyIp,
  ipv4: [{ eth: ETH.ipv4 }],
  ipv6: [{ eth: ETH.ipv6 }],
  tcp4: [{ eth: ETH.ipv4, proto: PROTO.tcp }],
  tcp6: [{ eth: ETH.ipv6, proto: PROTO.tcp }],
  udp4: [{ eth: ETH.ipv4, proto: PROTO.udp }],
  udp6: [{ eth: ETH.ipv6, proto: PROTO.udp }],
  sctp4: [{ eth: ETH.ipv4, proto: PROTO.sctp }],
  sctp6: [{ eth: ETH.ipv6, proto: PROTO.sctp }],
  arp: [{ eth: ETH.arp }],
  rarp: [{ eth: ETH.rarp }],
  mpls: [{ eth: ETH.mpls }],
};

/** With ports: TCP, UDP, SCTP. */
export const withPorts: Need = { anyOf: over(PROTO.tcp, PROTO.udp, PROTO.sctp) };
/** icmp_type and icmp_code go with ICMPv6 too, if that is said. */
export const anyIcmp: Need = { anyOf: [icmp4, icmp6], first: true };

export const ofProtocol = (proto: number): readonly Context[] => over(proto);

const needs: Readonly<Record<string, Need>> = {
  ip4: { anyOf: [{ eth: ETH.ipv4 }] },
  ip6: { anyOf: [{ eth: ETH.ipv6 }] },
  ip: { anyOf: anyIp },
  arp: { anyOf: [{ eth: ETH.arp }, { eth: ETH.rarp }], first: true },
  mpls: { anyOf: [{ eth: ETH.mpls }, { eth: ETH.mplsm }], first: true },
  tcp: { anyOf: over(PROTO.tcp) },
  udp: { anyOf: over(PROTO.udp) },
  sctp: { anyOf: over(PROTO.sctp) },
  icmp4: { anyOf: [icmp4] },
  icmp6: { anyOf: [icmp6] },
  nd: { anyOf: [icmp6] },
  nd_solicit: { anyOf: [icmp6] },
  nd_advert: { anyOf: [icmp6] },
  nsh: { anyOf: [{ eth: ETH.nsh }] },
};

/** Undefined: any packet has it. */
export const needOf = (field: OvsField): Need | undefined => needs[field.needs];

function merge(a: Context, b: Context): Context | undefined {
  if (a.eth !== undefined && b.eth !== undefined && a.eth !== b.eth) return undefined;
  if (a.proto !== undefined && b.proto !== undefined && a.proto !== b.proto) return undefined;
  return { ...a, ...b };
}

/** The kinds of packets that meet both; empty where none can. */
export function narrow(contexts: readonly Context[], { anyOf, first }: Need): Context[] {
  const found = new Map<string, Context>();
  for (const context of contexts) {
    const merged = anyOf.map((one) => merge(context, one)).filter((one) => one !== undefined);
    for (const one of first === true ? merged.slice(0, 1) : merged) found.set(`${one.eth}/${one.proto}`, one);
  }
  return [...found.values()];
}

const ethNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(ETH).map(([name, number]) => [number, name]),
);
const protoNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(PROTO).map(([name, number]) => [number, name]),
);

/** 'tcp over ipv4' */
export function contextText({ eth, proto }: Context): string {
  const below = eth === undefined ? undefined : (ethNames[eth] ?? `ethertype 0x${eth.toString(16)}`);
  if (proto === undefined) return below ?? 'any packet';
  const above = protoNames[proto] ?? `protocol ${proto}`;
  return below === undefined ? above : `${above} over ${below}`;
}

export const contextsText = (contexts: readonly Context[]): string =>
  [...new Set(contexts.map(contextText))].join(' or ');
