/**
 * What a router learns from hosts: their MAC addresses from ARP and neighbour discovery (table `neighbours`), their ports
 * from all that they send (table `stations`). Each port has limits of its own, so that a guest which makes up addresses
 * keeps nobody else's from being learned.
 */
import type { Family } from './prefix.js';
import type { Attachment, Subnet } from './resolve.js';
import {
  ethertypes,
  hopRegister,
  inSubnet,
  portRegister,
  type RouterFlow,
  type RouterPlan,
  subnetRegister,
} from './words.js';

/** What is known beforehand has more. */
const LEARNED_PRIORITY = 100;
/**
 * Seconds after which a station is forgotten that sends nothing, as bridges do (IEEE 802.1Q, table 8-6): what is sent to it
 * does not keep it, what it sends makes the flow anew.
 */
const STATION_AGE_S = 300;

/** In the table of stations: the sender's MAC address is at the port that the packet came in by. */
export function learnStation(plan: RouterPlan, subnet: Subnet, attachment: Attachment): string[] {
  const spec = [subnetRegister, 'NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]', `load:NXM_OF_IN_PORT[]->${portRegister}`];
  return learn(plan, 'stations', subnet, attachment, () => `hard_timeout=${STATION_AGE_S}`, spec);
}

/** Has the table `learn` look at a packet that says who has an address. */
export const hear = ({ learned, table }: RouterPlan): readonly string[] =>
  learned === undefined ? [] : [`resubmit(,${table('learn')})`];

const advertisement: readonly string[] = ['icmp6', 'icmp_type=136', 'icmp_code=0'];
/**
 * Who says something of an address, and where: ARP's sender, who asks (RFC 4861 §4.3), who is asked for (§4.4), which a proxy
 * may say for it (§7.2.8).
 */
const sayings: readonly {
  readonly family: Family;
  readonly match: readonly string[];
  readonly address: string;
  readonly mac: string;
}[] = [
  { family: 4, match: ['arp'], address: 'NXM_OF_ARP_SPA[]', mac: 'NXM_NX_ARP_SHA[]' },
  { family: 6, match: ['icmp6', 'icmp_type=135'], address: 'NXM_NX_IPV6_SRC[]', mac: 'NXM_OF_ETH_SRC[]' },
  { family: 6, match: advertisement, address: 'NXM_NX_ND_TARGET[]', mac: 'NXM_NX_ND_TLL[]' },
];

/** An advertisement without the option does not say where (RFC 4861 §7.2.5); a group is nobody, and the router is itself. */
const silent = ({ spec, subnets }: RouterPlan): RouterFlow[] =>
  [
    ['nd_tll=00:00:00:00:00:00'],
    ['nd_tll=01:00:00:00:00:00/01:00:00:00:00:00'],
    ...subnets.map((subnet) => [inSubnet(subnet), `nd_tll=${subnet.mac}`]),
  ].map((match) => ({
    table: 'learn',
    priority: LEARNED_PRIORITY + 10,
    match: [...advertisement, ...match],
    actions: [],
    at: spec,
    name: 'nd-without-address',
  }));

/** Whom to believe was decided before. */
export function learnFlows(plan: RouterPlan): RouterFlow[] {
  if (plan.learned === undefined) return [];
  const learning = plan.subnets.flatMap((subnet) =>
    subnet.attachments.flatMap((attachment) =>
      sayings
        .filter(({ family }) => subnet.gateways.some((gateway) => gateway.family === family))
        .map(({ family, match, address, mac }) => {
          const spec = [
            `eth_type=${ethertypes[family]}`,
            subnetRegister,
            `${hopRegister[family]}=${address}`,
            `load:${mac}->NXM_OF_ETH_DST[]`,
          ];
          return {
            table: 'learn' as const,
            priority: LEARNED_PRIORITY,
            match: [inSubnet(subnet), `in_port=${attachment.port}`, ...match],
            actions: learn(plan, 'neighbours', subnet, attachment, ({ age }) => `idle_timeout=${age}`, spec),
            at: attachment.at,
            name: `${subnet.name}/${attachment.label}`,
          };
        }),
    ),
  );
  const has6 = plan.subnets.some(({ linkLocal }) => linkLocal !== undefined);
  return has6 ? [...silent(plan), ...learning] : learning;
}

function learn(
  { learned, table }: RouterPlan,
  into: 'neighbours' | 'stations',
  subnet: Subnet,
  attachment: Attachment,
  timeout: (how: { readonly age: number }) => string,
  spec: readonly string[],
): string[] {
  const how = learned?.(subnet, attachment);
  if (how === undefined) return [];
  const settings = [
    `table=${table(into)}`,
    `priority=${LEARNED_PRIORITY}`,
    timeout(how),
    `cookie=0x${how.cookie.toString(16)}`,
    `limit=${how.limit}`,
    'delete_learned',
  ];
  return [`learn(${[...settings, ...spec].join(',')})`];
}
