/** A router's tables that are about frames: which subnet they come from, where stations are, what leaves. */
import { learnStation } from './learn.js';
import type { Attachment, Subnet } from './resolve.js';
import { SlowPath } from './slow-path.js';
import { enter, inSubnet, KNOWN_PRIORITY, leaveBy, leavesBy, type RouterFlow, type RouterPlan } from './words.js';

const tagPresent = 0x1000;
const UNTAG = ['pop_vlan'] as const;

/** How frames of a subnet come in, and what makes them those of any port. */
interface Way {
  readonly match: readonly string[];
  readonly untag: readonly string[];
}
/** A tag with VLAN 0 says a priority and no VLAN (IEEE 802.1Q §6.9.1). */
const waysIn = ({ port, vlan }: Attachment): readonly Way[] =>
  vlan === undefined
    ? [
        { match: [`in_port=${port}`, 'vlan_tci=0'], untag: [] },
        { match: [`in_port=${port}`, 'dl_vlan=0'], untag: UNTAG },
      ]
    : [{ match: [`in_port=${port}`, `dl_vlan=${vlan}`], untag: UNTAG }];

export function ingressFlows(plan: RouterPlan): RouterFlow[] {
  const { subnets, spec, next } = plan;
  const table = 'ingress' as const;
  const found = subnets.flatMap((subnet) =>
    subnet.attachments.flatMap((one) => waysIn(one).flatMap((way) => ofAttachment(plan, subnet, one, way))),
  );
  // A port of a subnet is the router's as a whole.
  const ports = new Map(subnets.flatMap(({ attachments }) => attachments.map((one) => [one.port, one] as const)));
  for (const { port, at } of ports.values()) {
    found.push({ table, priority: 50, match: [`in_port=${port}`], actions: ['drop'], at, name: 'other-vlans' });
  }
  found.push({ table, priority: 0, match: [], actions: [next], at: spec, name: 'other-ports' });
  return found;
}

function ofAttachment(plan: RouterPlan, subnet: Subnet, attachment: Attachment, { match, untag }: Way): RouterFlow[] {
  const { at } = attachment;
  const flow = (priority: number, name: string, more: readonly string[], actions: readonly string[]): RouterFlow => ({
    table: 'ingress',
    priority,
    match: [...match, ...more],
    actions,
    at,
    name: `${subnet.name}-${name}`,
  });
  return [
    flow(300, 'group-source', ['dl_src=01:00:00:00:00:00/01:00:00:00:00:00'], ['drop']),
    // Its own frame has come back, or somebody pretends to be the router.
    flow(200, 'own-source', [`dl_src=${subnet.mac}`], ['drop']),
    flow(
      100,
      'in',
      [],
      [...untag, enter(subnet), ...learnStation(plan, subnet, attachment), `goto_table:${plan.table('local')}`],
    ),
  ];
}

/**
 * A frame that had a tag behind its tag is in no subnet, unless that says a priority only. Where a switch looks at one tag only,
 * as Open vSwitch does by itself (`vlan-limit`), the second is what the frame carries, and cannot be taken off.
 */
export function secondTagFlows({ spec, table }: RouterPlan): RouterFlow[] {
  const local = { table: 'local', at: spec } as const;
  return [
    {
      ...local,
      priority: 440,
      match: ['dl_vlan=0'],
      actions: [...UNTAG, `resubmit(,${table('local')})`],
      name: 'priority-tag',
    },
    ...['vlan_tci=0x1000/0x1000', 'dl_type=0x8100', 'dl_type=0x88a8'].map((match) => ({
      ...local,
      priority: 430,
      match: [match],
      actions: ['drop'],
      name: 'two-tags',
    })),
  ];
}

/** Hosts whose ports are known; others come by learning. */
export function stationFlows({ subnets }: RouterPlan): RouterFlow[] {
  return subnets.flatMap((subnet) =>
    subnet.hosts.flatMap(({ at, port, mac }) =>
      port === undefined
        ? []
        : [
            {
              table: 'stations' as const,
              priority: KNOWN_PRIORITY,
              match: [inSubnet(subnet), `dl_dst=${mac}`],
              actions: [leaveBy(port)],
              at,
              name: `${subnet.name}-hosts`,
            },
          ],
    ),
  );
}

export const send = ({ port, vlan }: Attachment): readonly string[] => [
  ...(vlan === undefined ? [] : ['push_vlan:0x8100', `set_field:${vlan | tagPresent}->vlan_vid`]),
  `output:${port}`,
];

/** A group sends to all of a subnet: a port that is not there takes its bucket away, and not the flow. */
export function egressFlows({ subnets, spec, slow, flood }: RouterPlan): RouterFlow[] {
  const table = 'egress' as const;
  return [
    {
      table,
      priority: 300,
      match: ['dl_dst=00:00:00:00:00:00'],
      actions: slow(SlowPath.noNeighbour),
      at: spec,
      name: 'no-neighbour',
    },
    ...subnets.flatMap((subnet): RouterFlow[] => [
      ...subnet.attachments.map((one) => ({
        table,
        priority: 100,
        match: [inSubnet(subnet), leavesBy(one.port)],
        actions: send(one),
        at: one.at,
        name: `${subnet.name}-out`,
      })),
      {
        table,
        priority: 50,
        match: [inSubnet(subnet), leavesBy(0)],
        actions: [`group:${flood(subnet)}`],
        at: subnet.at,
        name: `${subnet.name}-flood`,
      },
    ]),
  ];
}
