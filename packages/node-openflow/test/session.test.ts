import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  type DecodeError,
  encodeMessage,
  encodeMultipartReply,
  type Message,
  MessageFramer,
  of13,
  RequestError,
  Session,
  SessionError,
  type SessionOptions,
  versionBitmap,
} from '../src/index.js';
import { eventually, flowMod, pair13, sessionPair, socketPair } from './support/sessions.js';
import { decoded, hex } from './support/wire.js';

/** A peer that is no session: sends bytes, collects messages. */
class RawPeer {
  readonly received: Message[] = [];
  readonly #framer = new MessageFramer();
  constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (segment) => {
      this.#framer.push(segment);
      for (let bytes = this.#framer.next(); bytes !== undefined; bytes = this.#framer.next()) {
        this.received.push(decoded(bytes));
      }
    });
  }
  send(message: Message | Uint8Array): void {
    this.socket.write(message instanceof Uint8Array ? message : encodeMessage(message));
  }
  hello(version = 4): void {
    this.send({ version, xid: 1, type: 'hello', elements: [], rest: new Uint8Array(0) });
  }
  async first<T extends Message['type']>(type: T): Promise<Extract<Message, { type: T }>> {
    const found = await eventually(() => this.received.find((message) => message.type === type));
    return found as Extract<Message, { type: T }>;
  }
}

async function rawPair(options: SessionOptions = {}): Promise<[Session, RawPeer]> {
  const [near, far] = await socketPair();
  const peer = new RawPeer(far);
  const session = new Session(near, options);
  peer.hello();
  await session.ready;
  return [session, peer];
}

const echo = (xid: number, length = 0): Message => ({
  version: 4,
  xid,
  type: 'echo_request',
  data: new Uint8Array(length),
});

describe('hello (§6.3.1)', () => {
  it('two sessions agree', async () => {
    const [controller, datapath] = await sessionPair();
    expect([controller.version, datapath.version]).toEqual([6, 6]);
  });
  it.each([
    ['the highest both speak', [1, 4, 5], [1, 2, 4], 4],
    ['one that is not the highest of either', [1, 4], [1, 5], 1],
    ['1.0 alone', [1], [1, 2, 3, 4, 5, 6], 1],
  ])('%s', async (_, ours, theirs, wanted) => {
    const [a, b] = await sessionPair({ versions: ours }, { versions: theirs });
    expect([a.version, b.version]).toEqual([wanted, wanted]);
  });
  it('a peer of 1.0, without a bitmap', async () => {
    const [near, far] = await socketPair();
    const session = new Session(near);
    new RawPeer(far).hello(1);
    expect(await session.ready).toBe(1);
  });
  it('offers a bitmap', async () => {
    const [, peer] = await rawPair();
    expect((await peer.first('hello')).elements).toEqual([versionBitmap([1, 2, 3, 4, 5, 6])]);
  });
  it('no common version: HELLO_FAILED, and both ends know', async () => {
    const [near, far] = await socketPair();
    const session = new Session(near, { versions: [4] });
    const peer = new RawPeer(far);
    peer.hello(1);
    await expect(session.ready).rejects.toMatchObject({ failure: 'negotiation' });
    expect(await peer.first('error')).toMatchObject({ errorType: 0, errorCode: 0 });
    expect((await session.closed).failure).toBe('negotiation');
    await eventually(() => far.readableEnded);
  });
  it('the peer refuses', async () => {
    const [near, far] = await socketPair();
    const session = new Session(near);
    new RawPeer(far).send({
      version: 1,
      xid: 1,
      type: 'error',
      errorType: 0,
      errorCode: 0,
      data: new Uint8Array(Buffer.from('too new')),
    });
    await expect(session.ready).rejects.toThrow('too new');
  });
  it.each([
    ['another message first', encodeMessage({ version: 4, xid: 3, type: 'features_request' })],
    ['a message of an unknown version first', hex('01 05 0008 00000003')],
  ])('%s', async (_, bytes) => {
    const [near, far] = await socketPair();
    const session = new Session(near);
    const peer = new RawPeer(far);
    peer.send(bytes);
    await expect(session.ready).rejects.toThrow('no hello');
    expect(await peer.first('error')).toMatchObject({ errorType: 0, errorCode: 0 });
  });
  it('a peer that says nothing', async () => {
    const [near] = await socketPair();
    const session = new Session(near, { handshakeTimeoutMs: 30 });
    await expect(session.ready).rejects.toMatchObject({ failure: 'timeout' });
  });
  it('sending before it is a bug of the caller', async () => {
    const [near] = await socketPair();
    expect(() => new Session(near).send({ type: 'barrier_request' })).toThrow('before the session is ready');
  });
});

describe('requests', () => {
  /** Answers as a switch would; anything else it ignores. */
  async function serve(session: Session): Promise<void> {
    for await (const message of session) {
      if (message.type === 'barrier_request') session.send({ type: 'barrier_reply', xid: message.xid });
      else if (message.type === 'get_config_request') {
        session.send({ type: 'get_config_reply', xid: message.xid, flags: 1, missSendLen: 2 });
      } else if (message.type === 'flow_mod' && message.priority === 13) {
        session.send({ type: 'error', xid: message.xid, errorType: 5, errorCode: 1, data: new Uint8Array(0) });
      } else if (message.type === 'multipart_request' && message.body.type === 'table') {
        const entries = Array.from({ length: 250 }, (_, tableId) => ({
          tableId,
          activeCount: 0,
          lookupCount: 0n,
          matchedCount: 0n,
        }));
        for (const bytes of encodeMultipartReply({ version: 4, xid: message.xid }, { type: 'table', entries }, 1000)) {
          session.sendRaw(bytes);
        }
      } else if (message.type === 'multipart_request') {
        for (const more of [1, 0]) {
          const body = { type: 'experimenter', experimenter: 1, expType: 2, data: hex('aa') } as const;
          session.send({ type: 'multipart_reply', xid: message.xid, flags: more, body });
        }
      } else if (message.type === 'role_request') {
        session.send({ type: 'error', xid: message.xid, errorType: 11, errorCode: 0, data: new Uint8Array(0) });
      }
    }
  }

  it('resolve with their answer', async () => {
    const [controller, datapath] = await pair13();
    void serve(datapath);
    const reply = await controller.request({ type: 'get_config_request' });
    expect(reply).toMatchObject({ type: 'get_config_reply', flags: 1, missSendLen: 2 });
    await controller.barrier();
  });
  it('many at once', async () => {
    const [controller, datapath] = await pair13();
    void serve(datapath);
    const replies = await Promise.all(
      Array.from({ length: 200 }, () => controller.request({ type: 'get_config_request' })),
    );
    expect(new Set(replies.map((reply) => reply.xid)).size).toBe(200);
  });
  it('collect a multipart reply until it is whole', async () => {
    const [controller, datapath] = await pair13();
    void serve(datapath);
    const reply = await controller.request({ type: 'multipart_request', flags: 0, body: { type: 'table' } });
    if (reply.body.type !== 'table') throw new Error(reply.body.type);
    expect(reply.body.entries.map((entry) => entry.tableId)).toEqual(Array.from({ length: 250 }, (_, i) => i));
    const body = { type: 'experimenter', experimenter: 1, expType: 2, data: hex('') } as const;
    const opaque = await controller.request({ type: 'multipart_request', flags: 0, body });
    expect(opaque.body).toMatchObject({ data: hex('aaaa') });
  });
  it('a reply beyond the limit', async () => {
    const [controller, datapath] = await pair13({ maxReplyBytes: 3000 });
    void serve(datapath);
    const reply = controller.request({ type: 'multipart_request', flags: 0, body: { type: 'table' } });
    await expect(reply).rejects.toMatchObject({ failure: 'limit' });
    await controller.barrier();
  });
  it('reject with the error the peer sends', async () => {
    const [controller, datapath] = await pair13();
    void serve(datapath);
    const reply = controller.request({ type: 'role_request', role: 2, generationId: 1n });
    await expect(reply).rejects.toThrow(RequestError);
    await expect(reply).rejects.toMatchObject({ errorType: 11, errorCode: 0, message: /OFPRRFC_STALE/ });
  });
  it('commit: nothing refused', async () => {
    const [controller, datapath] = await pair13();
    void serve(datapath);
    await controller.commit([flowMod, { ...flowMod, priority: 2 }]);
    await controller.commit([]);
  });
  it('commit: one refused', async () => {
    const [controller, datapath] = await pair13();
    void serve(datapath);
    const committed = controller.commit([flowMod, { ...flowMod, priority: 13 }, flowMod]);
    await expect(committed).rejects.toMatchObject({ name: 'RequestError', message: /OFPFMFC_TABLE_FULL/ });
  });
  it('reject when the session ends, and when it has ended', async () => {
    const [controller, datapath] = await pair13();
    const reply = controller.request({ type: 'get_config_request' });
    const committed = controller.commit([flowMod]);
    void datapath.close();
    await expect(reply).rejects.toThrow(SessionError);
    await expect(committed).rejects.toThrow(SessionError);
    await expect(controller.barrier()).rejects.toMatchObject({ failure: 'ended' });
    expect(controller.send({ type: 'barrier_request' }).writable).toBe(false);
    expect(controller.sendRaw(new Uint8Array(8))).toBe(false);
    await controller.drained();
  });
  it('time out', async () => {
    const [controller] = await pair13();
    await expect(controller.barrier(20)).rejects.toMatchObject({ failure: 'timeout' });
    expect(controller.isClosed).toBe(false);
  });
  it('a message that only shares the xid is no answer', async () => {
    const [session, peer] = await rawPair();
    const reply = session.request({ type: 'get_config_request', xid: 77 });
    peer.send({ version: 4, xid: 77, type: 'barrier_reply' });
    peer.send({ version: 4, xid: 77, type: 'get_config_reply', flags: 0, missSendLen: 5 });
    expect((await reply).missSendLen).toBe(5);
    const { value } = await session[Symbol.asyncIterator]().next();
    expect(value?.type).toBe('barrier_reply');
  });
  it('a malformed answer rejects', async () => {
    const [session, peer] = await rawPair();
    const reply = session.request({ type: 'get_config_request', xid: 77 });
    peer.send(hex('04 08 0009 0000004d 00'));
    await expect(reply).rejects.toThrow('malformed');
  });
  it('a value without a wire form leaves nothing pending', async () => {
    const [session] = await rawPair();
    const wrong = session.request({ type: 'role_request', role: -1, generationId: 0n });
    await expect(wrong).rejects.toThrow(RangeError);
    await expect(session.commit([{ ...flowMod, priority: -1 }])).rejects.toThrow(RangeError);
  });
});

describe('what the session answers itself', () => {
  it('echo requests', async () => {
    const [session, peer] = await rawPair();
    peer.send(echo(5, 3));
    expect(await peer.first('echo_reply')).toMatchObject({ xid: 5, data: new Uint8Array(3) });
    expect(session.counters.received).toBe(2);
  });
  it('not, when told not to', async () => {
    const [session, peer] = await rawPair({ answerEcho: false });
    peer.send(echo(5));
    const { value } = await session[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ type: 'echo_request', xid: 5 });
  });
  it('malformed messages, and goes on', async () => {
    const told: DecodeError[] = [];
    const [session, peer] = await rawPair({ unknown: 'refuse', onMalformed: (error) => told.push(error) });
    peer.send(hex('04 63 0008 00000007'));
    expect(await peer.first('error')).toMatchObject({
      xid: 7,
      errorType: 1,
      errorCode: 1,
      data: hex('0463000800000007'),
    });
    peer.send(hex('01 05 0008 00000008'));
    await eventually(() => peer.received.find((message) => message.type === 'error' && message.errorCode === 0));
    peer.send(echo(9));
    await peer.first('echo_reply');
    expect(told.map((error) => error.xid)).toEqual([7, 8]);
    expect(session.counters.malformed).toBe(2);
  });
  it('never an error with an error', async () => {
    const [session, peer] = await rawPair();
    peer.send(hex('04 01 0009 00000007 00'));
    peer.send(echo(9));
    await peer.first('echo_reply');
    expect(session.counters.malformed).toBe(1);
    expect(peer.received.some((message) => message.type === 'error')).toBe(false);
  });
  it('a second hello is ignored', async () => {
    const [session, peer] = await rawPair();
    peer.hello(1);
    peer.send(echo(9));
    await peer.first('echo_reply');
    expect(session.version).toBe(4);
  });
  it('keeps unknown messages when told to', async () => {
    const [session, peer] = await rawPair({ unknown: 'keep' });
    peer.send(hex('04 63 0009 00000007 aa'));
    const { value } = await session[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ type: 'unknown', code: 0x63, data: hex('aa') });
  });
});

describe('the end', () => {
  it('a length below 8 closes', async () => {
    const [session, peer] = await rawPair();
    peer.send(hex('04 05 0007 00000001'));
    expect(await session.closed).toMatchObject({ failure: 'framing' });
    await eventually(() => peer.socket.readableEnded);
  });
  it('a message above the limit closes', async () => {
    const [session, peer] = await rawPair({ maxMessageLength: 100 });
    peer.send(echo(1, 200));
    expect(await session.closed).toMatchObject({ failure: 'framing' });
  });
  it('close() sends what is queued, ends the iterator and can be repeated', async () => {
    const [session, peer] = await rawPair();
    const consumed = (async () => {
      for await (const _ of session);
    })();
    for (let i = 0; i < 100; i++) session.send({ type: 'echo_request', data: new Uint8Array(10_000) });
    await session.close();
    await session.close();
    await consumed;
    await eventually(() => peer.socket.readableEnded);
    expect(peer.received.filter((message) => message.type === 'echo_request')).toHaveLength(100);
    expect((await session.closed).failure).toBe('closed');
  });
  it('what the peer sent before its end is still handed out', async () => {
    const [session, peer] = await rawPair({ maxQueuedMessages: 2 });
    for (let xid = 1; xid <= 20; xid++) peer.send({ version: 4, xid, type: 'barrier_request' });
    peer.socket.end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const xids: number[] = [];
    for await (const message of session) xids.push(message.xid);
    expect(xids).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect((await session.closed).failure).toBe('ended');
  });
  it('a lost connection', async () => {
    const [session, peer] = await rawPair();
    peer.socket.resetAndDestroy();
    expect(await session.closed).toMatchObject({ failure: 'socket' });
  });
  it('a peer that does not close is cut off', async () => {
    const [near, far] = await socketPair();
    far.on('error', () => {});
    far.pause();
    const session = new Session(near);
    await session.close();
    await eventually(() => near.destroyed);
  });
});

describe('keep-alive', () => {
  it('a peer that answers stays', async () => {
    const [near, far] = await pair13({ keepAliveMs: 20 });
    await eventually(() => far.counters.received >= 4);
    expect(near.isClosed).toBe(false);
  });
  it('a peer that does not is given up', async () => {
    const [session] = await rawPair({ keepAliveMs: 20 });
    expect(await session.closed).toMatchObject({ failure: 'timeout' });
  });
});

describe('bounded memory', () => {
  it('reading stops while the consumer is slow, and nothing is lost', async () => {
    const [session, peer] = await rawPair({ maxQueuedMessages: 10 });
    const total = 5000;
    const blob = encodeMessage({
      version: 4,
      xid: 0,
      type: 'packet_out',
      bufferId: of13.OFP_NO_BUFFER,
      inPort: 1,
      actions: [],
      data: new Uint8Array(2000),
    });
    for (let xid = 1; xid <= total; xid++) {
      const bytes = blob.slice();
      new DataView(bytes.buffer).setUint32(4, xid);
      peer.send(bytes);
    }
    await eventually(() => session.counters.pauses > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(session.counters.received).toBeLessThan(20);
    let last = 0;
    for await (const message of session) {
      expect(message.xid).toBe(last + 1);
      last = message.xid;
      if (last === total) break;
    }
    expect(last).toBe(total);
  });
  it('an answer is found behind a full queue', async () => {
    const [session, peer] = await rawPair({ maxQueuedMessages: 4 });
    for (let xid = 100; xid < 120; xid++) peer.send({ version: 4, xid, type: 'barrier_request' });
    await eventually(() => session.counters.pauses > 0);
    const reply = session.request({ type: 'get_config_request', xid: 7 });
    peer.send({ version: 4, xid: 7, type: 'get_config_reply', flags: 0, missSendLen: 1 });
    expect((await reply).missSendLen).toBe(1);
  });
  it('a peer that asks for echoes and never reads them is not read any more', async () => {
    const [near, far] = await socketPair();
    const session = new Session(near, { maxUnsentAnswerBytes: 100_000 });
    far.pause();
    far.on('error', () => {});
    far.write(encodeMessage({ version: 4, xid: 1, type: 'hello', elements: [], rest: new Uint8Array(0) }));
    const request = encodeMessage(echo(1, 60_000));
    for (let i = 0; i < 400; i++) far.write(request);
    await eventually(() => session.counters.pauses > 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(session.writableLength).toBeLessThan(300_000);
    expect(session.counters.received).toBeLessThan(400);
    // And it goes on as soon as the peer reads.
    far.resume();
    await eventually(() => session.counters.received === 401);
  });
  it('send says when to wait, drained() when to go on', async () => {
    const [near, far] = await socketPair();
    far.pause();
    far.on('error', () => {});
    const session = new Session(near);
    far.write(encodeMessage({ version: 4, xid: 1, type: 'hello', elements: [], rest: new Uint8Array(0) }));
    await session.ready;
    let sent = 0;
    while (session.send({ type: 'echo_request', data: new Uint8Array(60_000) }).writable) sent++;
    expect(sent).toBeLessThan(1000);
    expect(session.writableLength).toBeGreaterThan(0);
    const drained = session.drained();
    far.resume();
    await drained;
    expect(session.writableLength).toBe(0);
  });
});
