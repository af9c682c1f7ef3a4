/** What a router answers and learns from ARP and neighbour discovery; and which packets are for it to route. */
import { hear } from './learn.js';
import { type Address, addressText, prefixText } from './prefix.js';
import type { Gateway, Subnet } from './resolve.js';
import { SlowPath } from './slow-path.js';
import {
  backByPort,
  deliver,
  fromMac,
  inSubnet,
  ipBackTo,
  macBack,
  type RouterFlow,
  type RouterPlan,
  setSource,
} from './words.js';

/** `arp_op` */
const ARP = { request: 1, reply: 2 } as const;
/** ICMPv6 types (RFC 4861 §4). */
const ND = { solicit: 135, advertise: 136 } as const;
const TARGET_LINK_OPTION = 2;
/** Router, solicited, override, in the upper bits of what stands before the target (RFC 4861 §4.4). */
const RSO = { solicited: 0xe000_0000, unsolicited: 0xa000_0000 } as const;
const MAC_OF_ALL_NODES = '33:33:00:00:00:01';
const ALL_NODES = 'ff02::1';

type Local = Omit<RouterFlow, 'table'>;

export function localFlows(plan: RouterPlan): RouterFlow[] {
  const local = plan.subnets.flatMap((subnet) => [
    ...forged(subnet),
    ...subnet.gateways.flatMap((gateway) =>
      gateway.family === 4 ? arpFlows(plan, subnet, gateway) : discoveryFlows(plan, subnet, gateway),
    ),
    ...linkLocalFlows(plan, subnet),
    ...toRouter(plan, subnet),
  ]);
  const others: Local = { priority: 0, match: [], actions: deliver(plan), at: plan.spec, name: 'switch' };
  return [
    ...[...local, others].map((flow) => ({ ...flow, table: 'local' as const })),
    ...plan.subnets.flatMap((subnet) => (subnet.linkLocal === undefined ? [] : [advertiseFlow(plan, subnet)])),
  ];
}

/** What nobody but the router may say: that it comes from one of its addresses; and senders that are none. */
function forged(subnet: Subnet): Local[] {
  const flow = flowMaker(subnet, subnet.at.key('gateway'));
  const own = [...subnet.gateways, ...(subnet.linkLocal === undefined ? [] : [subnet.linkLocal])];
  return [
    ...own.map((address) => {
      const source =
        address.family === 4 ? ['ip', `nw_src=${addressText(address)}`] : ['ipv6', `ipv6_src=${addressText(address)}`];
      return flow(420, 'false-gateway', source, []);
    }),
    // A group is nobody's address (RFC 1812 §3.3.2).
    flow(420, 'arp-false-sender', ['arp', 'arp_sha=01:00:00:00:00:00/01:00:00:00:00:00'], []),
    flow(420, 'arp-false-sender', ['arp', `arp_sha=${subnet.mac}`], []),
  ];
}

function arpFlows(plan: RouterPlan, subnet: Subnet, gateway: Gateway): Local[] {
  const { at } = gateway;
  const [own, network] = [addressText(gateway), prefixText(gateway)];
  const flow = (priority: number, name: string, more: readonly string[], actions: readonly string[]): Local => ({
    priority,
    match: [inSubnet(subnet), 'arp', ...more],
    actions: actions.length === 0 ? ['drop'] : actions,
    at,
    name: `${subnet.name}-${name}`,
  });
  const learned = hear(plan);
  const answer = [
    macBack,
    fromMac(subnet.mac),
    `set_field:${ARP.reply}->arp_op`,
    'move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]',
    `set_field:${subnet.mac}->arp_sha`,
    'move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]',
    `set_field:${own}->arp_spa`,
    ...backByPort,
    `goto_table:${plan.table('egress')}`,
  ];
  const question = [`arp_op=${ARP.request}`, `arp_tpa=${own}`];
  return [
    flow(410, 'arp-false-gateway', [`arp_spa=${own}`], []),
    flow(400, 'arp-answer', [...question, `arp_spa=${network}`], [...learned, ...answer]),
    // Who looks whether an address is free has none yet (RFC 5227).
    flow(390, 'arp-probe', [...question, 'arp_spa=0.0.0.0'], answer),
    flow(380, 'arp-told', [`dl_dst=${subnet.mac}`, `arp_spa=${network}`], [...learned, ...plan.slow(SlowPath.told)]),
    flow(370, 'arp-heard', [`arp_spa=${network}`], [...learned, ...deliver(plan)]),
  ];
}

/** Solicitations and advertisements that are as they have to be (RFC 4861 §7.1). */
const discovery = (type: number): readonly string[] => ['icmp6', `icmp_type=${type}`, 'icmp_code=0', 'nw_ttl=255'];

function discoveryFlows(plan: RouterPlan, subnet: Subnet, gateway: Gateway): Local[] {
  const { at } = gateway;
  const network = prefixText(gateway);
  const flow = flowMaker(subnet, at);
  const learned = hear(plan);
  const advertised = [...discovery(ND.advertise), `nd_target=${network}`];
  return [
    ...answers(plan, subnet, gateway, at),
    flow(380, 'nd-told', [`dl_dst=${subnet.mac}`, ...advertised], [...learned, ...plan.slow(SlowPath.told)]),
    flow(370, 'nd-heard', advertised, [...learned, ...deliver(plan)]),
    flow(370, 'nd-heard', [...discovery(ND.solicit), `ipv6_src=${network}`], [...learned, ...deliver(plan)]),
  ];
}

function linkLocalFlows(plan: RouterPlan, subnet: Subnet): Local[] {
  return subnet.linkLocal === undefined ? [] : answers(plan, subnet, subnet.linkLocal, subnet.at.key('gateway'));
}

const flowMaker =
  (subnet: Subnet, at: Local['at']) =>
  (priority: number, name: string, match: readonly string[], actions: readonly string[]): Local => ({
    priority,
    match: [inSubnet(subnet), ...match],
    actions: actions.length === 0 ? ['drop'] : actions,
    at,
    name: `${subnet.name}-${name}`,
  });

/** To those who ask for one of the router's addresses. */
function answers(plan: RouterPlan, subnet: Subnet, own: Address, at: Local['at']): Local[] {
  const flow = flowMaker(subnet, at);
  const target = `nd_target=${addressText(own)}`;
  const question = [...discovery(ND.solicit), target];
  const learned = hear(plan);
  const advertise = (flags: number) => [
    setSource(own),
    fromMac(subnet.mac),
    `set_field:${flags}->nd_reserved`,
    `set_field:${ND.advertise}->icmpv6_type`,
    ...backByPort,
    `goto_table:${plan.table('advertise')}`,
  ];
  // The link-layer address of who asked makes room for that of the router; without one there is none in the answer.
  const option = `set_field:${TARGET_LINK_OPTION}->nd_options_type`;
  const answer = [macBack, ipBackTo(6), option, ...advertise(RSO.solicited)];
  const networks = subnet.gateways.filter(({ family }) => family === 6).map(prefixText);
  return [
    flow(410, 'nd-false-gateway', [...discovery(ND.advertise), target], []),
    ...networks.map((network) => flow(400, 'nd-answer', [...question, `ipv6_src=${network}`], [...learned, ...answer])),
    flow(395, 'nd-answer-link', [...question, 'ipv6_src=fe80::/10'], answer),
    flow(
      390,
      'nd-probe',
      [...question, 'ipv6_src=::'],
      [`set_field:${MAC_OF_ALL_NODES}->eth_dst`, `set_field:${ALL_NODES}->ipv6_dst`, ...advertise(RSO.unsolicited)],
    ),
  ];
}

/** Open vSwitch lets the field be written only where a match says that it is an advertisement. */
function advertiseFlow(plan: RouterPlan, subnet: Subnet): RouterFlow {
  return {
    table: 'advertise',
    priority: 100,
    match: [inSubnet(subnet), 'icmp6', `icmp_type=${ND.advertise}`, 'icmp_code=0'],
    actions: [`set_field:${subnet.mac}->nd_tll`, `goto_table:${plan.table('egress')}`],
    at: subnet.at.key('gateway'),
    name: subnet.name,
  };
}

function toRouter(plan: RouterPlan, subnet: Subnet): Local[] {
  const flow = flowMaker(subnet, subnet.at);
  const mine = `dl_dst=${subnet.mac}`;
  const families = [4, 6].filter((family) => subnet.gateways.some((gateway) => gateway.family === family));
  return [
    ...families.map((family) =>
      flow(300, 'to-router', [mine, family === 4 ? 'ip' : 'ipv6'], [`goto_table:${plan.table('router')}`]),
    ),
    flow(200, 'not-routed', [mine], []),
  ];
}
