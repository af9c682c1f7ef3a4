/** What a guest gets to see of us: in its rings, in its pages, and in our log. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecurityBed } from './bed.js';
import type { HostileGuest } from './hostile-guest.js';
import { at, extraSlot, extraType, PAGE, rxSlot, SLOTS, txFlag } from './rings.js';

let bed: SecurityBed;
let hostile: HostileGuest;

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
  await hostile.connect();
});
afterEach(() => bed.stop());

/** All slots of a ring to a pattern of the guest. */
function paint(which: 'tx' | 'rx'): void {
  const ring = hostile[which];
  hostile.native.write(ring.page, at.slots, Buffer.alloc(SLOTS * ring.slotBytes, 0xa5));
}

describe('§4.2 item 27: every byte that is written is ours to show', () => {
  it('§4.2 item 27: behind the status of TX responses is what the guest wrote', async () => {
    paint('tx');
    hostile.fill(0, Buffer.alloc(60, 0xff));
    const sent = [
      hostile.slot(0, { size: 60, id: 0x1111 }),
      hostile.slot(0, { size: 5, id: 0x2222 }),
      hostile.slot(0, { size: 0, id: 0x3333, flags: txFlag.extra }),
      extraSlot(extraType.mcastAdd, false, [1, 0, 0x5e, 1, 2, 3]),
    ];
    hostile.send(...sent);
    const slots: Buffer[] = [];
    await expect.poll(() => slots.push(...hostile.tx.responses()), { timeout: 10_000 }).toBe(4);
    expect(slots.map((slot) => slot.subarray(4))).toEqual(sent.map((slot) => slot.subarray(4)));
    expect(slots.map((slot) => slot.readUInt16LE(0))).toEqual([0x1111, 0x2222, 0x3333, extraType.mcastAdd]);
    // What was not answered is as the guest left it.
    const rest = Buffer.from(hostile.native.read(hostile.tx.page, hostile.tx.offsetOf(4), 100 * 12));
    expect(rest).toEqual(Buffer.alloc(100 * 12, 0xa5));
  });

  it('§4.2 item 27: TX responses stay so, however often they are looked at', async () => {
    hostile.fill(0, Buffer.alloc(60, 0xff));
    let looked = 0;
    await bed.unharmed(async (over) => {
      while (!over()) {
        paint('tx');
        const sent = Array.from({ length: 64 }, (_, i) => hostile.slot(0, { size: 5 + i, id: 0x1100 + i }));
        hostile.send(...sent);
        const slots: Buffer[] = [];
        await expect.poll(() => slots.push(...hostile.tx.responses()), { timeout: 10_000, interval: 2 }).toBe(64);
        expect(slots.map((slot) => slot.subarray(4))).toEqual(sent.map((slot) => slot.subarray(4)));
        looked += slots.length;
      }
    });
    expect(looked).toBeGreaterThan(64);
  });

  it('§4.2 item 27: RX responses are whole slots, and pages hold the packet and nothing more', async () => {
    paint('rx');
    for (const { page } of hostile.buffers) hostile.native.write(page, 0, Buffer.alloc(PAGE, 0xa5));
    hostile.rx.init();
    for (let i = 0; i < 32; i++) hostile.rx.write(rxSlot(i, hostile.buffers[i]!.rx));
    hostile.rx.publish();
    hostile.notify('rx');
    const sender = await bed.guest(8, { queues: 1 }, 20_000);
    const sizes = [60, 61, 1499, 4096, 4097, 9000];
    for (const size of sizes) {
      const frame = Buffer.alloc(size, 0x42);
      frame.fill(0xff, 0, 6);
      frame.writeUInt16BE(0x88b5, 12);
      expect(bed.native(sender).sendFrame(frame)).toBe(true);
    }
    const slots: Buffer[] = [];
    const last = () => {
      slots.push(...hostile.rx.responses());
      return slots.at(-1)?.readInt16LE(6);
    };
    await expect.poll(last, { timeout: 10_000 }).toBe(9000 - 256 - 3840 - 4096);
    slots.forEach((slot, i) => {
      const [id, offset, flags, status] = [0, 2, 4, 6].map((byte) => slot.readUInt16LE(byte)) as [
        number,
        number,
        number,
        number,
      ];
      expect({ id, offset }).toEqual({ id: i, offset: 0 });
      expect(flags & ~txFlag.more).toBe(0);
      const page = Buffer.from(hostile.native.read(hostile.buffers[i]!.page, 0, PAGE));
      expect(page.subarray(status)).toEqual(Buffer.alloc(PAGE - status, 0xa5));
    });
    const lengths = slots.map((slot) => slot.readInt16LE(6));
    // What needs several slots goes by the pages of the sender, its headers first.
    expect(lengths.slice(-11)).toEqual([60, 61, 1499, 4096, 256, 3840, 1, 256, 3840, 4096, 808]);
  });
});

describe('§4.2 item 28: a guest cannot fill the log', () => {
  it('§4.2 item 28: faults and reconnects by the hundred leave few lines, and those of others are not swallowed', async () => {
    const fault = async () => {
      hostile.tx.setWord(at.reqProd, hostile.tx.word(at.rspProd) + 300);
      hostile.notify('tx');
      await hostile.backend('5', '6');
      await hostile.reconnect();
    };
    const linesOver = async (ms: number) => {
      const before = bed.log.lines.length;
      const end = performance.now() + ms;
      let faults = 0;
      while (performance.now() < end) {
        await fault();
        faults++;
      }
      return { lines: bed.log.lines.length - before, faults };
    };
    await linesOver(3000); // uses up what may come in a burst
    const { lines, faults } = await linesOver(3000);
    expect(faults).toBeGreaterThan(3);
    // Per second: one of the device, of the port, of the vif's failure, of its coming and going each.
    expect(lines).toBeLessThanOrEqual(5 * 4);

    await bed.unharmed(async (over) => {
      while (!over()) await fault();
    });
    const before = bed.log.lines.length;
    const another = await bed.guest(12);
    expect(bed.log.lines.slice(before).join('\n')).toContain(`xvif${another.domid}i0`);
  });
});
