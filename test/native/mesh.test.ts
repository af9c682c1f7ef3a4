/** 256 guests on one switch, each reaching each other. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EmulatedGuest } from '../../src/guest/index.js';
import { address, XenHost } from '../lab/xen-host.js';

const guests = 256;
/** Guests that ping at the same time. */
const together = 16;

let xen: XenHost;
const all: EmulatedGuest[] = [];

beforeAll(async () => {
  xen = await XenHost.start(2);
  for (let n = 1; n <= guests; n += 16) {
    all.push(...(await Promise.all(Array.from({ length: 16 }, (_, i) => xen.guest(n + i)))));
  }
}, 120_000);
afterAll(() => xen?.stop(), 60_000);

it(`${guests} xvifs come up and every guest reaches every other`, async () => {
  expect(xen.ports).toBe(guests);
  const unreached: string[] = [];
  for (let from = 0; from < guests; from += together) {
    await Promise.all(
      all.slice(from, from + together).map(async (guest, i) => {
        for (let to = 1; to <= guests; to++) {
          if (to === from + i + 1) continue;
          const { received } = await guest.vifs[0]!.native!.ping(address(to), {
            count: 1,
            intervalMs: 1,
            timeoutMs: 3000,
            size: 56,
          });
          if (received !== 1) unreached.push(`${from + i + 1} → ${to}`);
        }
      }),
    );
  }
  expect(unreached).toEqual([]);
}, 180_000);
