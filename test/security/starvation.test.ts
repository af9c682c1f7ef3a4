/** Guests that give no buffers, or do not say that they gave some; and guests that shout. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmulatedGuest } from '../../src/guest/index.js';
import { address } from '../lab/xen-host.js';
import { SecurityBed } from './bed.js';
import type { HostileGuest } from './hostile-guest.js';
import { at } from './rings.js';

let bed: SecurityBed;
let hostile: HostileGuest;
let flooder: EmulatedGuest;

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
  flooder = await bed.guest(9, { queues: 1 }, 65_000);
});
afterEach(() => bed.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** To the hostile guest alone, once the switch knows where it is. */
function frameTo(guest: HostileGuest, size: number): Buffer {
  const frame = Buffer.alloc(size, 0x33);
  Buffer.from([0, 0x16, 0x3e, 0, guest.domid, 0]).copy(frame, 0);
  bed.mac(flooder).copy(frame, 6);
  frame.writeUInt16BE(0x88b5, 12);
  return frame;
}

/** The switch learns where the hostile guest is. */
async function introduce(): Promise<void> {
  const frame = Buffer.alloc(60, 0xff);
  Buffer.from([0, 0x16, 0x3e, 0, hostile.domid, 0]).copy(frame, 6);
  frame.writeUInt16BE(0x88b5, 12);
  hostile.fill(0, frame);
  hostile.send(hostile.slot(0, { size: 60 }));
  await hostile.responses(1);
}

function dropped(): bigint {
  const port = bed.bridge.ports().find(({ name }) => name === `xvif${hostile.domid}i0`);
  return port?.counters.txDropped ?? 0n;
}

/** TCP over IPv4 to be cut, as large as can be. */
function largest(): Buffer {
  const frame = frameTo(hostile, 65_535);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(65_535 - 14, 16);
  frame.writeUInt16BE(0, 20);
  frame[23] = 6;
  frame[46] = 0x50;
  return frame;
}

describe('§4.2 item 14: receive buffers that never come', () => {
  it.each([0, 1, 3])('§4.2 item 14: %i posted, ever', async (posted) => {
    await hostile.connect();
    await introduce();
    hostile.post(posted);
    const small = frameTo(hostile, 60);
    const medium = frameTo(hostile, 9000);
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (let i = 0; i < 16; i++) bed.native(flooder).sendFrame(i % 2 === 0 ? small : medium);
        await pause(1);
      }
    });
    expect(dropped()).toBeGreaterThan(0n);
    expect(hostile.rx.word(at.rspProd)).toBeLessThanOrEqual(posted);
  });

  it('§4.2 item 14: all posted, responses never looked at', async () => {
    await hostile.connect();
    await introduce();
    hostile.post(256);
    const small = frameTo(hostile, 60);
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (let i = 0; i < 32; i++) bed.native(flooder).sendFrame(small);
        await pause(1);
      }
    });
    expect(dropped()).toBeGreaterThan(0n);
    expect(hostile.rx.word(at.rspProd)).toBe(256);
  });

  it('§4.2 item 14: one fewer than the largest packet needs', async () => {
    await hostile.connect();
    await introduce();
    const frame = largest();
    const sent = () => bed.native(flooder).sendFrame(frame, { csumBlank: true, gsoSize: 1400, gsoType: 1 });
    expect(sent()).toBe(true);
    hostile.post(16); // 16 pages and the extra info
    await bed.unharmed(async (over) => {
      while (!over()) {
        sent();
        await pause(1);
      }
    });
    expect(hostile.rx.word(at.rspProd)).toBe(0);
    expect(dropped()).toBeGreaterThan(0n);
    hostile.post(1);
    await expect.poll(() => hostile.rx.word(at.rspProd), { timeout: 10_000 }).toBe(17);
  });
});

describe('§4.2 item 15: no feature-rx-notify, and never a notification', () => {
  it('§4.2 item 15: buffers are found all the same', async () => {
    await hostile.connect({ 'feature-rx-notify': undefined });
    await introduce();
    const small = frameTo(hostile, 60);
    for (let round = 0; round < 20; round++) {
      expect(bed.native(flooder).sendFrame(small)).toBe(true);
      await pause(2);
      // Posted without a word.
      hostile.rx.write(Buffer.from([0, 0, 0, 0, ...u32(hostile.buffers[0]!.rx)]));
      hostile.rx.publish();
      await expect.poll(() => hostile.rx.word(at.rspProd), { timeout: 10_000 }).toBe(round + 1);
    }
  });

  it('§4.2 item 15: nor ever a buffer', async () => {
    await hostile.connect({ 'feature-rx-notify': undefined });
    await introduce();
    const small = frameTo(hostile, 1500);
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (let i = 0; i < 16; i++) bed.native(flooder).sendFrame(small);
        await pause(1);
      }
    });
    expect(dropped()).toBeGreaterThan(0n);
  });
});

describe('§4.2 item 16: storms of notifications', () => {
  it.each(['tx', 'rx'] as const)('§4.2 item 16: %s, with nothing on the ring', async (which) => {
    await hostile.connect();
    let rounds = 0;
    await bed.unharmed(async (over) => {
      hostile.native.start([{ op: 'notify', values: [hostile.channels[which]] }]);
      while (!over()) await pause(5);
      rounds += hostile.native.stop();
    });
    expect(rounds).toBeGreaterThan(50_000);
  });

  it('§4.2 item 16: and with a request now and then', async () => {
    await hostile.connect();
    await introduce();
    await bed.unharmed(async (over) => {
      hostile.native.start([
        { op: 'notify', values: [hostile.channels.tx] },
        { op: 'notify', values: [hostile.channels.rx] },
      ]);
      while (!over()) {
        hostile.send(hostile.slot(0, { size: 60 }));
        await hostile.responses(1);
      }
      hostile.native.stop();
    });
  });
});

describe('§4.2 item 17: event channels that make no sense', () => {
  it('§4.2 item 17: one for both directions, with the keys of two', async () => {
    const channel = String(hostile.channels.tx);
    expect(await hostile.connect({ 'event-channel-tx': channel, 'event-channel-rx': channel })).toBe('4');
    await introduce();
  });

  it('§4.2 item 17: none, unknown, of another domain, in use', async () => {
    const other = await bed.hostile('other');
    expect(await other.connect()).toBe('4');
    const foreign = hostile.native.openChannel(bed.pair[0].domid);
    const inUse = hostile.channels.tx;
    const bad: [string | undefined, string][] = [
      ['0', 'must be 1..'],
      [undefined, 'is missing'],
      ['-1', 'must be 1..'],
      ['4294967295', 'must be 1..'],
      ['131072', 'must be 1..'],
      ['900', 'cannot bind'],
      [String(foreign), 'cannot bind'],
    ];
    for (const [value, sentence] of bad) {
      expect(await hostile.reconnect({ 'event-channel-rx': value }), String(value)).toBe('5');
      expect(await hostile.read(`${hostile.be}/error`)).toContain(sentence);
    }
    // A second vif of the same guest, with the channel of the first.
    expect(await hostile.reconnect()).toBe('4');
    await bed.host.toolstack.attachVif(hostile.domid, { handle: 1 });
    const second = { fe: hostile.fe.replace(/0$/, '1'), be: hostile.be.replace(/0$/, '1') };
    await expect.poll(() => hostile.read(`${second.be}/state`), { timeout: 10_000 }).toBe('2');
    await hostile.store.transaction(async (nodes) => {
      const keys = { ...hostile.keys(), 'event-channel-tx': String(inUse), state: '4' };
      for (const [key, value] of Object.entries(keys)) await nodes.write(`${second.fe}/${key}`, value);
    });
    await expect.poll(() => hostile.read(`${second.be}/state`), { timeout: 10_000 }).toBe('5');
    expect(await hostile.read(`${second.be}/error`)).toContain('cannot bind event channel');
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  });

  it('§4.2 item 17: closed during traffic', async () => {
    await bed.unharmed(async (over) => {
      while (!over()) {
        await hostile.reconnect();
        await introduce();
        hostile.native.closeChannel(hostile.channels.rx);
        for (let i = 0; i < 8; i++) bed.native(flooder).sendFrame(frameTo(hostile, 60));
        hostile.send(hostile.slot(0, { size: 60 }));
        hostile.native.closeChannel(hostile.channels.tx);
        hostile.send(hostile.slot(0, { size: 60 }));
        hostile.channels = { tx: hostile.native.openChannel(), rx: hostile.native.openChannel() };
      }
    });
    await hostile.reconnect();
    await introduce();
    const { received } = await bed
      .native(flooder)
      .ping(address(2), { count: 1, intervalMs: 1, timeoutMs: 5000, size: 8 });
    expect(received).toBe(1);
  });
});

function u32(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
}
