/** FlowSet: tables of rules, with groups, meters, variables and tests. */
import { fieldsByName } from 'node-openflow/text';
import * as z from 'zod';
import { RULE_FLOWS_MAX, TABLE_ID_MAX } from '../limits.js';
import { actions } from './actions.js';
import { header, lint, name, nameOrNumber, oneOrMore, port, portByWords, scalar } from './common.js';
import { tests } from './test.js';

/** Words for what is known by several names in OpenFlow; each is made fields of by flow-set/words.ts. */
export const matchWords = {
  protocol:
    'tcp, udp, sctp (over IPv4 and IPv6), icmp, icmp6, ip, ipv4, ipv6, arp, rarp, mpls, or tcp4, tcp6 and so on.',
  src_mac: 'eth_src.',
  dst_mac: 'eth_dst.',
  src_ip: 'IPv4 or IPv6 source, by what is given.',
  dst_ip: 'IPv4 or IPv6 destination, by what is given.',
  src_port: 'Source port of TCP, UDP and SCTP.',
  dst_port: 'Destination port of TCP, UDP and SCTP.',
  vlan: 'VLAN id, "none" (no tag) or "any" (some tag).',
  dscp: 'ip_dscp.',
} as const;
export type MatchWord = keyof typeof matchWords;

const matchValue = oneOrMore(z.union([scalar, portByWords]), RULE_FLOWS_MAX);

const fieldShape = Object.fromEntries(
  [...fieldsByName].map(([field, { bits, maskable, needs }]) => [
    field,
    matchValue
      .optional()
      .describe(`${bits} bits${maskable ? ', may have a mask' : ''}${needs === '' ? '' : `; of ${needs} packets`}.`),
  ]),
);
const wordShape = Object.fromEntries(
  Object.entries(matchWords).map(([word, meaning]) => [word, matchValue.optional().describe(meaning)]),
);

export const match = z
  .strictObject({ ...fieldShape, ...wordShape })
  .describe(
    'What packets must be like. A list means any of them, "a-b" a range; what a field needs (ip for ip_dst) is added.',
  );

const ruleFlags = z.enum(['send_flow_rem', 'check_overlap', 'reset_counts', 'no_packet_counts', 'no_byte_counts']);

export const rule = z
  .strictObject({
    name: name.optional().describe('Unique in its table; default: its place in the table.'),
    priority: z.int().min(0).max(65_535).optional().describe('Default: by order, from 60000 in steps of 10 down.'),
    match: match.optional(),
    do: actions.optional().describe('Actions, in order.'),
    flow: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The whole rule in the words of ovs-ofctl, like "priority=50,arp actions=NORMAL"; table and cookie are not for it to say.',
      ),
    idle_timeout: z.int().min(0).max(65_535).optional().describe('Seconds without a packet after which it goes.'),
    hard_timeout: z.int().min(0).max(65_535).optional().describe('Seconds after which it goes.'),
    flags: z.array(ruleFlags).optional(),
    description: z.string().optional(),
  })
  .superRefine((rule, context) => {
    if (rule.flow === undefined) {
      if (rule.do === undefined) context.addIssue({ code: 'custom', message: 'a rule needs do (or flow)' });
      return;
    }
    for (const key of ['match', 'do', 'priority', 'idle_timeout', 'hard_timeout', 'flags'] as const) {
      if (rule[key] !== undefined) {
        context.addIssue({ code: 'custom', path: [key], message: `a rule has flow or ${key}, not both` });
      }
    }
  });

const table = z.strictObject({
  name,
  id: z.int().min(0).max(TABLE_ID_MAX).optional().describe('Number; default: one more than the table before.'),
  miss: z
    .union([z.enum(['drop', 'continue', 'controller', 'normal']), z.strictObject({ goto: nameOrNumber })])
    .optional()
    .describe('What becomes of packets that no rule matches. Default: no flow for it, which drops.'),
  rules: z.array(rule).optional(),
  flows: z
    .string()
    .optional()
    .describe(
      'Flows in the words of ovs-ofctl, one a line, # begins a comment. table and cookie are not for them to say.',
    ),
  description: z.string().optional(),
});

const bucket = z.strictObject({
  weight: z.int().min(0).max(65_535).optional(),
  watch_port: port.optional(),
  watch_group: nameOrNumber.optional(),
  do: actions,
});

const group = z.strictObject({
  name,
  id: z.int().min(0).max(0xffff_ff00).optional().describe('Number; default: made from owner and name.'),
  type: z.enum(['all', 'select', 'indirect', 'ff']),
  buckets: z.array(bucket).max(1000),
});

const meter = z
  .strictObject({
    name,
    id: z.int().min(1).max(0xffff_0000).optional().describe('Number; default: made from owner and name.'),
    kbps: z.int().min(1).max(0xffff_ffff).optional().describe('Rate in kilobits a second (1000 bits).'),
    pktps: z.int().min(1).max(0xffff_ffff).optional().describe('Rate in packets a second.'),
    burst: z.int().min(1).max(0xffff_ffff).optional().describe('Kilobits, or packets, that may come at once.'),
    dscp_remark: z.int().min(1).max(255).optional().describe('Lower the drop precedence by this instead of dropping.'),
  })
  .superRefine((meter, context) => {
    if ((meter.kbps === undefined) === (meter.pktps === undefined)) {
      context.addIssue({ code: 'custom', message: 'a meter has either kbps or pktps' });
    }
  });

const variable = z.union([scalar, portByWords, z.array(z.union([scalar, portByWords])).min(1)]);
export const variables = z
  .record(name, variable)
  .optional()
  .describe('Values that are used by a dollar and the name in braces.');

export const flowSet = z
  .strictObject({
    ...header,
    kind: z.literal('FlowSet'),
    spec: z.strictObject({
      bridge: z.string().optional().describe('Bridge that it is meant for; informs people.'),
      vars: variables,
      tables: z
        .array(table)
        .min(1)
        .max(TABLE_ID_MAX + 1)
        .describe('In the order of the pipeline.'),
      groups: z.array(group).optional(),
      meters: z.array(meter).optional(),
      tests,
      lint,
    }),
  })
  .describe('Tables of rules, with groups, meters, variables and tests.');
