import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorName, type MessageOf, type Outgoing } from 'node-openflow';
import { afterEach, describe, expect, it } from 'vitest';
import { STANDALONE_COOKIE } from '../../../src/ofproto/index.js';
import { parseTarget } from '../../../src/openflow/index.js';
import { tcpFrame } from '../../differential/frames.js';
import { apply, flowMod, output } from '../ofproto/bed.js';
import { Bed, Controller, hello, raw } from './bed.js';

const CONTROLLER_PORT = 0xfffffffd;
const ANY = 0xffffffff;
const running: Bed[] = [];
const folders: string[] = [];
async function start(...args: Parameters<typeof Bed.start>): Promise<Bed> {
  const bed = await Bed.start(...args);
  running.push(bed);
  return bed;
}
function folder(): string {
  folders.push(mkdtempSync(join(tmpdir(), 'xvif-openflow-')));
  return folders.at(-1)!;
}
afterEach(async () => {
  for (const bed of running.splice(0)) await bed.stop();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

const nameOf = (message: { readonly type: string }) => {
  const { errorType, errorCode } = message as MessageOf<'error'>;
  return message.type === 'error' ? errorName(errorType, errorCode) : message.type;
};
const flowStats: Outgoing = {
  type: 'multipart_request',
  flags: 0,
  body: { type: 'flow', tableId: 255, outPort: ANY, outGroup: ANY, cookie: 0n, cookieMask: 0n, match: [] },
};
const role = (number: number, generationId = 0n): Outgoing => ({ type: 'role_request', role: number, generationId });
const [EQUAL, MASTER, SLAVE] = [1, 2, 3];
const portStatus = (m: { readonly type: string }) => m.type === 'port_status';
const packetIn = (m: { readonly type: string }) => m.type === 'packet_in';

describe('hello (§6.3.1)', () => {
  it.each([
    ['a bitmap', hello],
    ['no bitmap', raw(0)],
    ['a higher version and a bitmap', raw(0, [0, 1, 0, 8, 0, 0, 0, 0x50], { version: 6 })],
    ['a higher version without bitmap', raw(0, [], { version: 5 })],
  ])('1.3 by %s', async (_, greeting) => {
    const bed = await start();
    const controller = await Controller.connect(bed.address, greeting);
    expect(await controller.ask({ type: 'features_request' })).toMatchObject({
      type: 'features_reply',
      version: 4,
      datapathId: 1n,
    });
  });
  it('OFPHFC_INCOMPATIBLE, and the connection is closed', async () => {
    const bed = await start();
    const controller = await Controller.connect(bed.address, raw(0, [], { version: 1 }));
    expect(nameOf(await controller.next((m) => m.type === 'error'))).toBe('OFPHFC_INCOMPATIBLE');
    await controller.closed;
  });
});

describe('what is malformed', () => {
  it.each([
    ['OFPBRC_BAD_TYPE', raw(77)],
    ['OFPBRC_BAD_VERSION', raw(5, [], { version: 1 })],
    ['OFPBRC_BAD_LEN', raw(14, [1, 2, 3])],
    ['OFPBRC_BAD_LEN', raw(20, [1])],
    ['OFPBRC_BAD_MULTIPART', raw(18, [0, 99, 0, 0, 0, 0, 0, 0])],
    ['OFPBRC_BAD_EXPERIMENTER', raw(4, [0, 0, 0x23, 0x20, 0, 0, 0, 1])],
    ['OFPBMC_BAD_LEN', raw(14, [...new Array<number>(40).fill(0), 0, 1, 0, 200, 0, 0, 0, 0])],
  ])('%s is answered with the xid and what was sent; the connection stays', async (expected, bytes) => {
    const bed = await start();
    const controller = await Controller.connect(bed.address);
    controller.write(bytes);
    const error = await controller.next<MessageOf<'error'>>((m) => m.type === 'error');
    expect(nameOf(error)).toBe(expected);
    expect(error.xid).toBe(0x01020304);
    expect(error.data).toEqual(bytes.slice(0, 64));
    await controller.barrier();
  });
  it('a length below 8 ends the connection, and no other', async () => {
    const bed = await start();
    const [bad, good] = [await Controller.connect(bed.address), await Controller.connect(bed.address)];
    bad.write(raw(2, [], { length: 4 }));
    await bad.closed;
    await good.barrier();
  });
  it('64 KiB in one message, and messages byte by byte', async () => {
    const bed = await start();
    const controller = await Controller.connect(bed.address);
    const data = new Uint8Array(65_527).fill(7);
    expect(await controller.ask({ type: 'echo_request', data })).toMatchObject({ type: 'echo_reply', data });
    for (const byte of raw(20)) {
      controller.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await controller.next((m) => m.type === 'barrier_reply');
  });
  it('garbage instead of a hello', async () => {
    const bed = await start();
    const controller = await Controller.connect(bed.address, raw(77, [1, 2, 3], { version: 200 }));
    await controller.closed;
    await (await Controller.connect(bed.address)).barrier();
  });
});

describe('order', () => {
  it('a barrier is answered when all before it is in force', async () => {
    const bed = await start();
    const controller = await Controller.connect(bed.address);
    for (let i = 0; i < 3000; i++) controller.send(flowMod({ priority: i }));
    const bad = controller.send(flowMod({ tableId: 254 }));
    const barrier = controller.send({ type: 'barrier_request' });
    await controller.next((m) => m.xid === barrier);
    expect(controller.messages.map(({ xid }) => xid)).toEqual([bad]);
    controller.messages.length = 0;
    const dump = controller.send(flowStats);
    const after = controller.send({ type: 'barrier_request' });
    await controller.next((m) => m.xid === after);
    const parts = controller.messages.filter((m) => m.xid === dump) as MessageOf<'multipart_reply'>[];
    expect(parts.reduce((sum, { body }) => sum + (body.type === 'flow' ? body.entries.length : 0), 0)).toBe(3000);
    expect(parts.map(({ flags }) => flags)).toEqual([...parts.slice(1).map(() => 1), 0]);
  });
  it('a controller that goes in the middle of a dump disturbs nobody', async () => {
    const bed = await start();
    const [going, staying] = [await Controller.connect(bed.address), await Controller.connect(bed.address)];
    for (let i = 0; i < 2000; i++) going.send(flowMod({ priority: i }));
    going.send(flowStats);
    await going.next((m) => m.type === 'multipart_reply');
    going.socket.destroy();
    expect(await staying.ask({ type: 'get_config_request' })).toMatchObject({ missSendLen: 128 });
  });
});

describe('roles (§6.3.6)', () => {
  it('one master; slaves may read but not change; stale generations are refused', async () => {
    const bed = await start();
    const [a, b] = [await Controller.connect(bed.address), await Controller.connect(bed.address)];
    expect(await a.ask(role(MASTER, 5n))).toMatchObject({ type: 'role_reply', role: MASTER, generationId: 5n });
    expect(await b.ask(role(MASTER, 6n))).toMatchObject({ role: MASTER });
    expect(await a.ask(role(0))).toMatchObject({ role: SLAVE, generationId: 6n });
    const hwAddr = new Uint8Array(6);
    const changes: Outgoing[] = [
      flowMod(),
      { type: 'group_mod', command: 2, groupType: 0, groupId: 1, buckets: [] },
      { type: 'meter_mod', command: 2, flags: 1, meterId: 1, bands: [] },
      { type: 'port_mod', portNo: 1, hwAddr, config: 0, mask: 0, advertise: 0 },
      { type: 'table_mod', tableId: 0, config: 0 },
      { type: 'packet_out', bufferId: ANY, inPort: CONTROLLER_PORT, actions: [], data: new Uint8Array(60) },
    ];
    for (const change of changes) expect(nameOf(await a.ask(change))).toBe('OFPBRC_IS_SLAVE');
    expect(nameOf(await a.ask(flowStats))).toBe('multipart_reply');
    expect(nameOf(await a.ask(role(MASTER, 4n)))).toBe('OFPRRFC_STALE');
    expect(nameOf(await a.ask(role(9, 7n)))).toBe('OFPRRFC_BAD_ROLE');
    expect(await a.ask(role(EQUAL))).toMatchObject({ role: EQUAL });
    a.send(flowMod());
    await a.barrier();
    expect(a.messages).toEqual([]);
  });
});

describe('events', () => {
  it('go to masters and equals; a slave hears of ports', async () => {
    const bed = await start();
    const [a, b] = [await Controller.connect(bed.address), await Controller.connect(bed.address)];
    await b.ask(role(SLAVE, 1n));
    a.send(flowMod({ instructions: [apply(output(CONTROLLER_PORT, 0xffff))] }));
    await a.barrier();
    bed.inject(tcpFrame());
    bed.ofproto.portAdded({ number: 9, name: 'p9', mac: '02:00:00:00:00:09' });
    expect(await a.next(packetIn)).toMatchObject({ data: tcpFrame() });
    await a.next(portStatus);
    await b.next(portStatus);
    expect(b.messages.filter(packetIn)).toEqual([]);
  });
  it('masks (§7.3.10)', async () => {
    const bed = await start();
    const controller = await Controller.connect(bed.address);
    const masks = { packetInMask: [0, 0], portStatusMask: [1, 2], flowRemovedMask: [3, 4] } as const;
    controller.send({ type: 'set_async', ...masks });
    expect(await controller.ask({ type: 'get_async_request' })).toMatchObject({ type: 'get_async_reply', ...masks });
    controller.send(flowMod({ instructions: [apply(output(CONTROLLER_PORT))] }));
    await controller.barrier();
    bed.inject(tcpFrame());
    bed.ofproto.portAdded({ number: 9, name: 'p9', mac: '02:00:00:00:00:09' });
    bed.ofproto.portRemoved(9);
    await controller.next(portStatus);
    await controller.barrier();
    expect(controller.messages).toEqual([]);
  });
});

describe('controllers that do not behave', () => {
  it('silence is asked about, then the connection is cut', async () => {
    const bed = await start({ keepAliveMs: 60 });
    const controller = await Controller.connect(bed.address);
    await controller.next((m) => m.type === 'echo_request');
    await controller.closed;
  });
  it('who answers echo requests stays', async () => {
    const bed = await start({ keepAliveMs: 60 });
    const controller = await Controller.connect(bed.address);
    for (let i = 0; i < 3; i++) {
      const { xid, data } = await controller.next<MessageOf<'echo_request'>>((m) => m.type === 'echo_request');
      controller.send({ type: 'echo_reply', xid, data });
    }
    await controller.barrier();
  });
  it('who does not read loses packet-ins, and others nothing', async () => {
    const bed = await start();
    const [stalled, reader] = [await Controller.connect(bed.address), await Controller.connect(bed.address)];
    stalled.socket.pause();
    reader.send(flowMod({ instructions: [apply(output(CONTROLLER_PORT, 0xffff))] }));
    await reader.barrier();
    const large = Uint8Array.from([...tcpFrame(), ...new Uint8Array(30_000)]);
    let sent = 0;
    const dropped = () => bed.channels.connections.reduce((sum, { packetInsDropped }) => sum + packetInsDropped, 0);
    while (dropped() === 0 && sent < 2000) {
      bed.inject(large);
      sent++;
      await reader.next(packetIn);
    }
    expect(dropped()).toBeGreaterThan(0);
    expect(sent).toBeLessThan(2000);
    await reader.barrier();
  });
});

describe('connections that we make', () => {
  it('are made again within a second, and several at once', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const until = async (count: number) => {
      const end = Date.now() + 3000;
      while (sockets.length < count && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
      return sockets.length;
    };
    const bed = await start({ controllers: [`tcp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`], listen: [] });
    expect(await until(2)).toBe(2);
    const first = new Controller(sockets[0]!);
    first.write(hello);
    await first.next((m) => m.type === 'hello');
    await first.barrier();
    expect(bed.channels.controllers.filter(({ connected }) => connected)).toHaveLength(1);
    const before = Date.now();
    sockets[0]!.destroy();
    expect(await until(3)).toBe(3);
    expect(Date.now() - before).toBeLessThan(1500);
    await bed.channels.stop();
    server.close();
  });
  it('say why there is none', async () => {
    const bed = await start({ controllers: ['tcp:127.0.0.1:1'], listen: [] });
    const end = Date.now() + 3000;
    while (bed.channels.controllers[0]!.lastError === undefined && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(bed.channels.controllers).toMatchObject([
      { connected: false, lastError: expect.stringContaining('ECONNREFUSED') },
    ]);
  });
});

describe('unix sockets', () => {
  it('are for the owner only, replace a stale one, and respect a live one', async () => {
    const path = join(folder(), 'br0.mgmt');
    const bed = await start({ listen: [], management: [`punix:${path}`] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(start({ listen: [`punix:${path}`] })).rejects.toThrow('another process');
    await (await Controller.connect(bed.address)).barrier();
    const file = join(folder(), 'file');
    writeFileSync(file, 'x');
    await expect(start({ listen: [`punix:${file}`] })).rejects.toThrow('not a socket');
  });
  it('of tools carry events only to who asks', async () => {
    const bed = await start({ listen: [], management: [`punix:${join(folder(), 'm')}`] });
    const tool = await Controller.connect(bed.address);
    tool.send(flowMod({ instructions: [apply(output(CONTROLLER_PORT, 0xffff))] }));
    await tool.barrier();
    bed.inject(tcpFrame());
    await tool.barrier();
    expect(tool.messages).toEqual([]);
    tool.send({ type: 'set_config', flags: 0, missSendLen: 0xffff });
    await tool.barrier();
    bed.inject(tcpFrame());
    await tool.next(packetIn);
  });
});

describe('fail-mode standalone (§6.3.2)', () => {
  const cookies = async (tool: Controller) => {
    const { body } = (await tool.ask(flowStats)) as MessageOf<'multipart_reply'>;
    return body.type === 'flow' ? body.entries.map(({ cookie }) => cookie) : [];
  };
  it('switches by itself when no controller is there for a while, and stops when one is', async () => {
    const path = join(folder(), 'm');
    const bed = await start({
      failMode: 'standalone',
      management: [`punix:${path}`],
      controllers: ['tcp:127.0.0.1:1'],
      keepAliveMs: 300,
    });
    const tool = await Controller.connect(`unix:${path}`);
    expect(await cookies(tool)).toEqual([]);
    const end = Date.now() + 3000;
    while ((await cookies(tool)).length === 0 && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await cookies(tool)).toEqual([STANDALONE_COOKIE]);
    const controller = await Controller.connect(bed.address);
    await controller.barrier();
    expect(await cookies(tool)).toEqual([]);
  });
});

describe('targets', () => {
  it.each([
    ['tcp:10.0.0.1', { kind: 'tcp', host: '10.0.0.1', port: 6653 }],
    ['tcp:[fd00::1]:6633', { kind: 'tcp', host: 'fd00::1', port: 6633 }],
    ['ptcp:', { kind: 'ptcp', host: '0.0.0.0', port: 6653 }],
    ['ptcp:6633:127.0.0.1', { kind: 'ptcp', host: '127.0.0.1', port: 6633 }],
    ['unix:/run/x', { kind: 'unix', path: '/run/x' }],
    ['punix:/run/x', { kind: 'punix', path: '/run/x' }],
  ])('%s', (text, expected) => {
    expect(parseTarget(text)).toEqual(expected);
  });
  it.each(['', 'tcp:', 'tcp:h:99999', 'udp:h:1', 'unix:', 'ptcp:x', 'ssl:h:1'])('refuses "%s"', (text) => {
    expect(() => parseTarget(text)).toThrow();
  });
});
