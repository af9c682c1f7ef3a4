/** Controllers that do not read, do not answer, or are too many: what they cost is bounded, and only they pay. */
import { describe, expect, it, vi } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { apply, flowMod, output } from '../ofproto/bed.js';
import { type Bed, CONTROLLER_PORT, Controller, flowStats, is, raw, sleep, start, until } from './bed.js';

const KIB = 1024;
vi.mock('../../../src/openflow/limits.js', async (original) => ({
  ...(await original<typeof import('../../../src/openflow/limits.js')>()),
  STALL_MS: 300,
  UNREAD_BYTES_MAX: 4 * 1024 * 1024,
}));

const large = Uint8Array.from([...tcpFrame(), ...new Uint8Array(30_000)]);
const toController = flowMod({ instructions: [apply(output(CONTROLLER_PORT, 0xffff))] });
const statusOf = (bed: Bed, controller: Controller) =>
  bed.channels.connections.find(({ peer }) => peer.endsWith(`:${controller.socket.localPort}`));

describe('who does not read', () => {
  it('loses packet-ins, which are counted; others lose nothing', async () => {
    const bed = await start();
    const [stalled, reader] = [await bed.controller(), await bed.controller()];
    stalled.socket.pause();
    reader.send(toController);
    await reader.barrier();
    let sent = 0;
    for (; (statusOf(bed, stalled)?.packetInsDropped ?? 0) < 50 && sent < 2000; sent++) {
      bed.inject(large);
      const { data } = await reader.next(is('packet_in'));
      expect(Buffer.compare(data, large)).toBe(0);
    }
    expect(statusOf(bed, stalled)!.packetInsDropped).toBe(50);
    expect(statusOf(bed, reader)!.packetInsDropped).toBe(0);
    // What the kernel took, and one mebibyte.
    expect(sent).toBeLessThan(400);
    await reader.barrier();
    stalled.socket.resume();
    await stalled.barrier();
    expect(stalled.messages).toHaveLength(sent - 50);
  });

  it('is disconnected in the middle of a dump; the flows of the other are there in the meantime', async () => {
    const bed = await start();
    const [stalled, other] = [await bed.controller(), await bed.controller()];
    for (let i = 0; i < 2000; i++) other.send(flowMod({ priority: i }));
    await other.barrier();
    stalled.socket.pause();
    for (let i = 0; i < 200; i++) stalled.send(flowStats);
    const before = process.memoryUsage().arrayBuffers;
    let barriers = 0;
    while (statusOf(bed, stalled) !== undefined) {
      await other.barrier();
      barriers++;
    }
    expect(barriers).toBeGreaterThan(20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * KIB * KIB);
  });

  it('and asks on and on is not read from either', async () => {
    const bed = await start();
    const [stalled, other] = [await bed.controller(), await bed.controller()];
    stalled.socket.pause();
    const requests = Buffer.concat(Array.from({ length: 1000 }, () => raw(18, [0, 12, 0, 0, 0, 0, 0, 0])));
    const flood = setInterval(() => stalled.socket.writableLength < KIB * KIB && stalled.write(requests), 1);
    await until(() => statusOf(bed, stalled) === undefined, 10_000);
    clearInterval(flood);
    await other.barrier();
  });

  it('is disconnected when what it must not miss piles up', async () => {
    const bed = await start();
    const [stalled, other] = [await bed.controller(), await bed.controller()];
    stalled.socket.pause();
    for (let i = 0; i < 400 && statusOf(bed, stalled) !== undefined; i++) {
      for (let n = 0; n < 1000; n++) bed.ofproto.portAdded({ number: 9, name: 'p9', mac: '02:00:00:00:00:09' });
      await other.barrier();
      other.messages.length = 0;
    }
    expect(statusOf(bed, stalled)).toBeUndefined();
    await other.barrier();
  });
});

it('a burst within one turn of the event loop is not held against a controller that reads', async () => {
  const bed = await start();
  const controller = await bed.controller();
  controller.send(toController);
  await controller.barrier();
  const burst = 45;
  for (let i = 0; i < burst; i++) bed.inject(large);
  await until(() => controller.messages.length === burst);
  expect(statusOf(bed, controller)).toMatchObject({ packetInsDropped: 0 });
});

describe('who reads slowly while packets go up', () => {
  it('gets its flow_mods through: they do not wait for all packets to be read', async () => {
    const bed = await start();
    const controller = await bed.controller();
    controller.send(toController);
    await controller.barrier();
    controller.socket.pause();
    const storm = setInterval(() => {
      for (let i = 0; i < 5; i++) bed.inject(large);
    }, 1);
    await until(() => (bed.channels.connections[0]?.packetInsDropped ?? 0) > 0);
    const tool = await bed.controller();
    tool.send({ type: 'set_async', packetInMask: [0, 0], portStatusMask: [0, 0], flowRemovedMask: [0, 0] });
    for (const cookie of [75n, 76n, 77n]) {
      controller.send(flowMod({ cookie, tableId: 1 }));
      await until(async () => (await tool.cookies()).includes(cookie));
    }
    // Answers do wait, but what goes up meanwhile does not keep them from coming as long as something is read.
    controller.socket.on('data', () => controller.socket.pause());
    const reading = setInterval(() => controller.socket.resume(), 6);
    for (let i = 0; i < 3; i++) {
      const xid = controller.send({ type: 'barrier_request' });
      await controller.next((m) => m.type === 'barrier_reply' && m.xid === xid);
    }
    clearInterval(reading);
    clearInterval(storm);
    controller.socket.resume();
  });
});

describe('who goes away', () => {
  it('in the middle of a dump disturbs nobody', async () => {
    const bed = await start();
    const [going, staying] = [await bed.controller(), await bed.controller()];
    for (let i = 0; i < 2000; i++) going.send(flowMod({ priority: i }));
    going.send(flowStats);
    await going.next(is('multipart_reply'));
    going.socket.destroy();
    expect(await staying.ask({ type: 'get_config_request' })).toMatchObject({ missSendLen: 128 });
    await until(() => bed.channels.connections.length === 1);
  });

  it('silently is asked, then cut off', async () => {
    const bed = await start({ keepAliveMs: 60 });
    const controller = await bed.controller();
    await controller.next(is('echo_request'));
    await controller.closed;
  });

  it('who answers echo requests stays, as does who says anything', async () => {
    const bed = await start({ keepAliveMs: 100 });
    const [answering, talking] = [await bed.controller(), await bed.controller()];
    const talk = setInterval(() => talking.send({ type: 'barrier_request' }), 20);
    for (let i = 0; i < 3; i++) {
      const { xid, data } = await answering.next(is('echo_request'));
      answering.send({ type: 'echo_reply', xid, data });
    }
    clearInterval(talk);
    await answering.barrier();
    expect(talking.messages.filter(is('echo_request'))).toEqual([]);
  });

  it('nobody is asked where that is off', async () => {
    const bed = await start({ keepAliveMs: 0 });
    const controller = await bed.controller();
    await sleep(200);
    await controller.barrier();
    expect(controller.messages).toEqual([]);
  });
});

describe('too many', () => {
  it('connections to one listener are refused, and taken again when one has gone', async () => {
    const bed = await start();
    const held = await Promise.all(Array.from({ length: 64 }, () => bed.controller()));
    const refused = await Controller.open(bed.address);
    await refused.closed;
    expect(refused.messages).toEqual([]);
    expect(bed.channels.connections).toHaveLength(64);
    held[5]!.socket.destroy();
    await until(() => bed.channels.connections.length === 63);
    await (await bed.controller()).barrier();
    await Promise.all(held.filter((_, i) => i !== 5).map((controller) => controller.barrier()));
  });
});
