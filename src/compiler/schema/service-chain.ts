/** ServiceChain: traffic that is led through network functions. Words of OVN (mode, fallback) and of networking-sfc. */
import * as z from 'zod';
import {
  CHAIN_HOPS_MAX,
  CHAIN_INSTANCES_MAX,
  CHAIN_WEIGHT_MAX,
  HEALTH_INTERVAL_MAX,
  HEALTH_INTERVAL_MIN,
  TABLE_ID_MAX,
} from '../limits.js';
import { header, lint, name, nameOrNumber, oneOrMore, port } from './common.js';
import { match, variables } from './flow-set.js';
import { tests } from './test.js';

const classifier = z.strictObject({
  name: name.optional().describe('Unique in the chain; default: its place.'),
  from: oneOrMore(port).optional().describe('Ports that the traffic comes in by; default: any.'),
  to: oneOrMore(port).optional().describe('Ports that the destination was last seen at; default: any.'),
  match: match.optional().describe('What packets must be like, without in_port.'),
  description: z.string().optional(),
});

const instance = z.strictObject({
  name: name.optional().describe('Unique in the hop; default: its place.'),
  ingress: port.describe('The port that packets are sent to.'),
  egress: port.optional().describe('The port that they come back from; default: the same.'),
  weight: z.int().min(1).max(CHAIN_WEIGHT_MAX).optional().describe('Its share where traffic is balanced; default 1.'),
  nsh: z
    .enum(['aware', 'unaware'])
    .optional()
    .describe('With correlation nsh: whether it takes service headers and leaves them on; default: unaware.'),
  address: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Its IPv4 address, for health by arp, icmp and tcp; default: probes go in by ingress, and come out by egress.',
    ),
});

const station = z.strictObject({
  mac: z
    .string()
    .regex(/^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$/, 'is no MAC address of a single station')
    .optional(),
  address: z.ipv4().optional(),
});
const seconds = z.number().min(HEALTH_INTERVAL_MIN).max(HEALTH_INTERVAL_MAX);

const health = z.strictObject({
  type: z
    .enum(['port-state', 'arp', 'icmp', 'tcp', 'counters'])
    .describe('How it is found out whether an instance works; port-state: its ingress port is up.'),
  port: z.int().min(1).max(65_535).optional().describe('TCP port, with tcp.'),
  interval: seconds.optional().describe('Seconds between two questions; default 5.'),
  timeout: seconds.optional().describe('Seconds to wait for an answer; default 3, or the interval.'),
  up: z.int().min(1).max(100).optional().describe('Answers in a row after which it works; default 1.'),
  down: z.int().min(1).max(100).optional().describe('Missing answers in a row after which it does not; default 1.'),
  packets: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('With counters: packets in an interval after which none having come out is a fault; default 10.'),
  retry: seconds.optional().describe('With counters: seconds until it gets traffic again, to see; default 30.'),
  source: station
    .optional()
    .describe(
      'Whom probes come from; default 02:58:56:00:00:01, 169.254.88.1. At an address of an instance an address of its network.',
    ),
  target: station
    .optional()
    .describe('Whom probes are for that pass through an instance; default 02:58:56:00:00:02, 169.254.88.2.'),
});

const hop = z.strictObject({
  name,
  mode: z.enum(['inline', 'tap']).optional().describe('inline: packets go through it; tap: it gets copies.'),
  behaviour: z
    .enum(['balance', 'failover', 'all'])
    .optional()
    .describe(
      'balance: each connection to one instance, by weight; failover: the first that is up; all: each gets a copy.',
    ),
  fallback: z
    .enum(['open', 'closed'])
    .optional()
    .describe('Where no instance is up: skip the hop, or drop. Default: closed.'),
  health: health.optional().describe('Default: port-state.'),
  instances: z.array(instance).min(1).max(CHAIN_INSTANCES_MAX),
  description: z.string().optional(),
});

const correlation = z.union([
  z.enum(['none', 'vlan', 'mpls', 'nsh']),
  z.strictObject({ vlan: z.int().min(1).max(4094).describe('First of the VLAN ids.') }),
  z.strictObject({ mpls: z.int().min(16).max(0xf_ffff).describe('First of the labels.') }),
  z.strictObject({ nsh: z.int().min(1).max(0xff_ffff).describe('Service path; the way back has the one after it.') }),
]);

export const serviceChain = z
  .strictObject({
    ...header,
    kind: z.literal('ServiceChain'),
    spec: z.strictObject({
      bridge: z.string().optional().describe('Bridge that it is meant for; informs people.'),
      vars: variables,
      table: z.int().min(0).max(TABLE_ID_MAX).optional().describe('First of the tables it uses; default 0.'),
      classifiers: z.array(classifier).min(1).max(1000).describe('What goes into the chain: any of these.'),
      hops: z.array(hop).min(1).max(CHAIN_HOPS_MAX).describe('In the order in which they are visited.'),
      return: z
        .enum(['none', 'symmetric'])
        .optional()
        .describe('symmetric: answers visit the hops in reverse order, and the same instances. Default: none.'),
      correlation: correlation
        .optional()
        .describe(
          'How a packet that comes back is known: by its port (none), or by a tag or header that the hop leaves on it.',
        ),
      exit: z
        .union([z.literal('normal'), z.strictObject({ port }), z.strictObject({ table: nameOrNumber })])
        .optional()
        .describe('Where traffic goes on after the last hop; normal: to where its destination was seen. Default.'),
      next: z
        .union([z.enum(['normal', 'drop']), z.strictObject({ goto: nameOrNumber })])
        .optional()
        .describe('Where all other traffic goes on; default: normal.'),
      fragments: z
        .enum(['chain', 'drop'])
        .optional()
        .describe('Where IP fragments go that could be of its traffic; default: chain, through its hops.'),
      tests,
      lint,
    }),
  })
  .describe('Traffic that is led through network functions, hop by hop, and cannot get into the chain twice.');
