/** A controller without a connection: the daemon itself. Keeps what it is sent, in OpenFlow 1.3. */
import { decodeMessage, type Message, type Outgoing } from 'node-openflow';
import { plainFormat } from '../ofproto/flow-formats.js';
import type { ControllerView } from '../ofproto/index.js';
import { MISS_SEND_LEN_DEFAULT } from '../ofproto/limits.js';
import { OF13 } from '../ofproto/versions.js';

export class Collector implements ControllerView {
  readonly version = OF13;
  readonly flowFormat = plainFormat;
  readonly auxiliaryId = 0;
  config = { missSendLen: MISS_SEND_LEN_DEFAULT, invalidTtl: false };
  readonly received: Message[] = [];

  /** `most`: after so many messages it hears no more of what comes in parts. */
  constructor(readonly most = Number.POSITIVE_INFINITY) {}

  get gone(): boolean {
    return this.received.length >= this.most;
  }

  send(message: Outgoing & { readonly xid: number }): void {
    this.received.push({ ...message, version: this.version } as Message);
  }
  sendRaw(bytes: Uint8Array): boolean {
    this.received.push(decoded(bytes));
    return true;
  }
  drained(): Promise<void> {
    return Promise.resolve();
  }
  abandon(): void {}
}

function decoded(bytes: Uint8Array): Message {
  const result = decodeMessage(bytes, { version: OF13 });
  if (!result.ok) throw new Error(`bug: our own reply cannot be decoded: ${result.error.reason}`);
  return result.message;
}
