/** Guests that close, reopen, are unplugged and die while others talk: nothing leaks, the others' traffic goes on. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmulatedGuest } from '../../src/guest/index.js';
import { eventually } from '../lab/process.js';
import { address, XenHost } from '../lab/xen-host.js';

let xen: XenHost;
let steady: readonly [EmulatedGuest, EmulatedGuest];

beforeEach(async () => {
  xen = await XenHost.start(2);
  steady = [await xen.guest(1), await xen.guest(2)];
});
afterEach(() => xen.stop());

const native = (guest: EmulatedGuest) => guest.vifs[0]!.native!;

/** Does `disturb` while guest 1 pings guest 2 every millisecond, from before it to after it; no ping may be lost. */
async function meanwhile(disturb: () => Promise<void>): Promise<void> {
  let over = false;
  let pings = 0;
  const disturbing = disturb().finally(() => {
    over = true;
  });
  while (!over || pings < 200) {
    const { sent, received } = await native(steady[0]).ping(address(2), {
      count: 100,
      intervalMs: 1,
      timeoutMs: 10_000,
      size: 56,
    });
    expect({ sent, received }).toEqual({ sent: 100, received: 100 });
    pings += sent;
  }
  await disturbing;
}

async function pingOnce(from: EmulatedGuest, to: number): Promise<boolean> {
  return (await native(from).ping(address(to), { count: 1, intervalMs: 1, timeoutMs: 1000, size: 56 })).received === 1;
}

function usage() {
  const { domains, grantsGranted, grantsMapped, evtchns, threads } = xen.runtime.emulated.usage();
  return { domains, grantsGranted, grantsMapped, evtchns, threads, osThreads: readdirSync('/proc/self/task').length };
}

/** What is in use returns to `before`. */
async function nothingLeft(before: ReturnType<typeof usage>): Promise<void> {
  await eventually(
    'everything is given back',
    async () => JSON.stringify(usage()) === JSON.stringify(before),
    5000,
  ).catch(() => expect(usage()).toEqual(before));
}

describe('a guest under traffic', () => {
  it('closes and reopens its device', async () => {
    const guest = await xen.guest(3);
    native(guest).startTraffic({ address: address(2), port: 9, frameSize: 64, pps: 20_000 });
    const before = usage();
    await meanwhile(async () => {
      for (let i = 0; i < 10; i++) {
        await guest.vifs[0]!.close();
        await guest.vifs[0]!.reopen();
        await guest.vifs[0]!.waitConnected();
      }
    });
    expect(await pingOnce(guest, 1)).toBe(true);
    await nothingLeft(before);
  });

  it('reconnects without closing first, as after a crash of its kernel', async () => {
    const guest = await xen.guest(3);
    const before = usage();
    await meanwhile(async () => {
      for (let i = 0; i < 5; i++) await guest.vifs[0]!.restartAbruptly();
      await guest.vifs[0]!.waitConnected();
    });
    expect(await pingOnce(guest, 1)).toBe(true);
    await nothingLeft(before);
  });

  it('is unplugged and plugged again', async () => {
    const before = usage();
    await meanwhile(async () => {
      const guest = await xen.guest(3);
      const config = { stack: { kind: 'builtin', ipv4: address(3) }, personality: { queues: 4 } } as const;
      for (let i = 0; i < 5; i++) {
        native(guest).startTraffic({ address: address(2), port: 9, frameSize: 1400, pps: 0 });
        await xen.host.removeVif(guest.domid, guest.vifs[0]!.handle);
        await xen.host.addVif(guest.domid, config);
        await guest.vifs[0]!.waitConnected();
      }
      expect(await pingOnce(guest, 1)).toBe(true);
      await xen.host.destroyGuest(guest.domid);
    });
    await nothingLeft(before);
  });

  it('dies in the middle of traffic, ten times', async () => {
    const before = usage();
    const store = xen.host.xenstore.usage();
    await meanwhile(async () => {
      for (let i = 0; i < 10; i++) {
        const guest = await xen.guest(3, { queues: 2 });
        native(guest).startTraffic({ address: address(2), port: 9, frameSize: 1400, pps: 0 });
        native(steady[0]).startTraffic({ address: address(3), port: 9, frameSize: 1400, pps: 10_000 });
        await new Promise((resolve) => setTimeout(resolve, 20));
        await xen.host.destroyGuest(guest.domid);
        native(steady[0]).stopTraffic();
      }
    });
    await eventually('its port is gone', async () => xen.ports === 2);
    await nothingLeft(before);
    // A domain's watch is given back without anybody waiting for it.
    await expect.poll(() => xen.host.xenstore.usage()).toEqual(store);
  });

  it('memory does not grow over 400 attaches and detaches', async () => {
    const cycle = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const guest = await xen.guest(3);
        await xen.host.destroyGuest(guest.domid);
      }
      await eventually('its port is gone', async () => xen.ports === 2);
      globalThis.gc?.();
      return process.memoryUsage().rss;
    };
    await cycle(100);
    const before = usage();
    const rss = await cycle(100);
    const later = await cycle(200);
    await nothingLeft(before);
    // What one vif leaves behind would show 200 times; the rest is the garbage collector's slack.
    expect((later - rss) / 200).toBeLessThan(64 << 10);
  }, 60_000);
});
