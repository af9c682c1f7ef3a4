/** Qos: limits, marks and queues, by port and by class of traffic. */
import * as z from 'zod';
import { TABLE_ID_MAX } from '../limits.js';
import { header, lint, name, next, oneOrMore, port } from './common.js';
import { match, variables } from './flow-set.js';
import { tests } from './test.js';

/** Tables that it has, in their order. */
export const qosTables = ['ports', 'classes'] as const;

const police = z
  .strictObject({
    kbps: z.int().min(1).max(0xffff_ffff).optional().describe('Rate in kilobits a second (1000 bits).'),
    pktps: z.int().min(1).max(0xffff_ffff).optional().describe('Rate in packets a second.'),
    burst: z.int().min(1).max(0xffff_ffff).optional().describe('Kilobits, or packets, that may come at once.'),
    exceed: z
      .union([z.literal('drop'), z.strictObject({ dscp_remark: z.int().min(1).max(255) })])
      .optional()
      .describe('What becomes of what is too much: drop, or a higher drop precedence (RFC 2597); default: drop.'),
  })
  .superRefine((police, context) => {
    if ((police.kbps === undefined) === (police.pktps === undefined)) {
      context.addIssue({ code: 'custom', message: 'police has either kbps or pktps' });
    }
  });

/** What is done with packets; at least one of it. */
const treatment = {
  police: police.optional().describe('A limit.'),
  dscp: z.int().min(0).max(63).optional().describe('Marks IP packets with this code point.'),
  queue: z.int().min(0).max(0xffff_ffff).optional().describe('The queue of the port that it leaves by.'),
  description: z.string().optional(),
} as const;

interface Treatment {
  readonly police?: { readonly exceed?: unknown } | undefined;
  readonly dscp?: number | undefined;
  readonly queue?: number | undefined;
}

const treats = ({ police, dscp, queue }: Treatment, context: z.RefinementCtx): void => {
  if (police === undefined && dscp === undefined && queue === undefined) {
    context.addIssue({ code: 'custom', message: 'nothing is done here: police, dscp and queue are all missing' });
  }
  // A meter comes before all actions (OpenFlow 1.3.5 §5.9).
  if (dscp !== undefined && typeof police?.exceed === 'object') {
    const message = 'dscp overwrites what police marks: the limit comes first';
    context.addIssue({ code: 'custom', path: ['dscp'], message });
  }
};

const ofPorts = z.strictObject({ ports: oneOrMore(port), ...treatment }).superRefine(treats);
const ofClass = z.strictObject({ name, match, ...treatment }).superRefine(treats);

export const qos = z
  .strictObject({
    ...header,
    kind: z.literal('Qos'),
    spec: z
      .strictObject({
        bridge: z.string().optional(),
        vars: variables,
        table: z
          .int()
          .min(0)
          .max(TABLE_ID_MAX - qosTables.length + 1)
          .optional()
          .describe('First of the two tables it uses; default 0.'),
        ports: z
          .array(ofPorts)
          .max(1024)
          .optional()
          .describe('By the port that packets come in by. Each port has a limit of its own.'),
        classes: z
          .array(ofClass)
          .max(1024)
          .optional()
          .describe('Kinds of traffic; the first that fits counts. All of a class share its limit.'),
        next: next.optional().describe('Where packets go on; default: normal.'),
        tests,
        lint,
      })
      .superRefine((spec, context) => {
        if (spec.ports === undefined && spec.classes === undefined) {
          context.addIssue({ code: 'custom', message: 'there are neither ports nor classes' });
        }
      }),
  })
  .describe('Limits, marks and queues, by port and by class of traffic.');
