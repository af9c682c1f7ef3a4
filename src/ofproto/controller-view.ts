/** What ofproto sees of a controller: somewhere to send to, and how it wants to be spoken to. Implemented by openflow/. */
import type { Outgoing } from 'node-openflow';
import type { FlowFormat } from './flow-formats.js';

export interface ControllerView {
  readonly version: number;
  readonly flowFormat: FlowFormat;
  /** Among the connections of one controller; 0 is the main one (OpenFlow 1.3.5 §6.3.8). */
  readonly auxiliaryId: number;
  /** Of OFPT_SET_CONFIG, which each connection has for itself. */
  config: ControllerConfig;
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

export interface ControllerConfig {
  /** Bytes of a packet that goes up without an action that says how many; 0xffff: all. */
  readonly missSendLen: number;
  /** OFPC_INVALID_TTL_TO_CONTROLLER, before 1.3. */
  readonly invalidTtl: boolean;
}
