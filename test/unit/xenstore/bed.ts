/** Raw and comfortable connections to an emulated xenstored. */
import { EmulatedXenstore, XenstoreClient } from '../../../src/xenstore/index.js';
import type { XenstoreTransport } from '../../../src/xenstore/transport.js';
import { encodeMessage, type Message, MessageFramer, MessageType, textOf } from '../../../src/xenstore/wire.js';

/** Sends what it is told and keeps what comes, for requests that no client makes. */
export class RawConnection {
  readonly received: Message[] = [];
  closed = false;
  readonly transport: XenstoreTransport;
  #requestId = 1;

  constructor(transport: XenstoreTransport) {
    this.transport = transport;
    const framer = new MessageFramer();
    transport.start({
      data: (chunk) => this.received.push(...framer.push(chunk)),
      drained: () => {},
      closed: () => {
        this.closed = true;
      },
    });
  }

  send(type: number, payload: string | Buffer, transactionId = 0): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    this.transport.send(encodeMessage({ type, requestId: this.#requestId++, transactionId, payload: bytes }));
  }

  /** The reply as text, `ERROR` in front when it is one. */
  async ask(type: number, payload: string | Buffer, transactionId = 0): Promise<string> {
    const requestId = this.#requestId;
    this.send(type, payload, transactionId);
    for (;;) {
      const reply = this.received.find((message) => message.requestId === requestId);
      if (reply !== undefined) return `${reply.type === MessageType.error ? 'ERROR ' : ''}${textOf(reply.payload)}`;
      if (this.closed) return 'closed';
      await tick();
    }
  }

  /** Path and token of each event so far. */
  events(): string[] {
    return this.received
      .filter(({ type }) => type === MessageType.watchEvent)
      .map(({ payload }) => textOf(payload).slice(0, -1).replace('\0', ' '));
  }
}

export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Long enough for every message under way in the process to arrive. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) await tick();
}

export class Bed {
  readonly store: EmulatedXenstore;
  readonly clients: XenstoreClient[] = [];

  constructor(options: ConstructorParameters<typeof EmulatedXenstore>[0] = {}) {
    this.store = new EmulatedXenstore(options);
  }

  client(domid = 0): XenstoreClient {
    const client = new XenstoreClient(this.store.connect(domid));
    this.clients.push(client);
    return client;
  }

  raw(domid = 0): RawConnection {
    return new RawConnection(this.store.connect(domid));
  }

  /** A directory that a domain owns, as libxl makes it. */
  async home(domid: number): Promise<string> {
    const path = `/local/domain/${domid}`;
    const client = this.client();
    await client.mkdir(path);
    await client.setPerms(path, [{ domid, access: 'n' }]);
    return path;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.store.close();
  }
}
