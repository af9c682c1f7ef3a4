/** The transport over /dev/xen/xenbus, with a FIFO in the device's place: the same blocking reads of a stream. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DeviceTransport } from '../../../src/xenstore/device.js';
import { encodeMessage, joinStrings, MessageFramer, MessageType } from '../../../src/xenstore/wire.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenbus-'));
  path = join(folder, 'device');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is written to a FIFO comes back to its reader: the device answers every request with itself. */
function open(transport = DeviceTransport.open(path)) {
  const framer = new MessageFramer();
  const seen: { type: number; requestId: number }[] = [];
  let heard: () => void = () => {};
  const closed = new Promise<Error | undefined>((resolve) => {
    transport.start({
      data: (chunk) => {
        seen.push(...framer.push(chunk).map(({ type, requestId }) => ({ type, requestId })));
        heard();
      },
      drained: () => {},
      closed: resolve,
    });
  });
  const received = async (count: number) => {
    while (seen.length < count) await new Promise<void>((resolve) => (heard = resolve));
    return seen;
  };
  return { transport, received, closed };
}

const message = (requestId: number) =>
  encodeMessage({ type: MessageType.read, requestId, transactionId: 0, payload: joinStrings('domid') });

it('carries whole messages in order', async () => {
  const { transport, received, closed } = open();
  for (let id = 1; id <= 100; id++) transport.send(message(id));
  expect((await received(100)).map(({ requestId }) => requestId)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  // A reply may come before word of the write.
  await expect.poll(() => transport.queuedBytes).toBe(0);
  transport.close();
  expect(await closed).toBeUndefined();
});

it('asks one thing at a time, whatever else it hears', async () => {
  const { transport, received, closed } = open();
  const event = encodeMessage({
    type: MessageType.watchEvent,
    requestId: 0,
    transactionId: 0,
    payload: joinStrings('a', 'b'),
  });
  transport.pause();
  // The read that is under way takes the first request for its reply.
  transport.send(message(1));
  transport.send(message(2));
  transport.send(message(3));
  await received(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // The second is in the FIFO, whose answer nobody has read; the third waits.
  await expect.poll(() => transport.queuedBytes).toBe(message(3).length);
  const other = openSync(path, 'r+');
  writeSync(other, event);
  closeSync(other);
  transport.resume();
  expect((await received(4)).map(({ requestId }) => requestId)).toEqual([1, 2, 0, 3]);
  // A reply may come before word of the write.
  await expect.poll(() => transport.queuedBytes).toBe(0);
  transport.close();
  expect(await closed).toBeUndefined();
});

it('sends what waits before it ends', async () => {
  const { transport, closed } = open();
  const other = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  for (let id = 1; id <= 5; id++) transport.send(message(id));
  transport.close();
  expect(await closed).toBeUndefined();
  expect(transport.queuedBytes).toBe(0);
  closeSync(other);
});

it('ends while a read waits, which only a reply can end', async () => {
  const { transport, closed } = open();
  await new Promise((resolve) => setImmediate(resolve));
  transport.close();
  transport.close();
  transport.send(message(1));
  expect(await closed).toBeUndefined();
});

it('reads nothing while paused', async () => {
  const { transport, received, closed } = open();
  transport.send(message(1));
  await received(1);
  transport.pause();
  const other = openSync(path, constants.O_WRONLY);
  // The read that was under way takes the first; it is the last.
  writeSync(other, message(2));
  await received(2);
  writeSync(other, message(3));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await received(2)).toHaveLength(2);
  transport.resume();
  expect(await received(3)).toHaveLength(3);
  transport.close();
  expect(await closed).toBeUndefined();
});

it('a write that fails is told of while a read waits, and the descriptor goes with that read', async () => {
  const other = openSync(path, 'r+');
  const fd = openSync(path, constants.O_RDONLY);
  const { transport, closed } = open(new DeviceTransport(fd));
  await new Promise((resolve) => setImmediate(resolve));
  const file = () => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined;
    }
  };
  transport.send(message(1));
  expect(await closed).toMatchObject({ code: 'EBADF' });
  expect(file()).toBe(path);
  transport.close();
  writeSync(other, message(2));
  await expect.poll(file).not.toBe(path);
  closeSync(other);
});

it('a device that does not block is asked again', async () => {
  const nonblocking = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const { transport, received, closed } = open(new DeviceTransport(nonblocking));
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let id = 1; id <= 3; id++) {
    transport.send(message(id));
    await received(id);
  }
  transport.close();
  expect(await closed).toBeUndefined();
});

it('a device that is not there is an error of open', () => {
  expect(() => DeviceTransport.open(join(folder, 'nothing'))).toThrow('ENOENT');
});
