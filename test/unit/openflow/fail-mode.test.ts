import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STANDALONE_COOKIE } from '../../../src/ofproto/index.js';
import type { ChannelsOptions } from '../../../src/openflow/index.js';
import { type Bed, Controller, folder, sleep, start, until } from './bed.js';

const KEEP_ALIVE_MS = 200;

/** A switch, and a tool that looks at its flows. */
async function watched(options: Partial<ChannelsOptions>): Promise<{ bed: Bed; tool: Controller }> {
  const path = join(folder(), 'm');
  const bed = await start({ management: [`punix:${path}`], keepAliveMs: KEEP_ALIVE_MS, ...options });
  return { bed, tool: await Controller.connect(`unix:${path}`) };
}
const on = async (tool: Controller) => (await tool.cookies()).includes(STANDALONE_COOKIE);
const nobody = ['tcp:127.0.0.1:1'];

describe('fail-mode standalone (§6.3.2)', () => {
  it('without controllers to wait for it is a learning switch at once; a tool is no controller', async () => {
    const { bed, tool } = await watched({ failMode: 'standalone' });
    expect(await tool.cookies()).toEqual([STANDALONE_COOKIE]);
    const controller = await bed.controller();
    await controller.barrier();
    expect(await tool.cookies()).toEqual([]);
    controller.socket.destroy();
    await until(() => on(tool));
  });

  it('stands below the flows that tools add; above those of a controller that has left', async () => {
    const { bed, tool } = await watched({ failMode: 'standalone' });
    const priorities = async () =>
      (await tool.flows()).flatMap(({ cookie, priority }) => (cookie === STANDALONE_COOKIE ? [priority] : []));
    expect(await priorities()).toEqual([0]);
    const controller = await bed.controller();
    await controller.barrier();
    expect(await priorities()).toEqual([]);
    controller.socket.destroy();
    await until(() => on(tool));
    expect(await priorities()).toEqual([65535]);
  });

  it('with controllers to wait for it is one after three keep-alive times without any', async () => {
    const before = Date.now();
    const { bed, tool } = await watched({ failMode: 'standalone', controllers: nobody });
    expect(await on(tool)).toBe(false);
    await until(() => on(tool));
    expect(Date.now() - before).toBeGreaterThanOrEqual(3 * KEEP_ALIVE_MS - 5);
    expect((await tool.flows()).map(({ priority }) => priority)).toEqual([65535]);
    const [first, second] = [await bed.controller(), await bed.controller()];
    await first.barrier();
    expect(await on(tool)).toBe(false);
    first.socket.destroy();
    const keep = setInterval(() => second.send({ type: 'barrier_request' }), 50);
    for (let i = 0; i < 8; i++) {
      await sleep(100);
      expect(await on(tool)).toBe(false);
    }
    clearInterval(keep);
    second.socket.destroy();
    await until(() => on(tool));
  });

  it('who does not get through the handshake does not count', async () => {
    const { bed, tool } = await watched({ failMode: 'standalone' });
    const silent = await Controller.open(bed.address);
    await tool.barrier();
    expect(await on(tool)).toBe(true);
    silent.socket.destroy();
  });

  it('where keep-alive is off the usual times are waited', async () => {
    const { tool } = await watched({ failMode: 'standalone', controllers: nobody, keepAliveMs: 0 });
    await sleep(100);
    expect(await on(tool)).toBe(false);
  });

  it('the stop takes the flow away', async () => {
    const { bed } = await watched({ failMode: 'standalone' });
    const cookies = async () => {
      const found: bigint[] = [];
      for await (const { cookie } of bed.ofproto.flows()) found.push(cookie);
      return found;
    };
    expect(await cookies()).toEqual([STANDALONE_COOKIE]);
    await bed.channels.stop();
    expect(await cookies()).toEqual([]);
  });
});

it('fail-mode secure: never', async () => {
  for (const controllers of [[], nobody]) {
    const { bed, tool } = await watched({ failMode: 'secure', controllers, keepAliveMs: 50 });
    (await bed.controller()).socket.destroy();
    for (let i = 0; i < 10; i++) {
      await sleep(30);
      expect(await tool.cookies()).toEqual([]);
    }
  }
});
