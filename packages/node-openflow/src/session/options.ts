/** What a session may be told, and the limits it keeps when it is told nothing. */
import { type DecodeError, supportedVersions } from '../codec/message.js';

export interface SessionOptions {
  /** Versions to offer; default: all that are supported. */
  readonly versions?: readonly number[];
  /** See `DecodeOptions`; default 'keep'; a switch wants 'refuse'. */
  readonly unknown?: 'refuse' | 'keep';
  /** Answer echo requests here instead of handing them to the consumer; default true. */
  readonly answerEcho?: boolean;
  /** Answer malformed messages with the error they deserve; default true. Error messages are never answered. */
  readonly answerMalformed?: boolean;
  /** Told of every malformed message, answered or not. */
  readonly onMalformed?: (error: DecodeError) => void;
  /** After this long without a word from the peer an echo request goes out, after as long again the session ends. 0: off. */
  readonly keepAliveMs?: number;
  /** For the peer's hello; default 10 s, 0: forever. */
  readonly handshakeTimeoutMs?: number;
  /** For the answer to a request; default 30 s, 0: forever. */
  readonly requestTimeoutMs?: number;
  /**
   * Messages kept for a slow consumer before reading stops; default 256. While a request of ours is pending it is eight
   * times that, because the answer may stand behind messages that the consumer, waiting for it, does not take.
   */
  readonly maxQueuedMessages?: number;
  /** Bytes of automatic answers (echo, errors) the peer may leave unread before reading stops; default 64 KiB. */
  readonly maxUnsentAnswerBytes?: number;
  /** All parts of one multipart reply together; default 64 MiB. */
  readonly maxReplyBytes?: number;
  /** Longest message taken; default 65 535. A longer one ends the session. */
  readonly maxMessageLength?: number;
}

export type SessionSettings = Required<Omit<SessionOptions, 'onMalformed'>> & Pick<SessionOptions, 'onMalformed'>;

export function settingsOf(options: SessionOptions): SessionSettings {
  return {
    versions: supportedVersions,
    unknown: 'keep',
    answerEcho: true,
    answerMalformed: true,
    keepAliveMs: 0,
    handshakeTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    maxQueuedMessages: 256,
    maxUnsentAnswerBytes: 64 * 1024,
    maxReplyBytes: 64 * 1024 * 1024,
    maxMessageLength: 0xffff,
    ...options,
  };
}

export interface SendResult {
  readonly xid: number;
  /** false: the socket holds more than its high-water mark (or is closed); wait for `drained()` before sending much. */
  readonly writable: boolean;
}

export interface SessionCounters {
  readonly received: number;
  readonly sent: number;
  readonly malformed: number;
  /** How often reading stopped because the consumer or the peer was slow. */
  readonly pauses: number;
}
