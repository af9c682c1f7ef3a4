/** Tests in documents: a packet and what must become of it. */
import * as z from 'zod';
import { oneOrMore, port } from './common.js';

const test = z.strictObject({
  name: z.string().optional(),
  packet: z
    .string()
    .min(1)
    .describe('A packet in the words of ovs-ofctl, like "tcp,in_port=web/0,nw_dst=10.0.0.1,tp_dst=80".'),
  expect: z.union([
    z.literal('drop'),
    z.strictObject({
      output: oneOrMore(port).optional().describe('The ports it must leave by, in any order, and no others.'),
      controller: z.boolean().optional().describe('Whether it must reach the controller; default: it must not.'),
      as: z.string().optional().describe('A match, in the words of ovs-ofctl, that all that leaves must meet.'),
    }),
  ]),
});

export const tests = z.array(test).optional().describe('Packets and what must become of them; run by xvif check.');
