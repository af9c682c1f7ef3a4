/** A guest that uses its control ring, through the whole native path: hashing and steering, staging grants. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlLimits, type EmulatedGuest, endHashing, HASH_TYPE, setHashing } from '../../src/guest/index.js';
import { eventually } from '../lab/process.js';
import { address, XenHost } from '../lab/xen-host.js';

let xen: XenHost;

beforeEach(async () => {
  xen = await XenHost.start(2);
});
afterEach(() => xen.stop());

const native = (guest: EmulatedGuest) => guest.vifs[0]!.native!;
const key = Uint8Array.from({ length: 40 }, (_, i) => i * 37 + 11);

/** The hashes of echo requests and replies that the guest got. */
async function hashes(guest: EmulatedGuest, peer: EmulatedGuest, to: number) {
  native(guest).takeFrames();
  const { received } = await native(peer).ping(address(to), { count: 5, intervalMs: 1, timeoutMs: 2000, size: 56 });
  expect(received).toBe(5);
  const ipv4 = native(guest)
    .takeFrames()
    .filter(({ frame }) => frame[12] === 8 && frame[13] === 0);
  expect(ipv4).toHaveLength(5);
  return ipv4.map(({ hash }) => hash);
}

describe('control ring', () => {
  it('limits; hashes come once they are asked for, and end', async () => {
    const guest = await xen.guest(1, { queues: 4, controlRing: true });
    const peer = await xen.guest(2);
    expect(await controlLimits(native(guest))).toEqual({ hashTypes: 0, mappingSize: 128, stagingGrants: 512 });
    expect(new Set(await hashes(guest, peer, 1))).toEqual(new Set([undefined]));
    const types = HASH_TYPE.ipv4 | HASH_TYPE.ipv4Tcp | HASH_TYPE.ipv6 | HASH_TYPE.ipv6Tcp;
    await setHashing(native(guest), { types, key, mapping: [3, 2, 1, 0] });
    expect((await controlLimits(native(guest))).hashTypes).toBe(types);
    const [first, ...rest] = await hashes(guest, peer, 1);
    expect(first).toEqual({ type: 0, value: expect.any(Number) });
    expect(rest).toEqual([first, first, first, first]);
    await endHashing(native(guest));
    expect(new Set(await hashes(guest, peer, 1))).toEqual(new Set([undefined]));
  });

  it('says what was refused', async () => {
    const guest = await xen.guest(1, { queues: 2, controlRing: true });
    const hashing = { types: HASH_TYPE.ipv4, key, mapping: [0, 2] };
    await expect(setHashing(native(guest), hashing)).rejects.toThrow(
      'the backend refused setHashMapping: invalid parameter',
    );
    await expect(setHashing(native(guest), { ...hashing, mapping: [0], key: new Uint8Array(41) })).rejects.toThrow(
      'the backend refused setHashKey: buffer overflow',
    );
  });

  it('a frontend without one cannot ask', async () => {
    const guest = await xen.guest(1);
    expect(native(guest).control).toBeUndefined();
    await expect(controlLimits(native(guest))).rejects.toThrow('the control request was not sent, or not answered');
    expect(await native(guest).stageBuffers(true)).toBe(false);
  });

  it('staging grants: mapped when asked, unmapped when taken back, and with the vif', async () => {
    const guest = await xen.guest(1, { queues: 2, controlRing: true });
    const peer = await xen.guest(2);
    const mapped = () => xen.runtime.emulated.usage().grantsMapped;
    const before = mapped();
    expect(await native(guest).stageBuffers(true)).toBe(true);
    expect(mapped()).toBe(before + 1024);
    native(peer).startTraffic({ address: address(1), port: 9, frameSize: 1400, pps: 0 });
    native(guest).startTraffic({ address: address(2), port: 9, frameSize: 1400, pps: 0 });
    await eventually('traffic both ways', async () =>
      [guest, peer].every((one) => native(one).stats().udpReceived > 1000),
    );
    expect(await native(guest).stageBuffers(false)).toBe(true);
    expect(mapped()).toBe(before);
    expect(await native(guest).stageBuffers(true)).toBe(true);
    native(peer).stopTraffic();
    expect(native(guest).stats()).toMatchObject({ txDropped: 0, rxErrors: 0 });
    await guest.vifs[0]!.close();
    expect(mapped()).toBe(before - 5);
  });
});
