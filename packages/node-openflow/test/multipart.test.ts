/** Replies spread over several messages (OpenFlow 1.3.5 §7.3.5). */
import { describe, expect, it } from 'vitest';
import { encodeMessage, encodeMultipartReply, type FlowStats, type MultipartReply, match, of13 } from '../src/index.js';
import { decoded } from './support/wire.js';

function flow(index: number): FlowStats {
  return {
    tableId: 0,
    durationSec: 0,
    durationNsec: 0,
    priority: index & 0xffff,
    idleTimeout: 0,
    hardTimeout: 0,
    flags: 0,
    cookie: BigInt(index),
    packetCount: 0n,
    byteCount: 0n,
    match: match({ in_port: index }),
    instructions: [],
  };
}

function* flows(count: number): Generator<FlowStats> {
  for (let i = 0; i < count; i++) yield flow(i);
}

const head = { version: 4, xid: 9 };
const parts = (messages: Iterable<Uint8Array>): MultipartReply[] =>
  [...messages].map((bytes) => decoded(bytes) as MultipartReply);
const entries = (replies: readonly MultipartReply[]): FlowStats[] =>
  replies.flatMap((reply) => (reply.body.type === 'flow' ? reply.body.entries : []));

describe('encodeMultipartReply', () => {
  it.each([0, 1, 3])('%i entries in one message are what encodeMessage makes of them', (count) => {
    const body = { type: 'flow', entries: [...flows(count)] } as const;
    expect([...encodeMultipartReply(head, body)]).toEqual([
      encodeMessage({ ...head, type: 'multipart_reply', flags: 0, body }),
    ]);
  });
  it('fills messages, sets REPLY_MORE on all but the last, loses nothing', () => {
    const encoded = [...encodeMultipartReply(head, { type: 'flow', entries: flows(5000) })];
    const replies = parts(encoded);
    expect(replies.length).toBeGreaterThan(4);
    expect(replies.map((reply) => reply.flags)).toEqual([
      ...new Array(replies.length - 1).fill(of13.OFPMPF.REPLY_MORE),
      0,
    ]);
    for (const bytes of encoded.slice(0, -1)) expect(bytes.length).toBeGreaterThan(0xffff - 100);
    expect(entries(replies)).toEqual([...flows(5000)]);
  });
  it('an entry longer than the limit gets a message of its own', () => {
    const replies = parts(encodeMultipartReply(head, { type: 'flow', entries: flows(3) }, 20));
    expect(replies.map((reply) => entries([reply]).length)).toEqual([1, 1, 1]);
  });
  it('takes entries only as they are needed', () => {
    let taken = 0;
    function* counted(): Generator<FlowStats> {
      for (;;) {
        taken++;
        yield flow(taken);
      }
    }
    const messages = encodeMultipartReply(head, { type: 'flow', entries: counted() });
    messages.next();
    messages.next();
    expect(taken).toBeLessThan(2100);
    messages.return();
  });
});
