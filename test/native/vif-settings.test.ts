/** Settings of vifs from the keys in xenstore to the frames, live, with another pair's traffic alive. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeFrontend } from '../../src/datapath/native-addon.js';
import type { EmulatedGuest, GuestFrontend } from '../../src/guest/index.js';
import { address, XenHost } from '../lab/xen-host.js';

let host: XenHost;
let guests: EmulatedGuest[];

beforeAll(async () => {
  host = await XenHost.start(2);
  guests = [];
  for (let n = 1; n <= 4; n++) guests.push(await host.guest(n));
});
afterAll(() => host.stop());

const vif = (n: number): GuestFrontend => guests[n - 1]!.vifs[0]!;
const native = (n: number) => vif(n).native!;
const toolstack = (n: number, key: string, value: string | undefined) =>
  host.host.toolstack.setKey(guests[n - 1]!.domid, 0, key, value);

/** Guests 3 and 4 are the other pair. */
async function othersAreWell(): Promise<void> {
  const { received } = await native(3).ping(address(4), { count: 5, intervalMs: 5, timeoutMs: 5000, size: 1000 });
  expect(received).toBe(5);
}

async function reaches(from: number, to: number): Promise<number> {
  return (await native(from).ping(address(to), { count: 5, intervalMs: 5, timeoutMs: 5000, size: 56 })).received;
}

function mac(n: number): string {
  return host.host.toolstack.list().find(({ domid }) => domid === guests[n - 1]!.domid)!.vifs[0]!.mac;
}

/** A frame of 100 bytes of an ethertype of nobody, from guest `from`. */
function frame(from: number, to: string, size = 100): Uint8Array {
  const bytes = new Uint8Array(size);
  const put = (at: number, text: string) => {
    text.split(':').forEach((byte, index) => {
      bytes[at + index] = Number.parseInt(byte, 16);
    });
  };
  put(0, to);
  put(6, mac(from));
  bytes[12] = 0x88;
  bytes[13] = 0xb5;
  return bytes;
}

type Taken = ReturnType<NativeFrontend['takeFrames']>[number];

const isOurs = ({ frame: bytes }: { frame: Uint8Array }) => bytes[12] === 0x88 && bytes[13] === 0xb5;

/** What guest `n` took of `wanted`, once `last` is among it. */
async function takeUntil(
  n: number,
  wanted: (frame: Taken) => boolean,
  last: (frame: Taken) => boolean,
): Promise<Taken[]> {
  const got: Taken[] = [];
  const more = () => {
    got.push(...native(n).takeFrames().filter(wanted));
    return got.some(last);
  };
  await expect.poll(more, { timeout: 10_000 }).toBe(true);
  return got;
}

/** Whether guest 2 gets a frame of guest 1; the unicast frame behind it tells that it is through, or not. */
async function arrives(to: string, size = 100): Promise<boolean> {
  native(1).sendFrame(frame(1, to, size));
  native(1).sendFrame(frame(1, mac(2), 90));
  const got = await takeUntil(2, isOurs, (taken) => taken.frame.length === 90);
  return got.some((taken) => taken.frame.length === size);
}

const settings = (n: number) => {
  const lifecycle = host.backend.vif({ domid: guests[n - 1]!.domid, handle: 0 })!.lifecycle;
  return lifecycle.state === 'attached' ? lifecycle.settings : undefined;
};

describe('rate', () => {
  it('holds the guest back without losing a frame, and follows the toolstack', async () => {
    expect(await reaches(1, 2)).toBe(5);
    await toolstack(1, 'rate', '1000,4294967295');
    await expect.poll(() => settings(1)?.rate?.bytes).toBe(1000);
    const before = native(2).stats().rxPackets;
    const received = () => native(2).stats().rxPackets - before;
    // Ten go at once; the rest would wait for more than an hour.
    for (let i = 0; i < 100; i++) expect(native(1).sendFrame(frame(1, mac(2)))).toBe(true);
    await expect.poll(received, { timeout: 10_000 }).toBeGreaterThan(9);
    await othersAreWell();
    expect(received()).toBeLessThan(50);
    await toolstack(1, 'rate', undefined);
    await expect.poll(received, { timeout: 10_000 }).toBeGreaterThan(99);
    expect(native(1).stats().txDropped).toBe(0);
    expect(await reaches(1, 2)).toBe(5);
  });

  it('0, huge and nonsense are no limit', async () => {
    for (const rate of ['0,0', '0,50000', '99999999999999999999,1', '9007199254740991,1', 'x'.repeat(2048), '']) {
      await toolstack(1, 'rate', rate);
      expect(await reaches(1, 2)).toBe(5);
    }
    await toolstack(1, 'rate', undefined);
    await othersAreWell();
    expect(host.errors).toEqual([]);
  });
});

describe('multicast control', () => {
  const group = '01:00:5e:00:00:fb';

  it('only what was asked for, while it is asked for', async () => {
    native(2).takeFrames();
    expect(await arrives(group)).toBe(true);
    await vif(2).requestMulticastControl(true);
    await expect.poll(() => arrives(group), { timeout: 10_000 }).toBe(false);
    expect(await arrives('ff:ff:ff:ff:ff:ff')).toBe(true);
    expect(native(2).sendMulticastControl({ action: 'add', address: group })).toBe(true);
    await expect.poll(() => arrives(group), { timeout: 10_000 }).toBe(true);
    native(2).sendMulticastControl({ action: 'delete', address: group });
    await expect.poll(() => arrives(group), { timeout: 10_000 }).toBe(false);
    await vif(2).requestMulticastControl(false);
    await expect.poll(() => arrives(group), { timeout: 10_000 }).toBe(true);
    expect(await reaches(1, 2)).toBe(5);
  });

  it('checklist 11: asked for without end, the list is full and the others do not notice', async () => {
    const dropped = native(2).stats().txDropped;
    let asked = 0;
    for (let i = 0; i < 20_000; i++) {
      const address = `01:00:5e:01:${(i >> 8).toString(16)}:${(i & 255).toString(16)}`;
      if (native(2).sendMulticastControl({ action: 'add', address })) asked++;
    }
    await othersAreWell();
    expect(asked).toBeGreaterThan(64);
    await expect.poll(() => native(2).stats().txDropped - dropped, { timeout: 10_000 }).toBe(asked - 64);
    expect(host.errors).toEqual([]);
    await vif(2).close();
    await vif(2).reopen();
    expect(await reaches(1, 2)).toBe(5);
  });

  it('checklist 20: flapping', async () => {
    for (let i = 0; i < 500; i++) await vif(2).requestMulticastControl(i % 2 === 0);
    await othersAreWell();
    expect(await reaches(2, 1)).toBe(5);
  });
});

describe('XDP headroom', () => {
  it('lies before the data of each slot from the answer on, and frames stay whole', async () => {
    native(2).takeFrames();
    for (const headroom of [256, 0, 256]) {
      await vif(2).setXdpHeadroom(headroom);
      for (const size of [100, 1500, 3840, 3841, 9000]) {
        const sent = frame(1, mac(2), size).fill(size & 255, 14);
        native(1).sendFrame(sent);
        const got = await takeUntil(2, isOurs, () => true);
        expect(got[0]!.xdpHeadroom).toBe(headroom);
        expect(Buffer.from(got[0]!.frame).equals(Buffer.from(sent))).toBe(true);
      }
      expect(await reaches(1, 2)).toBe(5);
      expect(await reaches(2, 1)).toBe(5);
    }
    await vif(2).setXdpHeadroom(0);
    expect(native(2).stats().rxErrors).toBe(0);
  });
});

describe('checklist 20: keys that make no sense', () => {
  it.each([
    ['mtu', '0'],
    ['mtu', '1000000000'],
    ['mac', 'not a MAC'],
    ['rate', '4294967295,4294967295'],
    ['xvif-complete-checksums', 'maybe'],
    ['junk', 'x'.repeat(2048)],
  ])('%s=%s', async (key, value) => {
    const good = key === 'mac' ? mac(1) : undefined;
    await toolstack(1, key, value);
    await othersAreWell();
    expect(await reaches(1, 2)).toBe(5);
    await toolstack(1, key, good);
  });
});

describe('MTU and checksums', () => {
  it('frames beyond the MTU of the vif do not reach the guest', async () => {
    native(2).takeFrames();
    await toolstack(2, 'mtu', '1500');
    await expect.poll(() => arrives(mac(2), 1515), { timeout: 10_000 }).toBe(false);
    expect(await arrives(mac(2), 1514)).toBe(true);
    await toolstack(2, 'mtu', undefined);
    await expect.poll(() => arrives(mac(2), 1515), { timeout: 10_000 }).toBe(true);
  });

  it('complete checksums, switched on and off while traffic flows', async () => {
    native(2).takeFrames();
    const udpArrivesBlank = async () => {
      native(1).sendFrame(blankUdp(), { csumBlank: true });
      const isUdp = ({ frame: bytes }: Taken) => bytes[12] === 8 && bytes[23] === 17 && bytes[36] === 0x30;
      const got = await takeUntil(2, isUdp, () => true);
      return got[0]!.csumBlank;
    };
    const blankUdp = () => {
      const bytes = frame(1, mac(2), 60);
      bytes.set([0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0x66, 0xbc, 10, 0, 0, 1, 10, 0, 0, 2], 12);
      bytes.set([0x30, 0x39, 0x30, 0x39, 0, 26, 0, 0], 34);
      return bytes;
    };
    expect(await udpArrivesBlank()).toBe(true);
    await toolstack(2, 'xvif-complete-checksums', '1');
    await expect.poll(udpArrivesBlank, { timeout: 10_000 }).toBe(false);
    await toolstack(2, 'xvif-complete-checksums', '0');
    await expect.poll(udpArrivesBlank, { timeout: 10_000 }).toBe(true);
  });
});
