import { connect } from 'node:net';
import { Session } from 'node-openflow';
import { describe, expect, it, vi } from 'vitest';
import { Controller, hello, is, nameOf, raw, start } from './bed.js';

vi.mock('../../../src/openflow/limits.js', async (original) => ({
  ...(await original<typeof import('../../../src/openflow/limits.js')>()),
  HANDSHAKE_MS: 150,
}));

const features = { type: 'features_request' } as const;
const bitmap = (bits: number) => [0, 1, 0, 8, 0, 0, 0, bits];

describe('hello (§6.3.1)', () => {
  it.each([
    ['a bitmap', hello],
    ['no bitmap', raw(0)],
    ['1.5 and a bitmap with 1.3', raw(0, bitmap(0x50), { version: 6 })],
    ['1.0 and a bitmap with 1.3', raw(0, bitmap(0x12), { version: 1 })],
    ['1.5 without bitmap', raw(0, [], { version: 6 })],
    ['an element that is broken', raw(0, [0, 1, 0, 2, 0, 0, 0, 0])],
    ['an element nobody knows', raw(0, [0, 9, 0, 4, 0, 0, 0, 0, ...bitmap(0x10)])],
  ])('1.3 is agreed on by %s', async (_, greeting) => {
    const bed = await start();
    const controller = await bed.controller(greeting);
    expect(await controller.ask(features)).toMatchObject({ type: 'features_reply', version: 4, datapathId: 1n });
  });

  it.each([
    ['1.0 without bitmap', raw(0, [], { version: 1 })],
    ['1.5 and a bitmap without 1.3', raw(0, bitmap(0x40), { version: 6 })],
    ['1.3 and a bitmap without it', raw(0, bitmap(0x02))],
    ['no hello but a request', raw(5)],
  ])('OFPHFC_INCOMPATIBLE for %s', async (_, greeting) => {
    const bed = await start();
    const other = await bed.controller();
    const controller = await Controller.open(bed.address);
    controller.write(greeting);
    const error = await controller.next(is('error'));
    expect(nameOf(error)).toBe('OFPHFC_INCOMPATIBLE');
    expect(error.version).toBe(4);
    expect(Buffer.from(error.data).toString()).toMatch(/version|hello/);
    await controller.closed;
    await other.barrier();
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['half a hello', hello.slice(0, 10)],
    ['bytes that announce more than come', Uint8Array.from({ length: 100 }, (_, i) => (i * 37) & 0xff)],
  ])('who says %s is cut off after a while', async (_, greeting) => {
    const bed = await start();
    const other = await bed.controller();
    const controller = await Controller.open(bed.address);
    if (greeting.length > 0) controller.write(greeting);
    await controller.closed;
    expect(bed.channels.connections).toHaveLength(1);
    await other.barrier();
  });

  it('an error instead of a hello ends the connection without an answer', async () => {
    const bed = await start();
    const controller = await Controller.open(bed.address);
    controller.write(raw(1, [0, 0, 0, 0, 0x6e, 0x6f]));
    await controller.closed;
    expect(controller.messages.map(nameOf)).toEqual(['hello']);
  });

  it('afterwards another version is OFPBRC_BAD_VERSION, save in echo and hello', async () => {
    const bed = await start();
    const controller = await bed.controller();
    for (const version of [1, 6]) {
      controller.write(raw(5, [], { version }));
      expect(await controller.next(is('error'))).toMatchObject({ errorType: 1, errorCode: 0, version: 4 });
      controller.write(raw(2, [1, 2], { version }));
      expect(await controller.next(is('echo_reply'))).toMatchObject({ data: Uint8Array.of(1, 2) });
      controller.write(raw(0, [], { version }));
    }
    await controller.barrier();
    expect(controller.messages).toEqual([]);
  });

  it('node-openflow as the controller', async () => {
    const bed = await start();
    const session = new Session(connect(Number(bed.address.split(':').at(-1)), '127.0.0.1'));
    expect(await session.ready).toBe(4);
    expect(await session.request(features)).toMatchObject({ datapathId: 1n });
    await session.barrier();
    await session.close();
  });
});
