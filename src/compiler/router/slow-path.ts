/**
 * What flows of a router cannot do by themselves: they hand it to the daemon's router agent (src/router-agent), where one runs.
 * The first byte of the userdata says who is meant, and so which budget it is part of, the second what it is.
 */
import { LocalAgent, toLocalAgent } from '../local-agent.js';
import { type RouterTable, routerTables } from '../schema/router.js';
import { type Address, lastOf, networkOf, type Prefix, prefixText } from './prefix.js';
import type { Subnet } from './resolve.js';
import { inSubnet, ipWord, type RouterFlow, type RouterPlan, to } from './words.js';

export const SlowPath = {
  /** TTL or hop limit is used up. */
  timeExceeded: 1,
  noRoute: 2,
  /** A route says `reject`. */
  rejected: 3,
  /** Longer than the MTU of the subnet in {@link subnetRegister} allows. */
  tooBig: 4,
  /** For an address of the router's, and no ping. */
  own: 5,
  /** The next hop's MAC address is not known: subnet and next hop are in the registers, and the TTL is one less. */
  noNeighbour: 6,
  /** ARP or neighbour discovery told the router where somebody is. */
  told: 7,
} as const;
export type SlowPath = (typeof SlowPath)[keyof typeof SlowPath];

/** Who is told; what is not here is an error. */
const told: Partial<Record<SlowPath, LocalAgent>> = {
  [SlowPath.tooBig]: LocalAgent.fragments,
  [SlowPath.noNeighbour]: LocalAgent.unresolved,
  [SlowPath.told]: LocalAgent.neighbours,
};

/** What becomes of packets that an ICMP error is due to. */
export type ErrorMode = 'icmp' | 'drop' | 'controller';

/** Actions; none: it is dropped. */
export function slowPath(mode: ErrorMode): (what: SlowPath) => readonly string[] {
  return (what) => {
    if (mode === 'icmp') return [toLocalAgent(told[what] ?? LocalAgent.errors, what)];
    // What is the router's own business is nobody else's.
    const others = mode === 'controller' && what !== SlowPath.own && what !== SlowPath.told;
    return others ? ['controller:65535'] : [];
  };
}

/** A router as its agent sees it. */
export interface ProgramRouter {
  readonly document: string;
  /** Number of the first of its tables, which are as in `routerTables`. */
  readonly firstTable: number;
  readonly subnets: readonly RouterSubnet[];
  readonly routes: readonly RouterRoute[];
  /** It asks for neighbours: what they say is learned. */
  readonly asks: boolean;
}
export interface RouterSubnet extends Pick<Subnet, 'name' | 'number' | 'mac' | 'linkLocal' | 'mtu'> {
  readonly gateways: readonly Prefix[];
}
export interface RouterRoute {
  readonly to: Prefix;
  /** Undefined: packets go nowhere. */
  readonly via: { readonly address: Address; readonly subnet: RouterSubnet } | undefined;
}

/** Facts alone, without the places that they come from. */
export function programRouter(
  document: string,
  firstTable: number,
  { subnets, routes }: Pick<RouterPlan, 'subnets' | 'routes'>,
  asks: boolean,
): ProgramRouter {
  const plain = subnets.map(({ name, number, mac, linkLocal, mtu, gateways }) => ({
    name,
    number,
    mac,
    linkLocal,
    mtu,
    gateways: gateways.map(({ family, value, length }) => ({ family, value, length })),
  }));
  return {
    document,
    firstTable,
    subnets: plain,
    routes: routes.map(({ to, via }) => ({
      to,
      via: via && { address: via.address, subnet: plain[via.subnet.number - 1]! },
    })),
    asks,
  };
}

export const routerTable = ({ firstTable }: ProgramRouter, table: RouterTable): number =>
  firstTable + routerTables.indexOf(table);

/** Whether a packet is too long for the subnet that it leaves by. */
const longRegister = 'NXM_NX_REG6[0]';
const LONG = 'reg6=0x1/0x1';
const ETHERNET_BYTES = 14;

/** Before a packet is sent on into a subnet. */
export const checkLength = ({ errors }: RouterPlan, { mtu }: Subnet): readonly string[] =>
  errors === 'icmp' && mtu !== undefined ? [`check_pkt_larger(${mtu + ETHERNET_BYTES})->${longRegister}`] : [];

export function tooBigFlows(plan: RouterPlan): RouterFlow[] {
  const { subnets, errors, slow } = plan;
  if (errors !== 'icmp') return [];
  return subnets.flatMap((subnet) =>
    subnet.mtu === undefined
      ? []
      : [
          {
            table: 'egress' as const,
            priority: 400,
            match: [inSubnet(subnet), LONG],
            actions: slow(SlowPath.tooBig),
            at: subnet.at.key('mtu'),
            name: `${subnet.name}-too-big`,
          },
        ],
  );
}

/** Nobody sends from elsewhere to all hosts of a subnet (RFC 2644); with fewer than four addresses it has none for that. */
export function directedBroadcastFlows({ subnets }: RouterPlan): RouterFlow[] {
  return subnets.flatMap(({ name, gateways }) =>
    gateways
      .filter(({ family, length }) => family === 4 && length < 31)
      .flatMap((gateway) =>
        [networkOf(gateway).value, lastOf(gateway)].map((value) => ({
          table: 'router' as const,
          priority: 480,
          match: [ipWord[4], to(4, prefixText({ family: 4, value, length: 32 }))],
          actions: [],
          at: gateway.at,
          name: `${name}-broadcast`,
        })),
      ),
  );
}
