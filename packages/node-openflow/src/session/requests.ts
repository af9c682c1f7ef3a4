/** Requests that wait for their answer: matched by xid and by the type the answer must have. */
import { OFPMPF } from '../of13/constants.js';
import type { Message, MessageOf, MultipartReply } from '../types/message.js';
import type { MultipartReplyBody } from '../types/multipart.js';
import { RequestError, SessionError } from './errors.js';

/** Which message answers which (OpenFlow 1.3.5 §7.3, §7.5). */
export const replyTypes = {
  echo_request: 'echo_reply',
  experimenter: 'experimenter',
  features_request: 'features_reply',
  get_config_request: 'get_config_reply',
  multipart_request: 'multipart_reply',
  barrier_request: 'barrier_reply',
  queue_get_config_request: 'queue_get_config_reply',
  role_request: 'role_reply',
  get_async_request: 'get_async_reply',
  // Of 1.4: the type is the same both ways, `controlType` tells request from reply.
  bundle_control: 'bundle_control',
} as const;
export type RequestType = keyof typeof replyTypes;
export type ReplyTo<T extends RequestType> = MessageOf<(typeof replyTypes)[T]>;

interface Pending {
  readonly replyType: Message['type'] | undefined;
  readonly resolve: (reply: Message | undefined) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
  /** Multipart: what has come so far. */
  parts: MultipartReply[];
  partBytes: number;
}

export class Requests {
  readonly #pending = new Map<number, Pending>();
  readonly #maxReplyBytes: number;

  constructor(maxReplyBytes: number) {
    this.#maxReplyBytes = maxReplyBytes;
  }

  get size(): number {
    return this.#pending.size;
  }

  has(xid: number): boolean {
    return this.#pending.has(xid);
  }

  /** `replyType` undefined: only an error can come back, and the caller ends the wait with `settle(xid, undefined)`. */
  add(xid: number, replyType: Message['type'] | undefined, timeoutMs: number): Promise<Message | undefined> {
    return new Promise((resolve, reject) => {
      const timer =
        timeoutMs > 0
          ? setTimeout(() => this.fail(xid, new SessionError('timeout', `no reply in ${timeoutMs} ms`)), timeoutMs)
          : undefined;
      timer?.unref();
      this.#pending.set(xid, { replyType, resolve, reject, timer, parts: [], partBytes: 0 });
    });
  }

  /** Takes a message that answers a request; false: it is not such a one, somebody else has to handle it. */
  take(message: Message, size: number): boolean {
    const pending = this.#pending.get(message.xid);
    if (pending === undefined) return false;
    if (message.type === 'error') {
      this.fail(message.xid, new RequestError(message));
      return true;
    }
    if (message.type !== pending.replyType) return false;
    if (message.type !== 'multipart_reply') {
      this.settle(message.xid, message);
      return true;
    }
    pending.parts.push(message);
    pending.partBytes += size;
    if (pending.partBytes > this.#maxReplyBytes) {
      this.fail(message.xid, new SessionError('limit', `a reply of more than ${this.#maxReplyBytes} bytes`));
    } else if ((message.flags & OFPMPF.REPLY_MORE) === 0) {
      this.settle(message.xid, joinParts(pending.parts));
    }
    return true;
  }

  settle(xid: number, reply: Message | undefined): void {
    this.#remove(xid)?.resolve(reply);
  }

  fail(xid: number, error: Error): void {
    this.#remove(xid)?.reject(error);
  }

  failAll(error: Error): void {
    for (const xid of [...this.#pending.keys()]) this.fail(xid, error);
  }

  #remove(xid: number): Pending | undefined {
    const pending = this.#pending.get(xid);
    clearTimeout(pending?.timer);
    this.#pending.delete(xid);
    return pending;
  }
}

/** The pieces of a reply as one: lists are joined, of an opaque body the bytes. */
function joinParts(parts: readonly MultipartReply[]): MultipartReply {
  const last = parts[parts.length - 1]!;
  if (parts.length === 1) return last;
  const bodies = parts.map((part) => part.body).filter((body) => body.type === last.body.type);
  let body: MultipartReplyBody = last.body;
  if ('entries' in body) {
    const entries = bodies.flatMap((part) => ('entries' in part ? [...part.entries] : []));
    body = { ...body, entries } as MultipartReplyBody;
  } else if ('data' in body) {
    const pieces = bodies.flatMap((part) => ('data' in part ? [part.data] : []));
    body = { ...body, data: new Uint8Array(Buffer.concat(pieces)) };
  }
  return { ...last, body };
}
