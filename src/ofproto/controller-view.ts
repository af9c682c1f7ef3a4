/** What ofproto sees of a controller: somewhere to send to. Implemented by openflow/. */
import type { Outgoing } from 'node-openflow';

export interface ControllerView {
  readonly version: number;
  /** Sends a reply, which carries the xid of its request. */
  send(message: Outgoing & { readonly xid: number }): void;
  /** Sends whole messages in wire form. False: wait for drained() before sending much more. */
  sendRaw(bytes: Uint8Array): boolean;
  /** Resolves when more can be sent, or the connection is gone. */
  drained(): Promise<void>;
  /** Ends the connection: the controller misses something that it cannot find out otherwise. */
  abandon(reason: string): void;
  /** Nothing that is sent arrives any more. */
  readonly gone: boolean;
}
