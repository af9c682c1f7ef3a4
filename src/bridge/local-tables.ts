/** The tables of a bridge for the daemon itself, as a controller sees them but without a connection. */
import {
  decodeMessage,
  encodeMessage,
  errorName,
  type Message,
  type MultipartReplyBody,
  type MultipartRequestBody,
  type Outgoing,
} from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { plainFormat } from '../ofproto/flow-formats.js';
import type { Change, ControllerView, Ofproto } from '../ofproto/index.js';
import { MISS_SEND_LEN_DEFAULT } from '../ofproto/limits.js';
import { OF13 } from '../ofproto/versions.js';
import { readRuntime } from './statistics.js';

export interface LocalTables {
  /** Every part of the answer to a multipart request of OpenFlow 1.3. Rejects with a sentence. */
  ask(body: MultipartRequestBody): Promise<readonly MultipartReplyBody[]>;
  /** Another number whenever something in the tables changed. What controllers sent so far is in force. */
  revision(): bigint;
  /** Carries all out at once, or nothing: then which one was refused, and why. They are messages of OpenFlow 1.3. */
  commit(messages: readonly Outgoing[]): { readonly index: number; readonly reason: string } | undefined;
}

/** Keeps what it is sent. */
class Collector implements ControllerView {
  readonly version = OF13;
  readonly flowFormat = plainFormat;
  readonly auxiliaryId = 0;
  readonly gone = false;
  config = { missSendLen: MISS_SEND_LEN_DEFAULT, invalidTtl: false };
  readonly received: Message[] = [];

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

export function localTables(ofproto: Ofproto, datapath: Datapath): LocalTables {
  return {
    async ask(body) {
      const view = new Collector();
      await ofproto.handle(view, { type: 'multipart_request', version: OF13, xid: 0, flags: 0, body } as Message);
      return view.received.flatMap((reply) => {
        if (reply.type === 'error') throw new Error(errorName(reply.errorType, reply.errorCode, reply.version, reply));
        return reply.type === 'multipart_reply' ? [reply.body] : [];
      });
    },
    revision() {
      ofproto.barrier();
      return readRuntime(datapath).version;
    },
    commit(messages) {
      const view = new Collector();
      const changes: Change[] = [];
      for (const [index, message] of messages.entries()) {
        // Over the wire form and back, so that nothing is taken that no controller could send.
        const bytes = encodeMessage({ ...message, version: OF13, xid: index } as Message);
        const result = decodeMessage(bytes, { version: OF13, unknown: 'refuse' });
        if (!result.ok) return { index, reason: result.error.reason };
        changes.push(result.message as Change);
      }
      const refused = ofproto.commit(view, changes);
      if (refused === undefined) return undefined;
      const { message, error } = refused;
      return { index: message.xid, reason: errorName(error.type, error.code) };
    },
  };
}

function decoded(bytes: Uint8Array): Message {
  const result = decodeMessage(bytes, { version: OF13 });
  if (!result.ok) throw new Error(`bug: our own reply cannot be decoded: ${result.error.reason}`);
  return result.message;
}
