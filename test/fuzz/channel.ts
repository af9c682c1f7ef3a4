/**
 * A controller that says anything, beside one that is well: the switch neither fails nor keeps the other waiting, and
 * is rid of the first when its connection is over.
 *
 * The first byte of an input says how the stream behind it is sent: bits 0 to 1 how it ends, 2 to 7 in which pieces.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Logger, silentLogger } from '../../src/base/logger.js';
import type { PortNo } from '../../src/datapath/datapath.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../src/datapath/native-addon.js';
import { Ofproto } from '../../src/ofproto/index.js';
import { Channels, parseActive } from '../../src/openflow/index.js';
import { mutateStream } from './mutate.js';
import type { Random } from './random.js';
import type { Target } from './target.js';

const PIECE_UNIT = 5;
const PATIENCE_MS = 60_000;
const BARRIER_REPLY = 21;
const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** OpenFlow 1.3: a packet through the tables that the other filled; then all that a controller can remove. */
const wholesome = Buffer.concat([
  hex(`040d 0056 00000001 ffffffff fffffffd 0010 000000000000  0000 0010 fffffff9 0000 000000000000
       020000000002 020000000001 0800 4500002000000000401166cb0a0000010a000002 03e807d0000c0000 00000000`),
  hex(
    '040e 0038 00000002 0000000000000000 0000000000000000 ff 03 0000 0000 0000 ffffffff ffffffff ffffffff 0000 0000 0001 0004 00000000',
  ),
  hex('040f 0010 00000003 0002 00 00 fffffffc'),
  hex('041d 0010 00000004 0002 0000 ffffffff'),
  hex('0409 000c 00000005 0000 0080'),
  hex('0414 0008 00000006'),
]);

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A switch on the native datapath, and a controller that is well. */
class Bed {
  readonly bugs: unknown[] = [];
  #runtime!: NativeRuntime;
  #datapath!: NativeDatapathAdapter;
  #ofproto!: Ofproto;
  #channels!: Channels;
  #healthy!: Socket;

  async open(): Promise<void> {
    this.#runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
    this.#datapath = new NativeDatapathAdapter(this.#runtime);
    const description = { manufacturer: '', hardware: '', software: '', serial: '', datapath: '' };
    const onUpcallFailure = (error: unknown) => this.bugs.push(error);
    this.#ofproto = new Ofproto({ datapath: this.#datapath, datapathId: 1n, description, onUpcallFailure });
    for (const number of [1, 2]) {
      this.#datapath.portAttach(number as PortNo, { kind: 'null' });
      this.#ofproto.portAdded({ number, name: `p${number}`, mac: `02:00:00:00:00:0${number}` });
    }
    const logger: Logger = { ...silentLogger, error: (fields) => this.bugs.push(fields), child: () => logger };
    const versions = [1, 2, 3, 4, 5, 6];
    const listen = ['ptcp:0:127.0.0.1'];
    this.#channels = await Channels.start({
      switch: this.#ofproto,
      controllers: [],
      failMode: 'secure',
      // A machine may do other things for a while.
      ...{ listen, versions, logger, keepAliveMs: 10 * PATIENCE_MS },
    });
    this.#healthy = await this.connect();
    this.#healthy.write(hex('0400 0010 00000001 0001 0008 00000010'));
    await this.barrier();
  }

  async connect(): Promise<Socket> {
    const [port, host] = this.#channels.listening[0]!.split(':').slice(1);
    const active = parseActive(`tcp:${host}:${port}`) as { host: string; port: number };
    const socket = connect(active.port, active.host);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  /** The one that is well is served; what was made is removed. */
  async barrier(): Promise<void> {
    let heard = Buffer.alloc(0);
    const answered = new Promise<void>((resolve, reject) => {
      const take = (segment: Buffer) => {
        heard = Buffer.concat([heard, segment]);
        while (heard.length >= 8 && heard.length >= heard.readUInt16BE(2)) {
          if (heard[1] === BARRIER_REPLY) done(resolve);
          heard = heard.subarray(heard.readUInt16BE(2));
        }
      };
      const gone = () => done(() => reject(new Error('the other controller was disconnected')));
      const done = (settle: () => void) => {
        this.#healthy.off('data', take).off('close', gone);
        settle();
      };
      this.#healthy.on('data', take).on('close', gone);
    });
    this.#healthy.write(wholesome);
    await within(answered, 'another controller');
  }

  async alone(): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (this.#channels.connections.length > 1) {
      if (Date.now() > end) throw new Error('the connection is still there');
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#ofproto.tick();
  }

  async close(): Promise<void> {
    this.#healthy.destroy();
    await this.#channels.stop();
    this.#ofproto.close();
    this.#datapath.close();
    this.#runtime.close();
  }
}

async function say(socket: Socket, stream: Uint8Array, pieces: number): Promise<void> {
  const size = pieces === 0 ? Math.max(1, stream.length) : pieces * PIECE_UNIT;
  for (let at = 0; at < stream.length && !socket.destroyed; at += size) {
    socket.write(stream.subarray(at, at + size));
    if (pieces !== 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function channelTarget(): Promise<Target> {
  let bed = new Bed();
  await bed.open();
  return {
    name: 'openflow-channel',
    mutate(input: Uint8Array, other: Uint8Array, random: Random) {
      const manner = random.below(8) === 0 ? random.below(256) : input[0]!;
      return Uint8Array.of(manner, ...mutateStream(input.subarray(1), other.subarray(1), random));
    },
    async run(input) {
      const wild = await bed.connect();
      const closed = once(wild, 'close');
      wild.resume();
      const manner = input[0] ?? 0;
      await say(wild, input.subarray(1), manner >> 2);
      await bed.barrier();
      if ((manner & 3) === 1) wild.destroy();
      // Where the switch has closed already there is nothing to reset.
      else if ((manner & 3) === 2 && wild.writable) wild.resetAndDestroy();
      else wild.end();
      await within(closed, 'the end of the connection');
      await bed.alone();
      await bed.barrier();
      if (bed.bugs.length > 0) throw new Error('a failure of the switch', { cause: bed.bugs.splice(0) });
    },
    async renew() {
      await bed.close();
      bed = new Bed();
      await bed.open();
    },
    close: () => bed.close(),
  };
}
