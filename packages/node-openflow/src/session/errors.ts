/** Why a session ended or a request failed. */
import { errorName } from '../errors/names.js';
import type { ErrorMessage } from '../types/message.js';

/**
 * 'closed': by us. 'ended': by the peer. 'framing': the byte stream can no longer be cut into messages. 'negotiation':
 * no common version, or not a hello first. 'timeout': the peer was silent, or a request was not answered in time.
 * 'limit': the peer's reply is larger than allowed. 'socket': the connection failed.
 */
export type SessionFailure = 'closed' | 'ended' | 'framing' | 'negotiation' | 'timeout' | 'limit' | 'socket';

/** How requests and `ready` reject when it is the session, not the peer's answer, that failed them. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  constructor(
    readonly failure: SessionFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The peer answered a request with an error message. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  constructor(readonly reply: ErrorMessage) {
    super(`the peer answers ${errorName(reply.errorType, reply.errorCode, reply.version, reply)}`);
  }
  /** OFPET_* */
  get errorType(): number {
    return this.reply.errorType;
  }
  get errorCode(): number {
    return this.reply.errorCode;
  }
}
