/** The tables of a bridge for the daemon itself, as a controller sees them but without a connection. */
import {
  errorName,
  type Message,
  type MultipartReplyBody,
  type MultipartRequestBody,
  type Outgoing,
} from 'node-openflow';
import { atOnce } from '../base/slices.js';
import type { Datapath } from '../datapath/datapath.js';
import type { Ofproto } from '../ofproto/index.js';
import { OF13 } from '../ofproto/versions.js';
import { Collector } from './collector.js';
import { EncodedChanges, encodeChanges, type RefusedChange } from './encoded-changes.js';
import { type LocalPackets, localPackets } from './local-packets.js';
import { readRuntime } from './statistics.js';

export interface TablesAlone {
  /** Every part of the answer to a multipart request of OpenFlow 1.3, or the first `most`. Rejects with a sentence. */
  ask(body: MultipartRequestBody, most?: number): Promise<readonly MultipartReplyBody[]>;
  /** The same, all of it before others have their turn. Throws a sentence. */
  askNow(body: MultipartRequestBody): readonly MultipartReplyBody[];
  /** Another number whenever something in the tables changed. What controllers sent so far is in force. */
  revision(): bigint;
  /** Carries all out at once, or nothing: then which one was refused, and why. They are messages of OpenFlow 1.3. */
  commit(messages: readonly Outgoing[] | EncodedChanges): RefusedChange | undefined;
}

/** With the packets of the daemon's own agents. */
export interface LocalTables extends TablesAlone {
  readonly packets: LocalPackets;
}

const requestFor = (body: MultipartRequestBody) =>
  ({ type: 'multipart_request', version: OF13, xid: 0, flags: 0, body }) as Message & { type: 'multipart_request' };

const bodiesOf = ({ received }: Collector): readonly MultipartReplyBody[] =>
  received.flatMap((reply) => {
    if (reply.type === 'error') throw new Error(errorName(reply.errorType, reply.errorCode, reply.version, reply));
    return reply.type === 'multipart_reply' ? [reply.body] : [];
  });

export function localTables(ofproto: Ofproto, datapath: Datapath): LocalTables {
  return {
    packets: localPackets(ofproto, datapath),
    async ask(body, most) {
      const view = new Collector(most);
      await ofproto.handle(view, requestFor(body));
      return bodiesOf(view);
    },
    askNow(body) {
      const view = new Collector();
      ofproto.answerNow(view, requestFor(body));
      return bodiesOf(view);
    },
    revision() {
      ofproto.barrier();
      return readRuntime(datapath).version;
    },
    commit(messages) {
      const encoded = messages instanceof EncodedChanges ? messages : atOnce(encodeChanges(messages));
      if (encoded.refused !== undefined) return encoded.refused;
      const refused = ofproto.commit(new Collector(), encoded.changes);
      if (refused === undefined) return undefined;
      const { message, error } = refused;
      return { index: message.xid, reason: errorName(error.type, error.code) };
    },
  };
}
