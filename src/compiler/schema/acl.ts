/** Acl: who may talk to some ports, in the words of security groups. */
import * as z from 'zod';
import { TABLE_ID_MAX } from '../limits.js';
import { header, labels, lint, name, next, oneOrMore, port, scalar } from './common.js';
import { tests } from './test.js';

const ports = oneOrMore(z.union([z.int().min(0).max(65_535), z.string().min(1)]));

const member = z.union([
  port,
  z.strictObject({
    port,
    mac: z.string().min(1).optional().describe('Its MAC address; default: what is known of the port.'),
    addresses: z.array(z.string()).optional().describe('Its IP addresses; default: what is known of the port.'),
    labels: labels
      .optional()
      .describe('For remote_labels, beside those of the document, and instead of those of the same keys.'),
  }),
]);

const rule = z.strictObject({
  name: name.optional(),
  direction: z.enum(['ingress', 'egress']).describe('Ingress: to the members; egress: from them.'),
  action: z.enum(['allow', 'deny']).optional().describe('Default: allow. Earlier rules come first.'),
  protocol: z
    .union([z.enum(['tcp', 'udp', 'sctp', 'icmp', 'icmp6', 'arp', 'any']), z.int().min(0).max(255)])
    .optional()
    .describe('Default: any, which is IPv4 and IPv6.'),
  ports: ports.optional().describe('Destination ports: numbers and ranges like "8000-8099".'),
  icmp_type: z.int().min(0).max(255).optional(),
  icmp_code: z.int().min(0).max(255).optional(),
  remote: oneOrMore(scalar).optional().describe('Prefixes of the other side; default: any.'),
  remote_acl: name.optional().describe('The addresses of the members of this Acl are the other side.'),
  remote_labels: labels
    .refine((wanted) => Object.keys(wanted).length > 0, 'give at least one label')
    .optional()
    .describe('The addresses of the members of all Acls that have all of these labels are the other side.'),
  description: z.string().optional(),
});

export const acl = z
  .strictObject({
    ...header,
    kind: z.literal('Acl'),
    spec: z.strictObject({
      bridge: z.string().optional(),
      members: z.array(member).min(1).max(1024).describe('The ports that are protected.'),
      table: z
        .int()
        .min(0)
        .max(TABLE_ID_MAX - 1)
        .optional()
        .describe('First of the two tables it uses; default 0.'),
      next: next.optional().describe('Where allowed packets go on; default: normal.'),
      default: z
        .strictObject({
          ingress: z.enum(['allow', 'deny']).optional(),
          egress: z.enum(['allow', 'deny']).optional(),
        })
        .optional()
        .describe('What becomes of packets that no rule is about; default: deny both.'),
      basics: z.boolean().optional().describe('Allow ARP, neighbour discovery and DHCP as a client; default: true.'),
      rules: z.array(rule),
      tests,
      lint,
    }),
  })
  .describe('Who may talk to some ports. Stateless: the answers of what is allowed are allowed by their ports.');
