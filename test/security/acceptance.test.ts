/**
 * A guest that claims to be another, stacks tags and speaks to bridges, watched for what the others get meanwhile. What
 * becomes of its frames is tested in test/native/frame-acceptance.test.ts.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as f from '../differential/frames.js';
import { address } from '../lab/xen-host.js';
import { SecurityBed } from './bed.js';
import type { HostileGuest } from './hostile-guest.js';

let bed: SecurityBed;
let hostile: HostileGuest;

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
});
afterEach(() => bed.stop());

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const OWN_ADDRESS = '10.0.0.66';
const text = (mac: Buffer) => mac.toString('hex').match(/../g)!.join(':');
const own = () => text(Buffer.from([0, 0x16, 0x3e, hostile.domid >> 8, hostile.domid & 255, 0]));
const macOf = (n: 0 | 1) => text(bed.mac(bed.pair[n]));

async function lock(): Promise<void> {
  const keys = { 'ipv4-allowed': OWN_ADDRESS, 'ipv6-allowed': '', 'locking-mode': 'locked' };
  for (const [key, value] of Object.entries(keys)) await bed.host.toolstack.setKey(hostile.domid, 0, key, value);
}

const zeros = (count: number) => new Array<number>(count).fill(0);
const arp = (sha: string, spa: string) =>
  f.ethernet({
    dst: BROADCAST,
    src: sha,
    type: 0x0806,
    payload: [...f.arp({ op: 2, sha, spa, tha: BROADCAST, tpa: spa }), ...zeros(18)],
  });

/** The first guest of the pair sends and the second gets: what comes from the second to the first is claimed. */
const claims = () => [
  arp(macOf(1), address(2)),
  arp(own(), address(2)),
  f.tcpFrame({ src: macOf(1), dst: macOf(0) }, { src: address(2), dst: address(1) }),
  f.tcpFrame({ src: own(), dst: macOf(0) }, { src: address(2), dst: address(1) }),
  f.ethernet({
    src: own(),
    dst: macOf(0),
    type: 0x86dd,
    payload: f.ipv6({ src: 'fd00::66', proto: 58, hopLimit: 255, l4: f.neighbour(136, 'fd00::2', own()) }),
  }),
];
const stacks = () =>
  [1, 2, 3, 16, 58, 59, 60, 61, 62, 300].map((depth) =>
    f.tcpFrame({ src: own(), dst: macOf(0), tags: new Array(depth).fill({ vid: 5 }) }),
  );
const forBridges = () =>
  (
    [
      ['01:80:c2:00:00:00', 38],
      ['01:80:c2:00:00:02', 0x8809],
      ['01:80:c2:00:00:03', 0x888e],
      ['01:80:c2:00:00:0e', 0x88cc],
      ['01:80:c2:00:00:0f', 0x0800],
    ] as const
  ).map(([dst, type]) => f.ethernet({ src: own(), dst, type, payload: [0x42, 0x42, 3, ...zeros(43)] }));

/** Sends these over and over while the pair is watched. */
async function sendsMeanwhile(frames: readonly Uint8Array[]): Promise<number> {
  expect(await hostile.connect()).toBe('4');
  bed.native(bed.pair[0]).takeFrames();
  let sent = 0;
  await bed.unharmed(async (over) => {
    while (!over()) {
      const slots = frames.map((frame, i) => {
        hostile.fill(i, frame);
        return hostile.slot(i, { size: frame.length });
      });
      hostile.send(...slots);
      await hostile.responses(slots.length);
      sent += slots.length;
    }
  });
  expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  return sent;
}

/** Of these frames, those that the sender of the pair got. */
function arrived(frames: readonly Uint8Array[]): number {
  const taken = bed.native(bed.pair[0]).takeFrames();
  return taken.filter(({ frame }) => frames.some((one) => Buffer.from(one).equals(frame))).length;
}

describe('§4.2 item 29: what the others get meanwhile', () => {
  it('§4.2 item 29: while a locked guest claims to be another', async () => {
    await lock();
    expect(await sendsMeanwhile(claims())).toBeGreaterThan(claims().length);
    expect(arrived(claims())).toBe(0);
  });

  it.each(['unlocked', 'locked'])('§4.2 item 29: while a guest that is %s stacks tags', async (mode) => {
    if (mode === 'locked') await lock();
    expect(await sendsMeanwhile(stacks())).toBeGreaterThan(stacks().length);
    if (mode === 'locked') expect(arrived(stacks())).toBe(0);
  });

  it('§4.2 item 29: while a guest speaks to bridges', async () => {
    expect(await sendsMeanwhile(forBridges())).toBeGreaterThan(forBridges().length);
    expect(arrived(forBridges())).toBe(0);
  });
});
