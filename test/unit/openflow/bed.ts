/** A switch with channels on loopback sockets, and a controller made of bytes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decodeMessage, encodeMessage, type Message, MessageFramer, type Outgoing } from 'node-openflow';
import { silentLogger } from '../../../src/base/logger.js';
import type { PortNo } from '../../../src/datapath/datapath.js';
import { ModelDatapath } from '../../../src/datapath/model.js';
import { Ofproto } from '../../../src/ofproto/index.js';
import { Channels, type ChannelsOptions, parseActive } from '../../../src/openflow/index.js';

export const VERSION = 4;

/** A message by hand: version, type, length, xid, body. */
export function raw(
  type: number,
  body: readonly number[] = [],
  over: { version?: number; length?: number; xid?: number } = {},
) {
  const { version = VERSION, length = 8 + body.length, xid = 0x01020304 } = over;
  const head = [
    version,
    type,
    length >> 8,
    length & 0xff,
    xid >>> 24,
    (xid >>> 16) & 0xff,
    (xid >>> 8) & 0xff,
    xid & 0xff,
  ];
  return Uint8Array.from([...head, ...body]);
}

/** A hello that offers 1.3 by its bitmap. */
export const hello = raw(0, [0, 1, 0, 8, 0, 0, 0, 0x10]);

export class Controller {
  readonly messages: Message[] = [];
  readonly closed: Promise<unknown>;
  readonly #framer = new MessageFramer();
  #xid = 1;

  constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (segment: Uint8Array) => {
      this.#framer.push(segment);
      for (let bytes = this.#framer.next(); bytes !== undefined; bytes = this.#framer.next()) this.#take(bytes);
    });
    this.closed = once(socket, 'close');
  }

  static async connect(target: string, greeting: Uint8Array = hello): Promise<Controller> {
    const active = parseActive(target);
    const socket = active.kind === 'unix' ? connect(active.path) : connect(active.port, active.host);
    await once(socket, 'connect');
    const controller = new Controller(socket);
    socket.write(greeting);
    await controller.next((m) => m.type === 'hello');
    return controller;
  }

  #take(bytes: Uint8Array): void {
    const result = decodeMessage(bytes);
    if (!result.ok) throw new Error(result.error.reason);
    this.messages.push(result.message);
  }

  /** The next message that fits, taken out of those received. */
  async next<M extends Message = Message>(fits: (message: Message) => boolean, timeoutMs = 3000): Promise<M> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const at = this.messages.findIndex(fits);
      if (at >= 0) return this.messages.splice(at, 1)[0] as M;
      if (Date.now() > end)
        throw new Error(`not within ${timeoutMs} ms; got ${this.messages.map((m) => m.type).join()}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }
  /** Sends without waiting; returns the xid. */
  send(message: Outgoing): number {
    const xid = message.xid ?? this.#xid++;
    this.write(encodeMessage({ ...message, version: VERSION, xid } as Message));
    return xid;
  }
  /** Sends and waits for the answer with the same xid. */
  async ask(message: Outgoing): Promise<Message> {
    const xid = this.send(message);
    return this.next((reply) => reply.xid === xid);
  }
  async barrier(): Promise<void> {
    await this.ask({ type: 'barrier_request' });
  }
}

export class Bed {
  readonly datapath = new ModelDatapath();
  readonly ofproto: Ofproto;
  channels!: Channels;

  constructor() {
    const description = { manufacturer: 'm', hardware: 'h', software: 's', serial: 'n', datapath: 'br0' };
    this.ofproto = new Ofproto({ datapath: this.datapath, datapathId: 1n, description });
    for (const n of [1, 2]) {
      this.datapath.portAttach(n as PortNo, { kind: 'null' });
      this.ofproto.portAdded({ number: n, name: `p${n}`, mac: `02:00:00:00:00:0${n}` });
    }
  }

  static async start(options: Partial<ChannelsOptions> = {}): Promise<Bed> {
    const bed = new Bed();
    bed.channels = await Channels.start({
      switch: bed.ofproto,
      controllers: [],
      listen: ['ptcp:0:127.0.0.1'],
      failMode: 'secure',
      logger: silentLogger,
      ...options,
    });
    return bed;
  }

  /** What to connect to. */
  get address(): string {
    return this.channels.listening[0]!.replace(/^ptcp:(\d+):(.*)$/, 'tcp:$2:$1').replace(/^punix:/, 'unix:');
  }
  inject(frame: Uint8Array): void {
    this.datapath.inject(1 as PortNo, frame);
  }
  async stop(): Promise<void> {
    await this.channels.stop();
    this.ofproto.close();
    this.datapath.close();
  }
}
