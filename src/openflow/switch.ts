/** What the channels need of a switch; ofproto/ has it. */
import type { Message } from 'node-openflow';
import type { AsyncEvent } from '../ofproto/async-events.js';
import type { Change, Refused } from '../ofproto/commit.js';
import type { ControllerView } from '../ofproto/controller-view.js';
import type { Standalone } from '../ofproto/standalone.js';

export interface Switch {
  /**
   * Carries out one message and replies on the view, in the order of calls. Messages about the connection itself (hello,
   * echo, barrier, role, async masks, bundles) never come here. What is refused is answered with the error of the
   * specification. The promise, if there is one, is settled when the answer is complete; it never rejects.
   */
  handle(view: ControllerView, message: Message): Promise<void> | undefined;
  /**
   * Carries out a message that came as these bytes, if it can without decoding it: false, and it has to be decoded and
   * handled. Keeps the bytes until it is in force.
   */
  handleBytes(view: ControllerView, bytes: Uint8Array): boolean;
  /** Carries all out or none, on behalf of that controller, and returns the one that was refused. */
  commit(view: ControllerView, changes: readonly Change[]): Refused | undefined;
  /** When it returns everything handled so far is in force, and its errors were sent. */
  barrier(): void;
  /** OFPC_FRAG_* of its configuration. */
  readonly fragments: number;
  /** Packet-ins, removed flows, changes of ports, tables that fill up, others' requests. One listener. */
  onAsync(listener: (event: AsyncEvent) => void): void;
  /** Whether anybody wants packet-ins, and such without a flow (before 1.3); nobody does until told otherwise. */
  controllersChanged(wanted: boolean, misses: boolean): void;
  /** Installs or removes the flow that makes it a learning switch (fail-mode standalone), below or above all others. */
  standalone(place: Standalone): void;
}
