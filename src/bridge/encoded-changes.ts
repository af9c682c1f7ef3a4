/**
 * Changes of the daemon itself on their way into the tables: over the wire form and back, so that nothing is taken that no
 * controller could send. Flow_mods of the usual kind stay bytes.
 */
import { decodeMessage, encodeMessage, type Message, type Outgoing } from 'node-openflow';
import type { Steps } from '../base/slices.js';
import type { Change } from '../ofproto/index.js';
import { PlainRun } from '../ofproto/plain-run.js';
import { OF13 } from '../ofproto/versions.js';

export interface RefusedChange {
  /** Among all of them. */
  readonly index: number;
  readonly reason: string;
}

export class EncodedChanges {
  constructor(
    /** Each has its index as xid. */
    readonly changes: readonly Change[],
    /** One that cannot be said: none of them is to be carried out. */
    readonly refused: RefusedChange | undefined,
  ) {}
}

/** They are messages of OpenFlow 1.3. Throws EncodeError for one without a wire form. */
export function* encodeChanges(messages: readonly Outgoing[]): Steps<EncodedChanges> {
  const changes: Change[] = [];
  for (const [index, message] of messages.entries()) {
    const bytes = encodeMessage({ ...message, version: OF13, xid: index } as Message);
    const last = changes.at(-1);
    const run = last?.type === 'plain_run' ? last : new PlainRun();
    if (run.append(bytes)) {
      if (run !== last) changes.push(run);
    } else {
      const result = decodeMessage(bytes, { version: OF13, unknown: 'refuse' });
      if (!result.ok) return new EncodedChanges([], { index, reason: result.error.reason });
      changes.push(result.message as Change);
    }
    yield;
  }
  return new EncodedChanges(changes, undefined);
}
