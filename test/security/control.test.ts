/** Control rings: hashing, steering and staging grants, as no honest frontend asks for them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecurityBed } from './bed.js';
import type { HostileGuest } from './hostile-guest.js';
import { at, RawRing, txSlot } from './rings.js';

const CTRL_SLOTS = 128;
const type = {
  getFlags: 1,
  setFlags: 2,
  setKey: 3,
  getMappingSize: 4,
  setMappingSize: 5,
  setMapping: 6,
  setAlgorithm: 7,
  getGrefs: 8,
  addGrefs: 9,
  delGrefs: 10,
} as const;
const status = { success: 0, notSupported: 1, invalid: 2, overflow: 3 } as const;
const MAPPING_MAX = 128;

let bed: SecurityBed;
let hostile: HostileGuest;
let ring: RawRing;
let channel: number;
/** A page that the backend reads lists from, and writes to. */
let list: { page: number; ref: number };

const patience = { timeout: 10_000, interval: 1 };

async function connect(): Promise<void> {
  ring.init();
  channel = hostile.native.openChannel();
  const state = await hostile.connect({ 'ctrl-ring-ref': String(ring.ref), 'event-channel-ctrl': String(channel) });
  expect(state).toBe('4');
}

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
  ring = new RawRing(hostile.native, 16, CTRL_SLOTS);
  const page = hostile.native.allocatePage();
  list = { page, ref: hostile.native.grant(page) };
  await connect();
});
afterEach(() => bed.stop());

function slot(kind: number, data: readonly number[], id = 0): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(id & 0xffff, 0);
  bytes.writeUInt16LE(kind, 2);
  for (const [i, word] of data.entries()) bytes.writeUInt32LE(word >>> 0, 4 + i * 4);
  return bytes;
}

/** Sends requests and returns the answers, in the order of the requests' ids. */
async function ask(...requests: readonly (readonly [number, ...number[]])[]) {
  for (const [id, [kind, ...data]] of requests.entries()) ring.write(slot(kind, data, id));
  ring.publish();
  hostile.native.notify(channel);
  const answers: Buffer[] = [];
  await expect.poll(() => answers.push(...ring.responses()), patience).toBe(requests.length);
  return answers
    .map((bytes) => ({
      id: bytes.readUInt16LE(0),
      type: bytes.readUInt16LE(2),
      status: bytes.readUInt32LE(4),
      data: bytes.readUInt32LE(8),
      rest: bytes.readUInt32LE(12),
    }))
    .sort((a, b) => a.id - b.id);
}

async function statusOf(kind: number, ...data: number[]): Promise<number> {
  return (await ask([kind, ...data]))[0]!.status;
}

/** Words into the list page. */
function fillList(words: readonly number[], offset = 0): void {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, i * 4);
  hostile.native.write(list.page, offset, bytes);
}

async function hash(): Promise<void> {
  expect(await statusOf(type.setAlgorithm, 1)).toBe(status.success);
  expect(await statusOf(type.setFlags, 15)).toBe(status.success);
}

describe('§4.2 item 24: requests that make no sense', () => {
  it('§4.2 item 24: mappings beyond the table, wrapped, and to queues that are not there', async () => {
    await hash();
    expect(await statusOf(type.setMappingSize, MAPPING_MAX)).toBe(status.success);
    fillList(new Array(1024).fill(0));
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (const [count, offset] of [
          [1, MAPPING_MAX],
          [MAPPING_MAX + 1, 0],
          [1, 2 ** 16],
          [2 ** 16, 0],
          [2 ** 16 + 1, 2 ** 16],
          [1, 2 ** 32 - 1],
          [2 ** 32 - 1, 1],
          [2 ** 32 - 1, 2 ** 32 - 1],
          [2 ** 31, 2 ** 31],
          [MAPPING_MAX, 1],
          [2 ** 30, 0],
        ] as const) {
          expect(await statusOf(type.setMapping, list.ref, count, offset), `${count} at ${offset}`).toBe(
            status.invalid,
          );
        }
        for (const queue of [1, 8, 255, 2 ** 32 - 1]) {
          fillList([0, queue]);
          expect(await statusOf(type.setMapping, list.ref, 2, 0), `queue ${queue}`).toBe(status.invalid);
        }
        fillList([0, 0]);
        expect(await statusOf(type.setMapping, list.ref, 2, 126)).toBe(status.success);
      }
    });
  });

  it('§4.2 item 24: sizes, keys, algorithms, flags', async () => {
    expect(await statusOf(type.setFlags, 1)).toBe(status.invalid); // no algorithm yet
    await hash();
    for (const [kind, data, expected] of [
      [type.setMappingSize, [0], status.success],
      [type.setMappingSize, [MAPPING_MAX + 1], status.invalid],
      [type.setMappingSize, [2 ** 32 - 1], status.invalid],
      [type.setKey, [list.ref, 41], status.overflow],
      [type.setKey, [list.ref, 0], status.success],
      [type.setKey, [list.ref, 2 ** 32 - 1], status.overflow],
      [type.setKey, [list.ref, 2 ** 16], status.overflow],
      [type.setKey, [list.ref, 40], status.success],
      [type.setKey, [0, 40], status.invalid],
      [type.setKey, [0xffffffff, 40], status.invalid],
      [type.setAlgorithm, [2], status.invalid],
      [type.setAlgorithm, [2 ** 32 - 1], status.invalid],
      [type.setFlags, [16], status.invalid],
      [type.setFlags, [2 ** 32 - 1], status.invalid],
    ] as const) {
      expect(await statusOf(kind, ...data), `${kind} ${data}`).toBe(expected);
    }
    const revoked = hostile.native.grant(list.page);
    expect(hostile.native.revoke(revoked)).toBe(true);
    expect(await statusOf(type.setKey, revoked, 40)).toBe(status.invalid);
    expect(await statusOf(type.setMappingSize, 4)).toBe(status.success);
    expect(await statusOf(type.setMapping, revoked, 4, 0)).toBe(status.invalid);
  });

  it('§4.2 item 24: every type there can be, a full ring in one kick', async () => {
    await bed.unharmed(async (over) => {
      for (let first = 0; first < 65_536 || !over(); first += CTRL_SLOTS) {
        const types = Array.from({ length: CTRL_SLOTS }, (_, i) => (first + i) & 0xffff);
        const answers = await ask(...types.map((kind) => [kind, 0, 0xffffffff, 0xffffffff] as const));
        expect(answers.map(({ id }) => id)).toEqual(types.map((_, i) => i));
        expect(answers.map((answer) => answer.type)).toEqual(types);
        for (const { type: kind, status: answered, rest } of answers) {
          if (kind === 0 || kind > type.delGrefs) expect(answered).toBe(status.notSupported);
          // As the guest wrote it.
          expect(rest).toBe(0xffffffff);
        }
      }
    });
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  }, 120_000);

  it.each(['beyond the ring', 'backwards'])('§4.2 item 1: req_prod of the control ring %s', async (how) => {
    await bed.unharmed(async (over) => {
      while (!over()) {
        ring.setWord(at.reqProd, how === 'backwards' ? -1 : CTRL_SLOTS + 1);
        hostile.native.notify(channel);
        expect(await hostile.backend('5', '6')).toBe('5');
        await hostile.reset();
        await connect();
      }
    });
  });
});

describe('§4.2 item 25: the mapping changes while traffic is steered by it', () => {
  it('§4.2 item 25: sizes and mappings without end, under broadcast traffic', async () => {
    await hash();
    hostile.post(200);
    const frame = Buffer.alloc(60, 0xff);
    frame.writeUInt16BE(0x0800, 12);
    frame[14] = 0x45;
    frame.writeUInt16BE(46, 16);
    await bed.unharmed(async (over) => {
      for (let i = 0; !over(); i++) {
        fillList(new Array(MAPPING_MAX).fill(i % 3));
        for (let sent = 0; sent < 4; sent++) bed.native(bed.pair[0]).sendFrame(frame);
        await ask(
          [type.setMappingSize, 1 + (i % MAPPING_MAX)],
          [type.setMapping, list.ref, 1 + (i % MAPPING_MAX), 0],
          [type.setKey, list.ref, i % 41],
          [type.setAlgorithm, i % 2],
        );
        if (hostile.rx.prod - hostile.rx.word(at.rspProd) < 100) hostile.post(100);
      }
    });
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  });
});

describe('§4.2 item 26: staging grants', () => {
  const entries = (refs: readonly number[]) => refs.flatMap((ref) => [ref, 0]);

  it('§4.2 item 26: too many, none, twice, unknown, of a ring, never added', async () => {
    const pages = hostile.buffers.map(({ rx }) => rx);
    await bed.unharmed(async (over) => {
      while (!over()) {
        expect(await statusOf(type.addGrefs, 0, list.ref, 513)).toBe(status.invalid);
        expect(await statusOf(type.addGrefs, 0, list.ref, 0)).toBe(status.invalid);
        expect(await statusOf(type.addGrefs, 0, list.ref, 2 ** 32 - 1)).toBe(status.invalid);
        expect(await statusOf(type.addGrefs, 7, list.ref, 1)).toBe(status.invalid);
        expect(await statusOf(type.addGrefs, 0, 0xffffffff, 1)).toBe(status.invalid);
        fillList(entries([pages[0]!, pages[0]!]));
        expect(await statusOf(type.addGrefs, 0, list.ref, 2)).toBe(status.invalid);
        fillList(entries([pages[0]!, 0xffffffff]));
        expect(await statusOf(type.addGrefs, 0, list.ref, 2)).toBe(status.invalid);
        fillList([pages[0]!, 0xfffe]); // unknown flags
        expect(await statusOf(type.addGrefs, 0, list.ref, 1)).toBe(status.invalid);
        fillList(entries([12345]));
        await ask([type.delGrefs, 0, list.ref, 1]);
        expect(Buffer.from(hostile.native.read(list.page, 6, 2)).readUInt16LE()).toBe(status.invalid);
        fillList(entries(pages.slice(0, 8)));
        expect(await statusOf(type.addGrefs, 0, list.ref, 8)).toBe(status.success);
        expect(await statusOf(type.addGrefs, 0, list.ref, 8), 'again').toBe(status.invalid);
        expect(await statusOf(type.delGrefs, 0, list.ref, 8)).toBe(status.success);
      }
    });
  });

  it('§4.2 item 26: a reference is used once it is deleted and its grant revoked', async () => {
    const frame = Buffer.alloc(60, 0xff);
    await bed.unharmed(async (over) => {
      while (!over()) {
        const ref = hostile.native.grant(hostile.buffers[0]!.page);
        hostile.native.write(hostile.buffers[0]!.page, 0, frame);
        fillList(entries([ref]));
        expect(await statusOf(type.addGrefs, 0, list.ref, 1)).toBe(status.success);
        expect(hostile.native.revoke(ref), 'mapped').toBe(false);
        hostile.send(txSlot({ gref: ref, size: 60 }));
        expect(await hostile.responses(1)).toMatchObject([{ status: 0 }]);
        expect(await statusOf(type.delGrefs, 0, list.ref, 1)).toBe(status.success);
        expect(hostile.native.revoke(ref), 'given back').toBe(true);
        hostile.send(txSlot({ gref: ref, size: 60 }));
        expect(await hostile.responses(1)).toMatchObject([{ status: -1 }]);
      }
    });
  });

  it('§4.2 item 26: the guest leaves and dies with pages staged', async () => {
    const before = bed.runtime.emulated.usage().grantsMapped;
    fillList(entries(hostile.buffers.map(({ rx }) => rx)));
    expect(await statusOf(type.addGrefs, 0, list.ref, hostile.buffers.length)).toBe(status.success);
    await hostile.reset();
    await expect.poll(() => bed.runtime.emulated.usage().grantsMapped, patience).toBe(before - 3);
    await connect();
    fillList(entries(hostile.buffers.map(({ rx }) => rx)));
    expect(await statusOf(type.addGrefs, 0, list.ref, hostile.buffers.length)).toBe(status.success);
    await bed.destroy(hostile);
    await expect.poll(() => bed.runtime.emulated.usage().grantsMapped, patience).toBe(before - 3);
  });
});
