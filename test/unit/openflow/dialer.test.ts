import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Bed, Controller, folder, hello, is, raw, start, until } from './bed.js';

vi.mock('../../../src/openflow/limits.js', async (original) => ({
  ...(await original<typeof import('../../../src/openflow/limits.js')>()),
  HANDSHAKE_MS: 200,
}));

/** A controller's side: sockets as they come. */
class Awaiter {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      this.sockets.push(socket);
    });
  }
  static async listen(where: number | string = 0): Promise<Awaiter> {
    const self = new Awaiter();
    if (typeof where === 'string') self.#server.listen(where);
    else self.#server.listen(where, '127.0.0.1');
    await once(self.#server, 'listening');
    awaiters.push(self);
    return self;
  }
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' ? address!.port : 0;
  }
  async nth(index: number): Promise<Controller> {
    await until(() => this.sockets.length > index);
    return new Controller(this.sockets[index]!);
  }
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
const awaiters: Awaiter[] = [];
afterEach(async () => {
  for (const awaiter of awaiters.splice(0)) await awaiter.close();
});

const connected = (bed: Bed) => bed.channels.controllers.filter((controller) => controller.connected).length;
const failed = async (bed: Bed, reason: RegExp) =>
  until(() => reason.test(bed.channels.controllers[0]!.lastError ?? ''));

describe('connections that we make', () => {
  it('to several controllers at once', async () => {
    const path = join(folder(), 'ctl');
    const [a, b] = [await Awaiter.listen(), await Awaiter.listen(path)];
    const bed = await start({ controllers: [`tcp:127.0.0.1:${a.port}`, `unix:${path}`], listen: [] });
    const [first, second] = [await a.nth(0), await b.nth(0)];
    await first.greet();
    await second.greet();
    await first.barrier();
    await second.barrier();
    expect(bed.channels.controllers).toEqual([
      { target: `tcp:127.0.0.1:${a.port}`, connected: true, lastError: undefined },
      { target: `unix:${path}`, connected: true, lastError: undefined },
    ]);
    const peers = bed.channels.connections.map(({ peer, version }) => `${version} ${peer}`);
    expect(peers.sort()).toEqual([`4 tcp:127.0.0.1:${a.port}`, `4 unix:${path}`]);
  });

  it('are made again within a second of the return of a controller, however long it was away', async () => {
    const first = await Awaiter.listen();
    const { port } = first;
    const bed = await start({ controllers: [`tcp:127.0.0.1:${port}`], listen: [] });
    await (await first.nth(0)).greet();
    await until(() => connected(bed) === 1);
    await first.close();
    await failed(bed, /ECONNREFUSED/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const second = await Awaiter.listen(port);
    const before = Date.now();
    await second.nth(0);
    expect(Date.now() - before).toBeLessThan(1100);
  });

  it('say why there is none', async () => {
    const bed = await start({ controllers: ['tcp:127.0.0.1:1'], listen: [] });
    await failed(bed, /ECONNREFUSED/);
    expect(bed.channels.controllers).toMatchObject([{ target: 'tcp:127.0.0.1:1', connected: false }]);
    const nowhere = await start({ controllers: ['unix:/nowhere/at/all'], listen: [] });
    await failed(nowhere, /ENOENT/);
    const unnamed = await start({ controllers: ['tcp:name.invalid'], listen: [] });
    await failed(unnamed, /ENOTFOUND|EAI_AGAIN/);
  });

  it('say why a controller that is there does not do', async () => {
    const awaiter = await Awaiter.listen();
    const bed = await start({ controllers: [`tcp:127.0.0.1:${awaiter.port}`], listen: [], versions: [4] });
    const old = await awaiter.nth(0);
    old.write(raw(0, [], { version: 1 }));
    await old.next(is('error'));
    await failed(bed, /no common version/);
    const silent = await awaiter.nth(1);
    await silent.closed;
    await failed(bed, /no hello/);
    const going = await awaiter.nth(2);
    await going.greet();
    await until(() => connected(bed) === 1);
    going.socket.end();
    await failed(bed, /closed by the peer/);
    expect(connected(bed)).toBe(0);
  });

  it('a controller that accepts and hangs up is not asked more often than four times a second or so', async () => {
    const awaiter = await Awaiter.listen();
    await start({ controllers: [`tcp:127.0.0.1:${awaiter.port}`], listen: [] });
    const hangUp = setInterval(() => {
      for (const socket of awaiter.sockets) if (!socket.destroyed) socket.end(hello);
    }, 5);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    clearInterval(hangUp);
    expect(awaiter.sockets.length).toBeGreaterThan(2);
    expect(awaiter.sockets.length).toBeLessThan(9);
  });
});
