/** A stop at any moment leaves no socket, no timer and no promise that nobody waits for. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flowMod } from '../ofproto/bed.js';
import { Bed, Controller, flowStats, folder, is, sleep } from './bed.js';

const ours = /^(TCP|Pipe|Timeout|Connect|GetAddrInfo)/;
const resources = () =>
  process
    .getActiveResourcesInfo()
    .filter((name) => ours.test(name))
    .sort();
const rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);
let before: string[];
beforeEach(() => {
  process.on('unhandledRejection', note);
  before = resources();
});
afterEach(() => {
  process.off('unhandledRejection', note);
});

const gone = async () => {
  await expect.poll(resources).toEqual(before);
  expect(rejections).toEqual([]);
};

describe('stop', () => {
  it.each<[string, (bed: Bed) => Promise<readonly Controller[]>]>([
    ['when nobody is there', async () => []],
    ['during the handshake', async (bed) => [await Controller.open(bed.address)]],
    ['when connected', async (bed) => [await bed.controller(), await bed.controller()]],
    [
      'with requests on the way',
      async (bed) => {
        const controller = await bed.controller();
        for (let i = 0; i < 2000; i++) controller.send(flowMod({ priority: i }));
        controller.send({ type: 'barrier_request' });
        return [controller];
      },
    ],
    [
      'in the middle of a dump that is not read',
      async (bed) => {
        const controller = await bed.controller();
        for (let i = 0; i < 3000; i++) controller.send(flowMod({ priority: i }));
        await controller.barrier();
        for (let i = 0; i < 100; i++) controller.send(flowStats);
        await controller.next(is('multipart_reply'));
        controller.socket.pause();
        await sleep(50);
        return [controller];
      },
    ],
    [
      'just after a connection was accepted',
      async (bed) => {
        const opening = Controller.open(bed.address);
        await new Promise((resolve) => setImmediate(resolve));
        return [await opening];
      },
    ],
  ])('%s', async (_, arrange) => {
    const path = join(folder(), 'm');
    const bed = await Bed.start({ failMode: 'standalone', management: [`punix:${path}`] });
    const controllers = await arrange(bed);
    const began = Date.now();
    await bed.stop();
    expect(Date.now() - began).toBeLessThan(1500);
    expect(bed.channels.connections).toEqual([]);
    for (const controller of controllers) {
      controller.socket.resume();
      await controller.closed;
    }
    await gone();
    await bed.channels.stop();
  });

  it('takes no socket of its own with it: none is left when it resolves', async () => {
    const bed = await Bed.start();
    const controller = await bed.controller();
    // It does not hang up by itself: the switch has to.
    controller.socket.pause();
    const open = () => resources().filter((name) => name.startsWith('TCP')).length;
    expect(open()).toBeGreaterThan(1);
    await bed.stop();
    expect(open()).toBeLessThanOrEqual(1);
    controller.socket.destroy();
    await gone();
  });

  it.each([
    ['while dialling', 0],
    ['while the first dial answers', 1],
    ['between two dials', 40],
    ['after several', 700],
  ])('%s', async (_, ms) => {
    const bed = await Bed.start({ controllers: ['tcp:127.0.0.1:1', 'tcp:name.invalid'], listen: [] });
    if (ms > 0) await sleep(ms);
    await bed.stop();
    await gone();
  });

  it('at every moment of a connection that we make', async () => {
    const server = createServer((socket: Socket) => {
      const controller = new Controller(socket);
      void controller.greet().catch(() => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    for (let turns = 0; turns < 12; turns++) {
      const bed = await Bed.start({ controllers: [`tcp:127.0.0.1:${port}`], listen: [] });
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      await bed.stop();
    }
    await new Promise((resolve) => server.close(resolve));
    await sleep(50);
    expect(rejections).toEqual([]);
  });
});
