/** Requests under way on one connection: numbers them, pairs replies with them, turns error replies into errors. */
import { XenstoreError } from './error.js';
import type { XenstoreTransport } from './transport.js';
import {
  encodeMessage,
  type Message,
  MessageFramer,
  MessageType,
  splitStrings,
  textOf,
  wireErrorCode,
  XenstoreProtocolError,
} from './wire.js';

interface Outstanding {
  readonly type: MessageType;
  readonly request: string;
  readonly path: string;
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: XenstoreError) => void;
}

/** What a request is called in an error's message: READ, DIRECTORY_PART. */
const requestNames = new Map<number, string>(
  Object.entries(MessageType).map(([name, type]) => [type, name.replace(/[A-Z]/g, '_$&').toUpperCase()]),
);

export interface ConnectionListener {
  watchEvent(path: string, token: string): void;
  /** Called once; every outstanding request was rejected before. */
  closed(reason: Error | undefined): void;
}

export class RequestPipe {
  readonly #transport: XenstoreTransport;
  readonly #listener: ConnectionListener;
  readonly #framer = new MessageFramer();
  readonly #outstanding = new Map<number, Outstanding>();
  #nextId = 1;
  #closed = false;
  #reason: Error | undefined;

  constructor(transport: XenstoreTransport, listener: ConnectionListener) {
    this.#transport = transport;
    this.#listener = listener;
    transport.start({
      data: (chunk) => this.#data(chunk),
      drained: () => {},
      closed: (reason) => this.#end(reason),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** The reply's payload. Rejects with {@link XenstoreError}. */
  request(type: MessageType, transactionId: number, path: string, payload: Buffer): Promise<Buffer> {
    const request = requestNames.get(type)!;
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new XenstoreError('CLOSED', request, path, this.#reason?.message));
        return;
      }
      const requestId = this.#freeId();
      let bytes: Buffer;
      try {
        bytes = encodeMessage({ type, requestId, transactionId, payload });
      } catch (error) {
        // As xenstored would judge it, but without losing the connection over it.
        reject(new XenstoreError('E2BIG', request, path, (error as XenstoreProtocolError).message));
        return;
      }
      this.#outstanding.set(requestId, { type, request, path, resolve, reject });
      this.#transport.send(bytes);
    });
  }

  close(): void {
    this.#transport.close();
    this.#end(undefined);
  }

  #freeId(): number {
    while (this.#outstanding.has(this.#nextId)) this.#nextId = (this.#nextId + 1) >>> 0;
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    return id;
  }

  #data(chunk: Uint8Array): void {
    try {
      for (const message of this.#framer.push(chunk)) this.#message(message);
    } catch (error) {
      if (!(error instanceof XenstoreProtocolError)) throw error;
      this.#transport.close();
      this.#end(error);
    }
  }

  #message(message: Message): void {
    if (this.#closed) return;
    if (message.type === MessageType.watchEvent) {
      const [path, token] = splitStrings(message.payload) ?? [];
      if (path === undefined || token === undefined)
        throw new XenstoreProtocolError('watch event without path or token');
      this.#listener.watchEvent(path, token);
      return;
    }
    const outstanding = this.#outstanding.get(message.requestId);
    if (outstanding === undefined) throw new XenstoreProtocolError(`reply to unknown request ${message.requestId}`);
    this.#outstanding.delete(message.requestId);
    if (message.type === outstanding.type) {
      outstanding.resolve(message.payload);
      return;
    }
    const name = textOf(message.payload).replace(/\0$/, '');
    const code = message.type === MessageType.error ? wireErrorCode(name) : undefined;
    outstanding.reject(
      code !== undefined
        ? new XenstoreError(code, outstanding.request, outstanding.path)
        : new XenstoreError('PROTOCOL', outstanding.request, outstanding.path, `reply type ${message.type}`),
    );
  }

  #end(reason: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    const outstanding = [...this.#outstanding.values()];
    this.#outstanding.clear();
    for (const { reject, request, path } of outstanding) {
      reject(new XenstoreError('CLOSED', request, path, reason?.message));
    }
    this.#listener.closed(reason);
  }
}
