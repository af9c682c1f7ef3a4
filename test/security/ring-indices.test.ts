/** A guest whose ring indices make no sense. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecurityBed } from './bed.js';
import type { HostileGuest } from './hostile-guest.js';
import { at, PAGE, type RawRing, rxSlot, SLOTS } from './rings.js';

let bed: SecurityBed;
let hostile: HostileGuest;

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
});
afterEach(() => bed.stop());

/** A broadcast of an innocent guest, so that RX of the hostile one is looked at. */
async function toHostile(): Promise<void> {
  const frame = Buffer.alloc(60, 0xff);
  frame.writeUInt16BE(0x88b5, 12);
  // Its ring may be full of what it sends to the other.
  while (!bed.native(bed.pair[0]).sendFrame(frame)) await new Promise((resolve) => setTimeout(resolve, 1));
}

const jumps: Record<string, (ring: RawRing) => number> = {
  'by 257': (ring) => ring.word(at.rspProd) + 257,
  'by 2^31': (ring) => ring.word(at.rspProd) + 2 ** 31,
  backwards: (ring) => ring.word(at.rspProd) - 2,
  'to rsp_prod - 1': (ring) => ring.word(at.rspProd) - 1,
};

describe('§4.2 item 1: req_prod jumps', () => {
  it.each(Object.keys(jumps))('§4.2 item 1: tx, %s', async (name) => {
    await hostile.connect();
    await bed.unharmed(async (over) => {
      while (!over()) {
        hostile.tx.setWord(at.reqProd, jumps[name]!(hostile.tx));
        hostile.notify('tx');
        expect(await hostile.backend('5', '6')).toBe('5');
        expect(await hostile.read(`${hostile.be}/error`)).toContain('more requests than a ring holds');
        await hostile.reconnect();
      }
    });
  });

  it.each(Object.keys(jumps))('§4.2 item 1: rx, %s', async (name) => {
    await hostile.connect();
    await bed.unharmed(async (over) => {
      while (!over()) {
        hostile.rx.setWord(at.reqProd, jumps[name]!(hostile.rx));
        hostile.notify('rx');
        await toHostile();
        await hostile.backend('5', '6');
        await hostile.reconnect();
      }
    });
  });

  it('§4.2 item 1: rings that are broken when they are handed over', async () => {
    for (const [name, jump] of Object.entries(jumps)) {
      for (const which of ['tx', 'rx'] as const) {
        await hostile.reset();
        hostile.tx.init();
        hostile.rx.init();
        hostile[which].setWord(at.reqProd, jump(hostile[which]));
        await hostile.announce();
        expect(await hostile.backend('4', '5', '6'), `${which} ${name}`).toBe('5');
        expect(await hostile.read(`${hostile.be}/error`)).toContain(`the ${which} ring holds more requests`);
      }
    }
  });
});

describe('§4.2 item 2: req_prod advanced without end', () => {
  it('§4.2 item 2: within the protocol: as many requests as there is room for, always', async () => {
    await hostile.connect();
    hostile.fill(0, Buffer.alloc(60, 0xff));
    for (let i = 0; i < SLOTS; i++) hostile.tx.write(hostile.slot(0, { size: 60, id: i }));
    await bed.unharmed(async (over) => {
      hostile.native.start([
        { op: 'follow', page: hostile.tx.page, values: [SLOTS] },
        { op: 'notify', values: [hostile.channels.tx] },
      ]);
      while (!over()) await new Promise((resolve) => setTimeout(resolve, 5));
      hostile.native.stop();
    });
    // Nothing of that is forbidden.
    expect(await hostile.backend('4', '5')).toBe('4');
  });

  it('§4.2 item 2: without regard to anything', async () => {
    await hostile.connect();
    await bed.unharmed(async (over) => {
      while (!over()) {
        hostile.native.start([
          { op: 'add', page: hostile.tx.page, offset: at.reqProd, values: [1] },
          { op: 'add', page: hostile.rx.page, offset: at.reqProd, values: [1] },
          { op: 'notify', values: [hostile.channels.tx] },
        ]);
        await hostile.backend('5', '6');
        hostile.native.stop();
        await hostile.reconnect();
      }
    });
  });
});

describe('§4.2 item 3: the guest scribbles over what is ours in its page', () => {
  it('§4.2 item 3: rsp_prod, req_event and rsp_event change all the time; requests are answered all the same', async () => {
    await hostile.connect();
    hostile.fill(0, Buffer.alloc(60, 0xff));
    const own = ['rspProd', 'reqEvent', 'rspEvent'] as const;
    await bed.unharmed(async (over) => {
      hostile.native.start(
        own.flatMap((name) =>
          [hostile.tx.page, hostile.rx.page].map((page) => ({
            op: 'store' as const,
            page,
            offset: at[name],
            values: [0, 1, 17, 256, 0x7fffffff, 0x80000000, 0xffffffff],
          })),
        ),
      );
      let sent = 0;
      while (!over()) {
        hostile.send(hostile.slot(0, { size: 60, id: sent++ & 0xffff }));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      hostile.native.stop();
    });
    expect(await hostile.backend('4', '5')).toBe('4');
    // We went by our own indices: whatever stands there, the next response makes it right.
    const { prod } = hostile.tx;
    hostile.send(hostile.slot(0, { size: 60, id: 0x1234 }));
    await expect.poll(() => hostile.tx.word(at.rspProd), { timeout: 10_000 }).toBe(prod + 1);
  });
});

describe('§4.2 item 4: the ring page is made anew while in use', () => {
  it.each(['tx', 'rx'] as const)('§4.2 item 4: %s', async (which) => {
    await hostile.connect();
    hostile.fill(0, Buffer.alloc(60, 0xff));
    await bed.unharmed(async (over) => {
      while (!over()) {
        hostile.post(200);
        for (let i = 0; i < 40; i++) hostile.send(hostile.slot(0, { size: 60 }));
        await toHostile();
        await hostile.responses(40);
        await expect.poll(() => hostile.rx.word(at.rspProd), { timeout: 10_000 }).toBeGreaterThan(0);
        // All zeros: req_prod is behind what we have answered.
        hostile.native.write(hostile[which].page, 0, Buffer.alloc(PAGE));
        hostile.notify(which);
        await toHostile();
        await hostile.backend('5', '6');
        await hostile.reconnect();
      }
    });
  });

  it('§4.2 item 4: zeroed again and again by another processor while requests come', async () => {
    await hostile.connect();
    await bed.unharmed(async (over) => {
      while (!over()) {
        hostile.native.start([
          { op: 'store', page: hostile.tx.page, offset: at.reqProd, values: [0, 3, 0, 200, 0, 7] },
          { op: 'store', page: hostile.rx.page, offset: at.reqProd, values: [0, 100, 0, 200, 0, 256] },
          { op: 'store', page: hostile.rx.page, offset: at.slots, values: [0, 0xffffffff] },
        ]);
        hostile.rx.write(rxSlot(0, hostile.buffers[0]!.rx));
        for (let i = 0; i < 100 && !over(); i++) {
          hostile.notify('tx');
          await toHostile();
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        hostile.native.stop();
        await hostile.reconnect();
      }
    });
  });
});
