/** What a rule does. */
import * as z from 'zod';
import { nameOrNumber, oneOrMore, port, scalar } from './common.js';

/** An action: words of ovs-ofctl, or one key that says what and a value that says with what. */
const structured = z
  .strictObject({
    get output() {
      return oneOrMore(port).optional().describe('Send the packet out of these ports.');
    },
    controller: z
      .strictObject({ max_len: z.int().min(0).max(0xffff).optional() })
      .optional()
      .describe('Send the packet, or max_len bytes of it, to the controller.'),
    goto: nameOrNumber.optional().describe('Go on in this table, when all else is done.'),
    resubmit: nameOrNumber.optional().describe('Look into this table now and come back.'),
    group: nameOrNumber.optional().describe('Hand the packet to a group.'),
    meter: nameOrNumber.optional().describe('Measure, and drop what is too much.'),
    queue: z.int().min(0).max(0xffff_ffff).optional().describe('Queue for what is sent afterwards.'),
    set: z.record(z.string(), scalar).optional().describe('Write header fields: name to value, or value/mask.'),
    push_vlan: scalar.optional().describe('Put on a VLAN tag with this id.'),
    metadata: scalar.optional().describe('Write metadata: value, or value/mask.'),
    get write() {
      return actions.optional().describe('Actions for the end of the pipeline, put into the action set.');
    },
    get clone() {
      return actions.optional().describe('Actions on a copy.');
    },
  })
  .superRefine((action, context) => {
    const keys = Object.keys(action);
    if (keys.length === 1) return;
    context.addIssue({
      code: 'custom',
      message:
        keys.length === 0
          ? 'an action is missing'
          : `several actions in one (${keys.join(', ')}): write each as an item`,
    });
  });

export const action: z.ZodType = z
  .union([z.string().min(1), structured])
  .describe('An action in the words of ovs-ofctl, or {output: …}, {goto: …}, {set: …} and so on.');

/** In the order in which they are carried out. `drop` stands alone. */
export const actions: z.ZodType = z.union([z.string().min(1), z.array(action).min(1).max(1000)]);

/** Keys of an action, for hints. */
export const actionKeys: readonly string[] = Object.keys(structured.shape);
