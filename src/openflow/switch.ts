/** What the channels need of a switch; ofproto/ has it. */
import type { Message } from 'node-openflow';
import type { AsyncMessage } from '../ofproto/async-events.js';
import type { Change, Refused } from '../ofproto/commit.js';
import type { ControllerView } from '../ofproto/controller-view.js';
import type { Standalone } from '../ofproto/standalone.js';

/** A message for every controller that wants it. Packets are cut to size already. */
export type { AsyncMessage } from '../ofproto/async-events.js';

export interface Switch {
  /**
   * Carries out one message and replies on the view, in the order of calls. Messages about the connection itself (hello,
   * echo, barrier, role, async masks) never come here. What is refused is answered with the error of the specification.
   * The promise, if there is one, is settled when the answer is complete; it never rejects.
   */
  handle(view: ControllerView, message: Message): Promise<void> | undefined;
  /** Carries all of a controller's out or none, and returns the one that was refused. */
  commit(view: ControllerView, changes: readonly Change[]): Refused | undefined;
  /** When it returns everything handled so far is in force, and its errors were sent. */
  barrier(): void;
  /** Packet-ins, removed flows, changes of ports and tables that fill up. One listener. */
  onAsync(listener: (message: AsyncMessage) => void): void;
  /** Whether anybody wants packet-ins, and such without a flow (before 1.3); nobody does until told otherwise. */
  controllersChanged(wanted: boolean, misses: boolean): void;
  /** Installs or removes the flow that makes it a learning switch (fail-mode standalone), below or above all others. */
  standalone(place: Standalone): void;
}
