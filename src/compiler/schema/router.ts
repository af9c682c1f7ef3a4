/** Router: subnets on ports of the switch, and routes between them. */
import * as z from 'zod';
import { LEARNED_DEFAULT, LEARNED_MAX, TABLE_ID_MAX } from '../limits.js';
import { header, lint, name, next, oneOrMore, port } from './common.js';
import { tests } from './test.js';

/** Tables that a router has, in their order. */
export const routerTables = [
  'ingress',
  'local',
  'advertise',
  'router',
  'neighbours',
  'stations',
  'egress',
  'learn',
] as const;
export type RouterTable = (typeof routerTables)[number];

const mac = z.string().min(1);
const address = z.string().min(1);
const vlan = z.int().min(1).max(4094);

const attachment = z.union([
  port,
  z.strictObject({ port, vlan: vlan.optional().describe('Frames have this tag there; default: none.') }),
]);

const host = z.strictObject({
  port: port.optional().describe('The port it is at; default: found out, until then asked for at all ports.'),
  mac: mac.optional().describe('Its MAC address; default: what is known of the port.'),
  addresses: z
    .array(address)
    .min(1)
    .max(64)
    .optional()
    .describe('Its IP addresses; default: what is known of the port.'),
});

const subnet = z.strictObject({
  name,
  gateway: oneOrMore(address, 16).describe(
    "The router's own addresses in it with their prefix lengths, like 10.0.1.1/24 or fd00:1::1/64.",
  ),
  mac: mac.optional().describe("The router's MAC address in it; default: that of the router."),
  ports: z.array(attachment).min(1).max(1024).describe('What it is made of; frames are switched between them.'),
  hosts: z.array(host).max(4096).optional().describe('Hosts that are known beforehand.'),
  mtu: z
    .int()
    .min(576)
    .max(65_521)
    .optional()
    .describe(
      'Bytes of the longest IP packet that is routed into it; with IPv6 1280 at least; default: as long as frames can be.',
    ),
  description: z.string().optional(),
});

const route = z
  .strictObject({
    to: address.describe('A prefix, like 192.168.0.0/16, 0.0.0.0/0 or "::/0".'),
    via: address.optional().describe('The next hop: an address in one of the subnets.'),
    blackhole: z.literal(true).optional().describe('Drop what goes there.'),
    reject: z.literal(true).optional().describe('Drop it, and tell the sender that it is prohibited.'),
    description: z.string().optional(),
  })
  .superRefine((route, context) => {
    if ([route.via, route.blackhole, route.reject].filter((way) => way !== undefined).length !== 1) {
      context.addIssue({ code: 'custom', message: 'a route has one of via, blackhole: true, reject: true' });
    }
  });

const learn = z.union([
  z.literal(false),
  z.strictObject({
    limit: z
      .int()
      .min(1)
      .max(LEARNED_MAX)
      .optional()
      .describe(
        `IP addresses, and MAC addresses, that are learned from one port of a subnet; default: ${LEARNED_DEFAULT}.`,
      ),
    age: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Seconds after which a host is forgotten that nothing was sent to; default: 14400, four hours.'),
  }),
]);

export const router = z
  .strictObject({
    ...header,
    kind: z.literal('Router'),
    spec: z.strictObject({
      bridge: z.string().optional(),
      table: z
        .int()
        .min(0)
        .max(TABLE_ID_MAX - routerTables.length + 1)
        .optional()
        .describe(`First of the ${routerTables.length} tables it uses; default 0.`),
      mac: mac.optional().describe("The router's MAC address; default: made from the document's name."),
      subnets: z.array(subnet).min(1).max(1024),
      routes: z.array(route).max(20_000).optional().describe('The longest prefix that fits decides.'),
      learn: learn.optional().describe('Whether ARP and neighbour discovery of hosts teach where they are.'),
      errors: z
        .enum(['icmp', 'drop', 'controller'])
        .optional()
        .describe(
          'What becomes of packets that an ICMP error is due to; default: icmp, which other switches than xvifd cannot make.',
        ),
      next: next.optional().describe('Where packets of ports go on that are in no subnet; default: normal.'),
      tests,
      lint,
    }),
  })
  .describe(
    'Subnets on ports, IPv4 and IPv6, and routes between them. The gateways answer ARP, neighbour discovery, ping.',
  );
