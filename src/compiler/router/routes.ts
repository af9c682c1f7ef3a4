/** A router's tables that are about IP: ping of the router, routes by the longest prefix, neighbours. */
import { type Address, addressText, type Family, prefixText } from './prefix.js';
import type { Host, Route, Subnet } from './resolve.js';
import { checkLength, SlowPath } from './slow-path.js';
import {
  backByPort,
  deliver,
  enter,
  forgetPort,
  from,
  fromMac,
  hopFromPacket,
  hopIs,
  inSubnet,
  ipWord,
  KNOWN_PRIORITY,
  type RouterFlow,
  type RouterPlan,
  setHop,
  swapIps,
  swapMacs,
  to,
} from './words.js';

/** Routes have the length of their prefix on top of it. */
const ROUTES = 100;
/** TTL of what the router says itself. */
const OWN_TTL = 64;

/** Echo request and reply. */
const echo: Readonly<Record<Family, { readonly word: string; readonly request: number; readonly set: string }>> = {
  4: { word: 'icmp', request: 8, set: 'set_field:0->icmp_type' },
  6: { word: 'icmp6', request: 128, set: 'set_field:129->icmpv6_type' },
};

/** Nobody routes these (RFC 1812 §5.3.7, RFC 4291 §2.5.6). */
const unroutable: readonly (readonly [family: Family, match: string])[] = [
  [4, to(4, '224.0.0.0/3')],
  [4, to(4, '127.0.0.0/8')],
  [4, to(4, '0.0.0.0/8')],
  [6, to(6, 'ff00::/8')],
  [6, to(6, 'fe80::/10')],
  [6, to(6, '::/127')],
  [6, from(6, 'fe80::/10')],
  [6, from(6, '::/127')],
];

type Flow = Omit<RouterFlow, 'table'>;

export function routerFlows(plan: RouterPlan): RouterFlow[] {
  const { subnets, routes, spec, slow } = plan;
  const families = ([4, 6] as const).filter((family) =>
    subnets.some(({ gateways }) => gateways.some((gateway) => gateway.family === family)),
  );
  const general = families.flatMap((family): Flow[] => [
    ...unroutable
      .filter(([of]) => of === family)
      .map(([, match]) => rule(480, [ipWord[family], match], ['drop'], 'unroutable')),
    ...[0, 1].map((ttl) => rule(470, [ipWord[family], `nw_ttl=${ttl}`], slow(SlowPath.timeExceeded), 'ttl-exceeded')),
  ]);
  function rule(priority: number, match: readonly string[], actions: readonly string[], name: string): Flow {
    return { priority, match, actions, at: spec, name };
  }
  const flows: Flow[] = [
    ...subnets.flatMap((subnet) => ownFlows(plan, subnet)),
    ...general,
    ...subnets.flatMap((subnet) =>
      subnet.gateways.map((gateway) => ({
        priority: ROUTES + gateway.length,
        match: [ipWord[gateway.family], to(gateway.family, prefixText(gateway))],
        actions: forward(plan, subnet, hopFromPacket(gateway.family)),
        at: gateway.at,
        name: prefixName(prefixText(gateway)),
      })),
    ),
    ...routes.map((route) => ({
      priority: ROUTES + route.to.length,
      match: [ipWord[route.to.family], to(route.to.family, prefixText(route.to))],
      actions: along(plan, route),
      at: route.at,
      name: prefixName(prefixText(route.to)),
    })),
    rule(0, [], slow(SlowPath.noRoute), 'no-route'),
  ];
  return flows.map((flow) => ({ ...flow, table: 'router' }));
}

function along(plan: RouterPlan, { via, rejects }: Route): readonly string[] {
  if (via !== undefined) return forward(plan, via.subnet, setHop(via.address));
  return rejects ? plan.slow(SlowPath.rejected) : [];
}

const prefixName = (text: string): string => `to-${text}`;

/** Packets for the router itself: it answers ping, and has no other service. */
function ownFlows({ table, slow }: RouterPlan, subnet: Subnet): Flow[] {
  const own: readonly Address[] = [...subnet.gateways, ...(subnet.linkLocal === undefined ? [] : [subnet.linkLocal])];
  return own.flatMap((address) => {
    const { family } = address;
    const { word, request, set } = echo[family];
    const mine = to(family, addressText(address));
    const at = subnet.at.key('gateway');
    const answer = [
      ...swapMacs,
      ...swapIps(family),
      set,
      `set_field:${OWN_TTL}->nw_ttl`,
      ...backByPort,
      `goto_table:${table('egress')}`,
    ];
    return [
      { priority: 500, match: [word, `icmp_type=${request}`, 'icmp_code=0', mine], actions: answer, at, name: 'ping' },
      { priority: 490, match: [ipWord[family], mine], actions: slow(SlowPath.own), at, name: 'own-address' },
    ];
  });
}

/** Into a subnet: who is the next hop, then where it is. Without a neighbour the address stays 0, and egress knows that. */
function forward(plan: RouterPlan, subnet: Subnet, hop: string): readonly string[] {
  return [
    'dec_ttl',
    hop,
    enter(subnet),
    fromMac(subnet.mac),
    'set_field:00:00:00:00:00:00->eth_dst',
    forgetPort,
    ...checkLength(plan, subnet),
    `resubmit(,${plan.table('neighbours')})`,
    ...deliver(plan),
  ];
}

/** Hosts that are known beforehand; others come by learning. */
export function neighbourFlows({ subnets }: RouterPlan): RouterFlow[] {
  const flow = (subnet: Subnet, { at, mac }: Host, address: Address): RouterFlow => ({
    table: 'neighbours',
    priority: KNOWN_PRIORITY,
    match: [inSubnet(subnet), ipWord[address.family], hopIs(address)],
    actions: [`set_field:${mac}->eth_dst`],
    at,
    name: `${subnet.name}-hosts`,
  });
  return subnets.flatMap((subnet) =>
    subnet.hosts.flatMap((host) => host.addresses.map((address) => flow(subnet, host, address))),
  );
}
