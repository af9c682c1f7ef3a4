import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BackendNode } from '../../../src/xenbus/backend-node.js';
import { XenstoreClient } from '../../../src/xenstore/index.js';
import type { TransportListener, XenstoreTransport } from '../../../src/xenstore/transport.js';
import { encodeMessage, joinStrings, MessageType } from '../../../src/xenstore/wire.js';
import { BE, Bed, DOMID, FE } from './bed.js';

let bed: Bed;
let node: BackendNode;

beforeEach(() => {
  bed = new Bed();
  node = new BackendNode(bed.store, { type: 'toy', domid: DOMID, id: 3, backendPath: BE, frontendPath: FE });
});
afterEach(() => bed.close());

it('an error that xenstore has no room for is not written, and nothing fails', async () => {
  await bed.plug({ state: '4' });
  await node.observe();
  const answer = (bytes: Buffer) => (bytes.toString().includes('/error\0') ? 'EQUOTA' : undefined);
  const full = new BackendNode(new XenstoreClient(refusing(bed.xenstore.connect(0), answer)), {
    type: 'toy',
    domid: DOMID,
    id: 3,
    backendPath: BE,
    frontendPath: FE,
  });
  await full.observe();
  await full.writeError('reason');
  expect(await bed.toolstack.readOrUndefined(`${BE}/error`)).toBeUndefined();
  expect(await full.writeState(5)).toBe(true);
  expect(await bed.backendState()).toBe('5');
  await full.removeError();
});

/** Answers writes with an error where `answer` says so. */
function refusing(transport: XenstoreTransport, answer: (bytes: Buffer) => string | undefined): XenstoreTransport {
  let listener: TransportListener | undefined;
  return Object.assign(Object.create(transport) as XenstoreTransport, {
    start(to: TransportListener) {
      listener = to;
      transport.start(to);
    },
    close: () => transport.close(),
    send(bytes: Buffer) {
      const error = bytes.readUInt32LE(0) === MessageType.write ? answer(bytes) : undefined;
      if (error === undefined) return transport.send(bytes);
      const reply = { type: MessageType.error, requestId: bytes.readUInt32LE(4), transactionId: 0 };
      setImmediate(() => listener!.data(encodeMessage({ ...reply, payload: joinStrings(error) })));
    },
  });
}

describe('a decision is written only where it was made', () => {
  it('not into a directory that was made anew since', async () => {
    await bed.plug({ state: '4', 'hotplug-status': 'connected' });
    await node.observe();
    await bed.toolstack.rm(BE);
    await bed.plug({ 'hotplug-status': '' });
    expect(await node.writeState(5, { key: 'old' })).toBe(false);
    await node.writeError('old');
    await node.removeHotplugStatus();
    expect((await bed.toolstack.directory(BE)).sort()).toEqual(['hotplug-status', 'online', 'state']);
    expect(await bed.backendState()).toBe('1');
    await node.observe();
    expect(await node.writeState(2, { key: 'new' })).toBe(true);
    expect(await bed.backendState()).toBe('2');
  });

  it('nor when that happens while the write is under way', async () => {
    await bed.plug({ state: '4' });
    await node.observe();
    const transaction = bed.store.transaction.bind(bed.store);
    let attempts = 0;
    Object.assign(bed.store, {
      transaction: (body: Parameters<typeof transaction>[0]) =>
        transaction(async (nodes) => {
          const result = await body(nodes);
          // Between the write and its commit, which therefore fails and is tried again.
          if (attempts++ === 0) {
            await bed.toolstack.rm(BE);
            await bed.plug();
          }
          return result;
        }),
    });
    expect(await node.writeState(5)).toBe(false);
    expect(attempts).toBe(2);
    expect(await bed.backendState()).toBe('1');
  });

  it('nor into one that is gone', async () => {
    await bed.plug();
    await node.observe();
    await bed.toolstack.rm(BE);
    expect(await node.writeState(2)).toBe(false);
    expect(await bed.backendState()).toBeUndefined();
  });

  it('what was written counts as seen', async () => {
    await bed.plug();
    await node.observe();
    expect(await node.writeState(2)).toBe(true);
    expect(await node.writeState(4)).toBe(true);
    expect(await bed.backendState()).toBe('4');
  });
});

it('errors that a daemon before us left go when the frontend connects', async () => {
  const own = '/local/domain/0/error/backend/toy/7/3';
  await bed.plug({ state: '2', error: 'old' });
  await bed.toolstack.write(`${own}/error`, 'old');
  await bed.bus.start();
  await bed.connectWell('1');
  expect(await bed.toolstack.readOrUndefined(`${BE}/error`)).toBeUndefined();
  expect(await bed.toolstack.directoryOrEmpty('/local/domain/0/error/backend/toy')).toEqual([]);
});

it('an error of a device made anew goes with it, however short it lived since', async () => {
  const own = '/local/domain/0/error/backend/toy/7/3/error';
  await bed.plug();
  await bed.bus.start();
  await bed.until('2');
  await bed.guest.write(`${FE}/state`, 'nonsense');
  await expect.poll(() => bed.toolstack.readOrUndefined(own)).toBeDefined();
  await bed.toolstack.transaction(async (nodes) => {
    await nodes.write(`${BE}/state`, '1');
    await nodes.rm(FE);
  });
  // Waits for a frontend now, as one just found.
  await expect.poll(() => bed.bus.device(7, 3)?.phase).toBe('new');
  await bed.toolstack.rm(BE);
  await expect.poll(() => bed.bus.devices).toEqual([]);
  expect(await bed.toolstack.directoryOrEmpty('/local/domain/0/error/backend/toy')).toEqual([]);
});
