/** A switch with channels on loopback sockets, and a controller made of bytes. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeMessage,
  encodeMessage,
  errorName,
  type FlowStats,
  type Message,
  MessageFramer,
  type MessageOf,
  type Outgoing,
} from 'node-openflow';
import { afterEach } from 'vitest';
import { silentLogger } from '../../../src/base/logger.js';
import type { PortNo } from '../../../src/datapath/datapath.js';
import { ModelDatapath } from '../../../src/datapath/model.js';
import { decodeTableAnswers, encodeQuery } from '../../../src/datapath/records.js';
import { Query } from '../../../src/datapath/schema.gen.js';
import { Ofproto } from '../../../src/ofproto/index.js';
import { Channels, type ChannelsOptions, parseActive } from '../../../src/openflow/index.js';

const VERSION = 4;
export const ANY = 0xffffffff;
export const CONTROLLER_PORT = 0xfffffffd;
export const [NOCHANGE, EQUAL, MASTER, SLAVE] = [0, 1, 2, 3];

/** A message by hand: version, type, length, xid, body. */
export function raw(
  type: number,
  body: readonly number[] = [],
  over: { version?: number; length?: number; xid?: number } = {},
): Uint8Array {
  const { version = VERSION, length = 8 + body.length, xid = 0x01020304 } = over;
  const head = Buffer.from([version, type, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(length, 2);
  head.writeUInt32BE(xid, 4);
  return Uint8Array.from([...head, ...body]);
}

/** A hello that offers 1.3 by its bitmap. */
export const hello = raw(0, [0, 1, 0, 8, 0, 0, 0, 0x10]);

export const role = (number: number, generationId = 0n): Outgoing => ({
  type: 'role_request',
  role: number,
  generationId,
});
export const flowStats: Outgoing = {
  type: 'multipart_request',
  flags: 0,
  body: { type: 'flow', tableId: 255, outPort: ANY, outGroup: ANY, cookie: 0n, cookieMask: 0n, match: [] },
};

/** OFPBRC_IS_SLAVE and the like for an error, the type of anything else. */
export function nameOf(message: Message): string {
  return message.type === 'error' ? errorName(message.errorType, message.errorCode) : message.type;
}
export const is =
  <T extends Message['type']>(type: T) =>
  (message: Message): message is MessageOf<T> =>
    message.type === type;

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${holds}`);
    await sleep(2);
  }
}

export class Controller {
  readonly messages: Message[] = [];
  readonly closed: Promise<unknown>;
  readonly #framer = new MessageFramer();
  /** Not among those of the messages that the switch begins with. */
  #xid = 1000;

  constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (segment: Uint8Array) => {
      this.#framer.push(segment);
      for (let bytes = this.#framer.next(); bytes !== undefined; bytes = this.#framer.next()) this.#take(bytes);
    });
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** A connection on which nothing was said yet. */
  static async open(target: string): Promise<Controller> {
    const active = parseActive(target);
    const socket = active.kind === 'unix' ? connect(active.path) : connect(active.port, active.host);
    await once(socket, 'connect');
    return new Controller(socket);
  }

  static async connect(target: string, greeting: Uint8Array = hello): Promise<Controller> {
    const controller = await Controller.open(target);
    await controller.greet(greeting);
    return controller;
  }

  async greet(greeting: Uint8Array = hello): Promise<void> {
    this.write(greeting);
    await this.next(is('hello'));
  }

  #take(bytes: Uint8Array): void {
    const result = decodeMessage(bytes);
    if (!result.ok) throw new Error(result.error.reason);
    this.messages.push(result.message);
  }

  /** The next message that fits, taken out of those received. */
  async next<M extends Message>(fits: (message: Message) => message is M, timeoutMs?: number): Promise<M>;
  async next(fits: (message: Message) => boolean, timeoutMs?: number): Promise<Message>;
  async next(fits: (message: Message) => boolean, timeoutMs = 15_000): Promise<Message> {
    const at = () => this.messages.findIndex(fits);
    await until(() => at() >= 0, timeoutMs);
    return this.messages.splice(at(), 1)[0]!;
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
  async flows(): Promise<readonly FlowStats[]> {
    const { body } = (await this.ask(flowStats)) as MessageOf<'multipart_reply'>;
    return body.type === 'flow' && 'entries' in body ? body.entries : [];
  }
  /** Cookies of the flows that there are. */
  async cookies(): Promise<readonly bigint[]> {
    return (await this.flows()).map(({ cookie }) => cookie);
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
      versions: [VERSION],
      logger: silentLogger,
      ...options,
    });
    return bed;
  }

  /** What to connect to. */
  get address(): string {
    return this.channels.listening[0]!.replace(/^ptcp:(\d+):(.*)$/, 'tcp:$2:$1').replace(/^punix:/, 'unix:');
  }
  /** A controller that has said hello. */
  async controller(greeting?: Uint8Array): Promise<Controller> {
    const controller = await Controller.connect(this.address, greeting);
    // Who connects hears of nothing before it asked.
    controller.send({ type: 'set_config', flags: 0, missSendLen: 128 });
    return controller;
  }
  /** How many flows each table has. */
  datapathFlows(): readonly number[] {
    const { data } = this.datapath.read(encodeQuery({ query: Query.tables }));
    return decodeTableAnswers(data).map(({ active }) => active);
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

const running: Bed[] = [];
const folders: string[] = [];

/** A bed that is stopped after the test. */
export async function start(options?: Partial<ChannelsOptions>): Promise<Bed> {
  const bed = await Bed.start(options);
  running.push(bed);
  return bed;
}

/** A folder that is removed after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'xvif-openflow-'));
  folders.push(path);
  return path;
}

afterEach(async () => {
  for (const bed of running.splice(0)) await bed.stop();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});
