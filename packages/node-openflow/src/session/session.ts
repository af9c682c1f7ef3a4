/**
 * One OpenFlow connection, from either end, over any byte stream that is already connected.
 *
 * It does what both ends have to do alike: exchange hellos and agree on a version (OpenFlow 1.3.5 §6.3.1), answer echo
 * requests and malformed messages, match answers to requests. All else comes out of `for await (const m of session)`, or
 * goes to a {@link Consumer}.
 *
 * Memory stays bounded whatever the peer does: reading stops while the consumer is slow or while the peer does not read
 * the automatic answers. What the owner sends is the owner's to bound: `send` says when to wait for `drained()`.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type DecodeError, decodeMessage, encodeMessage, errorReply } from '../codec/message.js';
import type { Message, MessageOf, Outgoing } from '../types/message.js';
import { MessageFramer } from '../wire/framer.js';
import { type Consumer, Handover } from './consumer.js';
import { SessionError, type SessionFailure } from './errors.js';
import { Gather } from './gather.js';
import { helloMessage, shakeHands } from './handshake.js';
import { Inbox } from './inbox.js';
import { KeepAlive } from './keep-alive.js';
import {
  type SendResult,
  type SessionCounters,
  type SessionOptions,
  type SessionSettings,
  settingsOf,
} from './options.js';
import { type ReplyTo, Requests, type RequestType, replyTypes } from './requests.js';
import { closeGently, deferred, whenWritable } from './socket.js';

const errorMessageCode = 1;
const nothing = new Uint8Array(0);
const queueFactorWhileRequesting = 8;
/** On the wire; as values they take a multiple. One message more, of any length, may be there. */
const queuedBytesMax = 4 * 1024 * 1024;

export class Session implements AsyncIterable<Message> {
  readonly #socket: Duplex;
  readonly #settings: SessionSettings;
  readonly #framer: MessageFramer;
  readonly #out: Gather;
  readonly #requests: Requests;
  readonly #inbox: Inbox;
  #handover: Handover | undefined;
  #version: number | undefined;
  #end: SessionError | undefined;
  #peerEnded = false;
  #paused = false;
  #unsentAnswerBytes = 0;
  #lastXid = 0;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #keepAlive: KeepAlive | undefined;
  #counters = { received: 0, sent: 0, malformed: 0, pauses: 0 };
  readonly #ready = deferred<number>();
  readonly #closed = deferred<SessionError>();

  /** Sends the hello at once. The session owns the socket from here on. */
  constructor(socket: Duplex, options: SessionOptions = {}) {
    this.#socket = socket;
    // Requests are small and answers are waited for: Nagle's algorithm would hold each up for 40 ms.
    if (socket instanceof Socket) socket.setNoDelay(true);
    this.#settings = settingsOf(options);
    this.#out = new Gather(socket);
    this.#framer = new MessageFramer({ maxMessageLength: this.#settings.maxMessageLength });
    this.#requests = new Requests(this.#settings.maxReplyBytes);
    this.#inbox = new Inbox(() => this.#pump());
    // Who does not wait for `ready` learns of the failure by `closed`.
    this.#ready.promise.catch(() => {});
    socket.on('data', (segment: Uint8Array) => this.#onData(segment));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) => this.#finish('socket', error.message, error));
    socket.on('close', () => this.#onClose());
    this.#startTimers();
    this.#answer(helloMessage(this.#settings.versions, this.#nextXid()));
  }

  /** Resolves with the version agreed on; rejects with SessionError. */
  get ready(): Promise<number> {
    return this.#ready.promise;
  }

  /** Resolves, never rejects, with the reason when the session is over. */
  get closed(): Promise<SessionError> {
    return this.#closed.promise;
  }

  /** The version agreed on, once `ready`. */
  get version(): number | undefined {
    return this.#version;
  }

  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  get counters(): SessionCounters {
    return this.#counters;
  }

  /** Bytes handed to the socket that the peer has not taken yet. */
  get writableLength(): number {
    return this.#out.length + this.#socket.writableLength;
  }

  /** Sends a message; without an xid a fresh one is picked. To be called after `ready`. On a closed session: no effect. */
  send(message: Outgoing): SendResult {
    const xid = message.xid ?? this.#nextXid();
    return { xid, writable: this.#end === undefined && this.sendRaw(this.#encode(message, xid)) };
  }

  /**
   * Sends bytes that are whole messages already, as from `encodeMultipartReply`, and are not to be overwritten before the
   * peer has them. Says what `SendResult.writable` says.
   */
  sendRaw(bytes: Uint8Array): boolean {
    this.#counters.sent++;
    return this.#write(bytes);
  }

  /** Resolves when the socket takes more, or the session is over. */
  drained(): Promise<void> {
    this.#out.flush();
    return this.#end === undefined ? whenWritable(this.#socket) : Promise.resolve();
  }

  /**
   * Resolves when the peer has taken all that was sent by now, or the session is over. `drained()` waits until nothing is
   * left to write, which is never while more keeps being sent.
   */
  taken(): Promise<void> {
    if (!this.#canWrite()) return Promise.resolve();
    return new Promise((resolve) => this.#out.write(nothing, resolve));
  }

  /**
   * Sends a request and waits for its answer; a multipart reply is collected until it is whole. Rejects with RequestError
   * when the peer answers with an error message, with SessionError when no answer comes.
   */
  async request<M extends Outgoing<MessageOf<RequestType>>>(
    message: M,
    timeoutMs = this.#settings.requestTimeoutMs,
  ): Promise<ReplyTo<M['type']>> {
    if (this.#end !== undefined) throw this.#end;
    const xid = message.xid ?? this.#nextXid();
    const bytes = this.#encode(message, xid);
    const reply = this.#expect(xid, replyTypes[message.type], timeoutMs);
    this.sendRaw(bytes);
    return (await reply) as ReplyTo<M['type']>;
  }

  /** Resolves when the peer has carried out all that was sent before (§7.3.8). */
  async barrier(timeoutMs?: number): Promise<void> {
    await this.request({ type: 'barrier_request' }, timeoutMs);
  }

  /**
   * Sends messages that have no answer (flow_mod, group_mod, …) and a barrier behind them: resolves when the peer has
   * carried them out, rejects with the first RequestError when it refused one. The others may have taken effect.
   */
  async commit(messages: readonly Outgoing[], timeoutMs?: number): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    const encoded = messages.map((message) => {
      const xid = message.xid ?? this.#nextXid();
      return { xid, bytes: this.#encode(message, xid) };
    });
    const sent = encoded.map(({ xid, bytes }) => {
      const outcome = this.#expect(xid, undefined, 0);
      this.sendRaw(bytes);
      return { xid, outcome };
    });
    const outcomes = Promise.allSettled(sent.map(({ outcome }) => outcome));
    try {
      await this.barrier(timeoutMs);
    } finally {
      for (const { xid } of sent) this.#requests.settle(xid, undefined);
    }
    const refused = (await outcomes).find((outcome) => outcome.status === 'rejected');
    if (refused !== undefined) throw refused.reason;
  }

  /** Messages nobody here has answered. One consumer; ends when the session is over (see `closed` for why). */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return { next: () => this.#inbox.next() };
  }

  /**
   * Hands messages that nobody here has answered to the consumer, in order. To be called once, and instead of iterating.
   * Resolves when the session is over (see `closed` for why) and what came before is handled; rejects with what the
   * consumer throws, which gets nothing more then.
   */
  consume(consumer: Consumer): Promise<void> {
    return new Promise((resolve, reject) => {
      const handover = new Handover(consumer, () => pump(), reject);
      const pump = (): void => {
        this.#pump();
        if (this.#end !== undefined && !handover.busy) resolve();
      };
      this.#handover = handover;
      void this.closed.then(pump);
      pump();
    });
  }

  /** Sends what is queued, then closes; pending requests are rejected. */
  close(): Promise<SessionError> {
    this.#finish('closed', 'closed by this side');
    return this.closed;
  }

  // ---- sending

  #nextXid(): number {
    do this.#lastXid = this.#lastXid === 0xffffffff ? 1 : this.#lastXid + 1;
    while (this.#requests.has(this.#lastXid));
    return this.#lastXid;
  }

  #canWrite(): boolean {
    return this.#end === undefined && this.#socket.writable;
  }

  #write(bytes: Uint8Array): boolean {
    return this.#canWrite() && this.#out.write(bytes);
  }

  #encode(message: Outgoing, xid: number): Uint8Array {
    if (this.#version === undefined) throw new Error('send before the session is ready');
    return encodeMessage({ ...message, version: this.#version, xid } as Message);
  }

  #expect(xid: number, type: Message['type'] | undefined, timeoutMs: number): Promise<Message | undefined> {
    const reply = this.#requests.add(xid, type, timeoutMs);
    // A pending request lifts the queue's limit, so that its answer can be read; see `maxQueuedMessages`.
    if (this.#paused) this.#pump();
    return reply;
  }

  /** An answer nobody asked this side for: counted until the peer has read it. */
  #answer(message: Message): void {
    if (!this.#canWrite()) return;
    const bytes = encodeMessage(message);
    this.#counters.sent++;
    this.#unsentAnswerBytes += bytes.length;
    this.#out.write(bytes, () => {
      this.#unsentAnswerBytes -= bytes.length;
      if (this.#paused) this.#pump();
    });
  }

  // ---- receiving

  #onData(segment: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#keepAlive?.heard();
    this.#framer.push(segment);
    this.#pump();
  }

  #gated(): boolean {
    const { maxQueuedMessages, maxUnsentAnswerBytes } = this.#settings;
    const limit = maxQueuedMessages * (this.#requests.size > 0 ? queueFactorWhileRequesting : 1);
    if (this.#inbox.length >= limit || this.#inbox.bytes >= queuedBytesMax) return true;
    return this.#unsentAnswerBytes > maxUnsentAnswerBytes;
  }

  /** Handles what has come in, as far as there is room for it, and lets the socket read or not accordingly. */
  #pump(): void {
    // What came before there was somebody to hand it to, or while that one was busy.
    while (this.#handover?.busy === false && this.#inbox.length > 0) this.#handover.take(this.#inbox.take());
    while (this.#end === undefined && !this.#gated()) {
      const bytes = this.#framer.next();
      if (bytes === undefined) break;
      this.#receive(bytes);
    }
    if (this.#end !== undefined) return;
    if (this.#framer.error !== undefined) {
      this.#finish('framing', this.#framer.error);
      return;
    }
    const gated = this.#gated();
    if (gated && !this.#paused) {
      this.#counters.pauses++;
      this.#socket.pause();
    } else if (!gated && this.#paused) {
      this.#socket.resume();
    }
    this.#paused = gated;
    if (!gated && this.#peerEnded) this.#finish('ended', 'closed by the peer');
  }

  #receive(bytes: Uint8Array): void {
    this.#counters.received++;
    const version = this.#version;
    const free = this.#handover?.busy === false && this.#inbox.length === 0 ? this.#handover : undefined;
    if (bytes[0] === version && free?.takeBytes(bytes)) return;
    const { unknown } = this.#settings;
    const result = decodeMessage(bytes, version === undefined ? { unknown } : { version, unknown });
    if (version === undefined) {
      this.#handshake(result.ok ? result.message : undefined);
    } else if (!result.ok) {
      this.#malformed(result.error, bytes);
    } else if (result.message.type === 'echo_request' && this.#settings.answerEcho) {
      const { xid, data } = result.message;
      this.#answer({ version, xid, type: 'echo_reply', data });
    } else if (result.message.type !== 'hello' && !this.#requests.take(result.message, bytes.length)) {
      if (free === undefined) this.#inbox.push(result.message, bytes.length);
      else free.take(result.message);
    }
  }

  #malformed(error: DecodeError, bytes: Uint8Array): void {
    this.#counters.malformed++;
    this.#settings.onMalformed?.(error);
    this.#requests.fail(error.xid, new SessionError('framing', `the answer is malformed: ${error.reason}`));
    // Two ends that answer errors with errors would never stop.
    if (this.#settings.answerMalformed && bytes[1] !== errorMessageCode) this.#answer(errorReply(error));
  }

  #handshake(message: Message | undefined): void {
    const outcome = shakeHands(this.#settings.versions, message);
    if (outcome.ok) {
      clearTimeout(this.#handshakeTimer);
      this.#version = outcome.version;
      this.#ready.resolve(outcome.version);
    } else {
      if (outcome.answer !== undefined) this.#answer(outcome.answer);
      this.#finish('negotiation', outcome.reason);
    }
  }

  #startTimers(): void {
    const { handshakeTimeoutMs, keepAliveMs } = this.#settings;
    if (handshakeTimeoutMs > 0) {
      this.#handshakeTimer = setTimeout(() => this.#finish('timeout', 'no hello'), handshakeTimeoutMs);
      this.#handshakeTimer.unref();
    }
    if (keepAliveMs > 0) {
      this.#keepAlive = new KeepAlive(keepAliveMs, {
        isDeaf: () => this.#paused || this.#version === undefined,
        probe: () => {
          this.request({ type: 'echo_request', data: new Uint8Array(0) }, 2 * keepAliveMs).catch(() => {});
        },
        giveUp: () => this.#finish('timeout', 'the peer does not answer echo requests'),
      });
    }
  }

  // ---- the end

  #onEnd(): void {
    this.#peerEnded = true;
    this.#pump();
  }

  #onClose(): void {
    // Whole messages that came before the peer's end are still handed out.
    if (this.#peerEnded) this.#pump();
    else this.#finish('socket', 'the connection was lost');
  }

  #finish(failure: SessionFailure, message: string, cause?: Error): void {
    if (this.#end !== undefined) return;
    const reason = new SessionError(failure, message, cause === undefined ? {} : { cause });
    this.#end = reason;
    clearTimeout(this.#handshakeTimer);
    this.#keepAlive?.stop();
    this.#requests.failAll(reason);
    this.#inbox.end();
    this.#ready.reject(reason);
    this.#out.flush();
    if (failure === 'socket' || failure === 'timeout') this.#socket.destroy();
    else closeGently(this.#socket);
    this.#closed.resolve(reason);
  }
}
