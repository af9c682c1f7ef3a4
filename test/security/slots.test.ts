/** Slots, extra infos, ids and grants that no honest frontend writes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecurityBed } from './bed.js';
import type { HostileGuest } from './hostile-guest.js';
import { extraSlot, extraType, gsoSlot, PAGE, SLOTS, txFlag, txSlot } from './rings.js';

let bed: SecurityBed;
let hostile: HostileGuest;

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
  await hostile.connect();
});
afterEach(() => bed.stop());

const OKAY = 0;
const ERROR = -1;

/** A broadcast frame of an ethertype of nobody. */
function frame(size: number): Buffer {
  const bytes = Buffer.alloc(size, 0x5a);
  bytes.fill(0xff, 0, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  return bytes;
}

/** `count` slots of one packet, `total` bytes in the first slot's size, `each` in the others. */
function packet(count: number, total: number, each: number): Buffer[] {
  return Array.from({ length: count }, (_, i) =>
    hostile.slot(i % 32, {
      size: i === 0 ? total : each,
      flags: i + 1 < count ? txFlag.more : 0,
      id: i,
    }),
  );
}

/** Sends a packet and returns the statuses, or the fault that ended the port. */
async function outcome(...slots: readonly Buffer[]): Promise<string> {
  const before = hostile.tx.prod;
  hostile.send(...slots);
  for (;;) {
    const state = await hostile.read(`${hostile.be}/state`);
    if (state === '5') return (await hostile.read(`${hostile.be}/error`))!;
    if (hostile.tx.word(8) === before + slots.length) break;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const statuses = hostile.tx.responses().map((slot) => slot.readInt16LE(2));
  return [...new Set(statuses)].sort().join(',');
}

/** Sends packets one after the other, over and over, each met with what is expected of it. */
async function repeatedly(packets: readonly [what: string, slots: () => Buffer[], expected: string][]): Promise<void> {
  await bed.unharmed(async (over) => {
    while (!over()) {
      for (const [what, slots, expected] of packets) {
        const actual = await outcome(...slots());
        expect(`${what}: ${actual}`).toBe(`${what}: ${expected}`);
        if (!/^[-\d,]+$/.test(actual)) await hostile.reconnect();
      }
    }
  });
}

const crosses = 'the frontend sent a slot that crosses its page';
const tooMany = 'the frontend sent a packet of too many slots';
const unfinished = 'the frontend sent an unfinished packet';
const badExtra = 'the frontend sent an unknown extra info';
const badGso = 'the frontend sent an impossible segmentation offload';

describe('§4.2 item 5: another processor changes a slot between our looks at it', () => {
  it('§4.2 item 5: size, flags, reference, offset and extra type flip while the ring is served', async () => {
    for (let i = 0; i < 32; i++) hostile.fill(i, frame(PAGE));
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (let i = 0; i < SLOTS; i++) hostile.tx.write(hostile.slot(i % 32, { size: 60, id: i }));
        const words = (index: number, word: number, values: number[]) => ({
          op: 'store' as const,
          page: hostile.tx.page,
          offset: hostile.tx.offsetOf(index) + word * 4,
          values,
        });
        const good = hostile.buffers[0]!.tx;
        hostile.native.start([
          { op: 'follow', page: hostile.tx.page, values: [SLOTS] },
          ...Array.from({ length: 64 }, (_, i) => [
            words(i * 4, 0, [good, 0xffffffff, hostile.tx.ref, good, 0x00000102, good, 0x00000001]),
            words(i * 4, 1, [0, 0xfff, 0, txFlag.more << 16, 0, txFlag.extra << 16, 0, txFlag.csumBlank << 16]),
            words(i * 4, 2, [60 << 16, 0xffff0000, 13 << 16, 1500 << 16, 0, 4096 << 16]),
          ]).flat(),
          { op: 'notify', values: [hostile.channels.tx] },
        ]);
        while (!over() && (await hostile.read(`${hostile.be}/state`)) === '4') {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        hostile.native.stop();
        await hostile.reconnect();
      }
    });
  });
});

describe('§4.2 item 6: sizes, offsets and numbers of slots', () => {
  it('§4.2 item 6: offset and size beyond the page, and sums that do not fit', async () => {
    hostile.fill(0, frame(PAGE));
    await repeatedly([
      ['offset + size', () => [hostile.slot(0, { size: 100, offset: 4000 })], crosses],
      ['offset 0xffff', () => [hostile.slot(0, { size: 60, offset: 0xffff })], crosses],
      ['offset at the end', () => [hostile.slot(0, { size: 60, offset: 4036 })], `${OKAY}`],
      ['size 0', () => [hostile.slot(0, { size: 0 })], `${ERROR}`],
      ['size 0xffff in one slot', () => [hostile.slot(0, { size: 0xffff })], crosses],
      ['first size below the sum', () => packet(3, 1000, 600), `${ERROR}`],
      ['a wrapped first size', () => packet(18, (18 * 4096) & 0xffff, 4096), `${ERROR}`],
      ['first size is the sum of the others', () => packet(3, 1200, 600), `${OKAY}`],
      ['a later slot crosses', () => [...packet(2, 200, 100).slice(0, 1), hostile.slot(1, { size: 4097 })], crosses],
    ]);
  });

  it('§4.2 item 6: 18 and 19 slots pass, 20 and 21 are dropped, more end the port', async () => {
    hostile.fill(0, frame(PAGE));
    await repeatedly([
      ['18', () => packet(18, 18 * 100, 100), `${OKAY}`],
      ['19', () => packet(19, 19 * 100, 100), `${OKAY}`],
      ['20', () => packet(20, 20 * 100, 100), `${ERROR}`],
      ['21', () => packet(21, 21 * 100, 100), `${ERROR}`],
      ['22', () => packet(22, 22 * 100, 100), tooMany],
      ['255', () => packet(255, 255 * 100, 100), tooMany],
      ['more data announced, none posted', () => packet(3, 300, 100).slice(0, 2), unfinished],
    ]);
  });

  it('§4.2 item 6: a packet that never ends, and then the guest leaves', async () => {
    await bed.survives(async () => {
      for (let i = 0; i < 20; i++) {
        hostile.send(...packet(4, 400, 100).slice(0, 3));
        await hostile.reconnect();
      }
    });
  });
});

describe('§4.2 item 7: packets of tiny slots', () => {
  it('§4.2 item 7: bytes and nothings', async () => {
    hostile.fill(0, frame(PAGE));
    await repeatedly([
      ['18 slots of one byte', () => packet(18, 18, 1), `${OKAY}`],
      ['17 empty slots and one', () => [...packet(18, 60, 0)], `${OKAY}`],
      [
        'one, then 17 empty, all of it in the last',
        () =>
          [...packet(17, 60, 0), hostile.slot(17, { size: 60 })].map((slot, i, all) => {
            const copy = Buffer.from(slot);
            copy.writeUInt16LE(i + 1 < all.length ? txFlag.more : 0, 6);
            return copy;
          }),
        `${OKAY}`,
      ],
      ['13 bytes', () => packet(13, 13, 1), `${ERROR}`],
      ['14 bytes', () => packet(14, 14, 1), `${OKAY}`],
      ['59 bytes', () => packet(18, 59, 3), `${OKAY}`],
      ['127 bytes in 18 slots', () => packet(18, 127, 7), `${OKAY}`],
    ]);
  });
});

describe('§4.2 item 9: checksums left to us that cannot be made', () => {
  /** IPv4 with 20 bytes of header. */
  function ipv4(protocol: number, size: number, change: (frame: Buffer) => void = () => {}): Buffer {
    const bytes = frame(size);
    bytes.writeUInt16BE(0x0800, 12);
    bytes[14] = 0x45;
    bytes.writeUInt16BE(size - 14, 16);
    bytes.writeUInt16BE(0, 20);
    bytes[23] = protocol;
    if (protocol === 6) bytes[14 + 20 + 12] = 0x50;
    change(bytes);
    return bytes;
  }

  it('§4.2 item 9: no TCP or UDP, fragments, cut short, beyond the end', async () => {
    const blank = (bytes: Buffer) => () => {
      hostile.fill(0, bytes);
      return [hostile.slot(0, { size: bytes.length, flags: txFlag.csumBlank | txFlag.dataValidated })];
    };
    await repeatedly([
      ['UDP', blank(ipv4(17, 60)), `${OKAY}`],
      ['TCP', blank(ipv4(6, 80)), `${OKAY}`],
      ['ICMP', blank(ipv4(1, 60)), `${ERROR}`],
      ['no IP', blank(frame(60)), `${ERROR}`],
      ['ARP', blank(ipv4(17, 60, (b) => b.writeUInt16BE(0x0806, 12))), `${ERROR}`],
      ['a first fragment', blank(ipv4(17, 60, (b) => b.writeUInt16BE(0x2000, 20))), `${ERROR}`],
      ['a later fragment', blank(ipv4(17, 60, (b) => b.writeUInt16BE(0x0010, 20))), `${ERROR}`],
      ['IHL 4', blank(ipv4(17, 60, (b) => b.writeUInt8(0x44, 14))), `${ERROR}`],
      ['IHL beyond the end', blank(ipv4(17, 40, (b) => b.writeUInt8(0x4f, 14))), `${ERROR}`],
      ['TCP cut short', blank(ipv4(6, 50)), `${ERROR}`],
      ['UDP cut short', blank(ipv4(17, 40)), `${ERROR}`],
    ]);
  });
});

describe('§4.2 item 10: segmentation offload', () => {
  /** TCP over IPv4 or IPv6 with `payload` bytes, its L4 checksum blank, spread over buffers. */
  function tcp(v6: boolean, payload: number): Buffer {
    const l4 = 14 + (v6 ? 40 : 20);
    const bytes = frame(l4 + 20 + payload);
    bytes.writeUInt16BE(v6 ? 0x86dd : 0x0800, 12);
    if (v6) {
      bytes.writeUInt32BE(0x60000000, 14);
      bytes.writeUInt16BE(20 + payload, 18);
      bytes[20] = 6;
    } else {
      bytes[14] = 0x45;
      bytes.writeUInt16BE(40 + payload, 16);
      bytes.writeUInt16BE(0, 20);
      bytes[23] = 6;
    }
    bytes[l4 + 12] = 0x50;
    return bytes;
  }

  function large(bytes: Buffer, size: number, type: number, flags = txFlag.csumBlank | txFlag.dataValidated): Buffer[] {
    const count = Math.ceil(bytes.length / PAGE);
    const data = Array.from({ length: count }, (_, i) => {
      hostile.fill(i, bytes.subarray(i * PAGE, (i + 1) * PAGE));
      const more = i + 1 < count ? txFlag.more : 0;
      if (i === 0) return hostile.slot(0, { size: bytes.length, flags: flags | txFlag.extra | more });
      return hostile.slot(i, { size: Math.min(PAGE, bytes.length - i * PAGE), flags: more });
    });
    return [data[0]!, gsoSlot(size, type), ...data.slice(1)];
  }

  it('§4.2 item 10: sizes, types and frames that do not go together', async () => {
    const udp = tcp(false, 4000);
    udp[23] = 17;
    await repeatedly([
      ['size 0', () => large(tcp(false, 4000), 0, 1), badGso],
      ['size 1 of 900', () => large(tcp(false, 900), 1, 1), `${OKAY},1`],
      ['size 1 of 60000: too many pieces', () => large(tcp(false, 60_000), 1, 1), `${ERROR},1`],
      ['size 65535', () => large(tcp(false, 4000), 65_535, 1), `${OKAY},1`],
      ['size above the payload', () => large(tcp(false, 400), 500, 1), `${OKAY},1`],
      ['type 0', () => large(tcp(false, 4000), 1000, 0), badGso],
      ['type 3', () => large(tcp(false, 4000), 1000, 3), badGso],
      ['type 255', () => large(tcp(false, 4000), 1000, 255), badGso],
      ['v4 for a v6 frame', () => large(tcp(true, 4000), 1000, 1), `${ERROR},1`],
      ['v6 for a v4 frame', () => large(tcp(false, 4000), 1000, 2), `${ERROR},1`],
      ['v6', () => large(tcp(true, 4000), 1000, 2), `${OKAY},1`],
      ['without a blank checksum', () => large(tcp(false, 4000), 1000, 1, 0), `${OKAY},1`],
      ['UDP', () => large(udp, 1000, 1), `${ERROR},1`],
      ['a frame of 60 bytes', () => large(frame(60), 1000, 1), `${ERROR},1`],
      ['headers alone', () => large(tcp(false, 0), 1000, 1), `${OKAY},1`],
    ]);
  });
});

describe('§4.2 item 11: chains of extra infos', () => {
  it('§4.2 item 11: without end, of unknown types, twice, on a fragment', async () => {
    hostile.fill(0, frame(PAGE));
    const first = () => hostile.slot(0, { size: 60, flags: txFlag.extra });
    const hash = (more: boolean) => extraSlot(extraType.hash, more, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    await repeatedly([
      ['more over the whole ring', () => [first(), ...new Array(SLOTS - 1).fill(hash(true))], unfinished],
      ['a long chain that ends', () => [first(), ...new Array(100).fill(hash(true)), hash(false)], `${OKAY},1`],
      ['GSO twice', () => [first(), gsoSlot(500, 1, true), gsoSlot(1000, 1)], `${ERROR},1`],
      ['type 0', () => [first(), extraSlot(0, false)], badExtra],
      ['type 5', () => [first(), extraSlot(5, false)], badExtra],
      ['type 255', () => [first(), extraSlot(255, false)], badExtra],
      ['announced and not there', () => [first()], unfinished],
      ['HASH with junk', () => [first(), hash(false)], `${OKAY},1`],
      [
        'on a fragment: no extra info follows there',
        () => [hostile.slot(0, { size: 120, flags: txFlag.more }), hostile.slot(1, { size: 60, flags: txFlag.extra })],
        `${OKAY}`,
      ],
    ]);
  });

  it('§4.2 item 11: multicast additions without end', async () => {
    let group = 0;
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (let i = 0; i < 100; i++) {
          const address = [1, 0, 0x5e, (group >> 16) & 0x7f, (group >> 8) & 255, group++ & 255];
          hostile.tx.write(
            hostile.slot(0, { size: 0, flags: txFlag.extra }),
            extraSlot(group % 7 === 0 ? extraType.mcastDel : extraType.mcastAdd, false, address),
          );
        }
        hostile.send();
        await hostile.responses(200);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  });
});

describe('§4.2 item 12: request ids', () => {
  it('§4.2 item 12: any id, also twice, comes back as it is', async () => {
    hostile.fill(0, frame(60));
    const ids = [0, 0xffff, 0x3ff, 256, 7, 7, 7, 0x8000, 0];
    await bed.unharmed(async (over) => {
      while (!over()) {
        hostile.send(...ids.map((id) => hostile.slot(0, { size: 60, id })));
        const answered = await hostile.responses(ids.length);
        expect(answered.map(({ id }) => id).sort()).toEqual([...ids].sort());
        expect(answered.every(({ status }) => status === OKAY)).toBe(true);
      }
    });
  });
});

describe('§4.2 item 13: references', () => {
  it('§4.2 item 13: unknown, of others, revoked, for another domain, of a ring', async () => {
    const other = await bed.hostile('other');
    const foreign = hostile.native.grant(hostile.buffers[1]!.page, true, bed.pair[0].domid);
    const revoked = hostile.native.grant(hostile.buffers[1]!.page, true);
    expect(hostile.native.revoke(revoked)).toBe(true);
    hostile.fill(0, frame(PAGE));
    const of = (gref: number) => () => [txSlot({ gref, size: 300 })];
    await repeatedly([
      ['0', of(0), `${ERROR}`],
      ['a reserved one', of(7), `${ERROR}`],
      ['beyond the table', of(1_000_000), `${ERROR}`],
      ['0xffffffff', of(0xffffffff), `${ERROR}`],
      ['revoked', of(revoked), `${ERROR}`],
      ['granted to another domain', of(foreign), `${ERROR}`],
      ['one that only another domain has', of(other.buffers.at(-1)!.rx + 500), `${ERROR}`],
      ['the ring itself', of(hostile.tx.ref), `${OKAY}`],
      [
        'the same for all slots',
        () =>
          packet(18, 1800, 100).map((slot) => {
            const copy = Buffer.from(slot);
            copy.writeUInt32LE(hostile.buffers[0]!.tx, 0);
            return copy;
          }),
        `${OKAY}`,
      ],
    ]);
  });

  it('§4.2 item 13: a receive buffer that may not be written, and one that is a ring', async () => {
    const { rx } = hostile;
    const broadcast = frame(400);
    await bed.unharmed(async (over) => {
      while (!over()) {
        // Read-only, revoked, somebody else's, the rings.
        for (const gref of [hostile.buffers[0]!.tx, 0xffffffff, 8_000, hostile.rx.ref, hostile.tx.ref]) {
          const slot = Buffer.alloc(8);
          slot.writeUInt32LE(gref, 4);
          rx.write(slot);
        }
        rx.publish();
        hostile.notify('rx');
        for (let i = 0; i < 5; i++) bed.native(bed.pair[0]).sendFrame(broadcast);
        await new Promise((resolve) => setTimeout(resolve, 5));
        if ((await hostile.read(`${hostile.be}/state`)) !== '4') await hostile.reconnect();
        else if (rx.prod - rx.word(8) > 200) await hostile.reconnect();
      }
    });
  });

  it('§4.2 item 13: revoked while in use', async () => {
    for (let i = 0; i < 32; i++) hostile.fill(i, frame(PAGE));
    await bed.unharmed(async (over) => {
      while (!over()) {
        const refs = hostile.buffers.map(({ page }) => hostile.native.grant(page, true));
        hostile.send(...refs.map((gref) => txSlot({ gref, size: 3000 })));
        for (const ref of refs) expect(hostile.native.revoke(ref)).toBe(true);
        // Each was either copied before or refused.
        for (const { status } of await hostile.responses(refs.length)) expect([OKAY, ERROR]).toContain(status);
      }
    });
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  });
});
