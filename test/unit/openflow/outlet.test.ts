import { Duplex } from 'node:stream';
import { Session } from 'node-openflow';
import { expect, it } from 'vitest';
import { Event } from '../../../src/openflow/event.js';
import { Outlet } from '../../../src/openflow/outlet.js';
import { hello } from './bed.js';

it('an answer waits for what stands before it, not for the events behind it', async () => {
  const taken: (() => void)[] = [];
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => taken.push(done) });
  const session = new Session(socket);
  socket.push(hello);
  await session.ready;
  let gaveUp = false;
  const giveUp = () => {
    gaveUp = true;
  };
  const outlet = new Outlet({ session, giveUp });
  const frame = new Uint8Array(60_000);
  const facts = { totalLen: 0, reason: 0, tableId: 0, cookie: 0n, inPort: 1, match: [], isPlain: true };
  const rest = { maxLen: 0xffff, controllerId: 0, userdata: new Uint8Array(0), buffer: () => 0 };
  const form = { version: 4, nxm: false, packetInFormat: 0, missSendLen: 128 };
  const event = () => outlet.notify(new Event({ type: 'packet_in', ...facts, ...rest, frame }), form);
  for (let i = 0; i < 10; i++) event();
  outlet.send({ type: 'barrier_reply', xid: 1 });
  expect(outlet.owesTooMuch).toBe(true);
  expect(outlet.owesTooMuch).toBe(false);
  let drained = false;
  void outlet.drained().then(() => {
    drained = true;
  });
  // The peer takes one message a turn, and each time another event comes.
  for (let turn = 0; turn < 20 && !drained; turn++) {
    event();
    taken.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(drained).toBe(true);
  expect(session.writableLength).toBeGreaterThan(300_000);
  expect([gaveUp, outlet.packetInsDropped]).toEqual([false, 0]);
  await session.close();
  socket.destroy();
});
