/**
 * Every kind of guest on one switch: they talk to each other, load and unload their drivers, crash, are unplugged,
 * migrate, and see the backend start anew; none of their asserts and endless waits is met.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeFrontend } from '../../src/datapath/native-addon.js';
import { scaleReceiving } from '../../src/guest/enable.js';
import { type EmulatedGuest, personalities } from '../../src/guest/index.js';
import { HandClock } from '../lab/hand-clock.js';
import { address } from '../lab/xen-host.js';
import { SecurityBed } from '../security/bed.js';

type Kind = keyof typeof personalities;
const kinds = Object.keys(personalities) as Kind[];
const STEP_MS = 30_000;

let bed: SecurityBed;
const guests = new Map<Kind, EmulatedGuest>();
/** Host part of the address; stays with a kind for good, whatever its domain. */
const numberOf = (kind: Kind) => 20 + kinds.indexOf(kind);

async function boot(kind: Kind): Promise<void> {
  guests.set(
    kind,
    await bed.guest(numberOf(kind), { ...personalities[kind], queues: Math.min(2, personalities[kind].queues) }),
  );
}

beforeAll(async () => {
  bed = await SecurityBed.start();
  for (const kind of kinds) await boot(kind);
}, 60_000);
afterAll(() => bed.stop());

const vifOf = (kind: Kind) => guests.get(kind)!.vifs[0]!;

/** Echoes of 56 and 1400 bytes, over IPv4 and IPv6, to every other kind. */
async function talksToAll(kind: Kind): Promise<void> {
  for (const other of kinds.filter((one) => one !== kind)) {
    for (const to of [address(numberOf(other)), `fd00::${numberOf(other).toString(16)}`]) {
      let received = 0;
      for (let tries = 0; tries < 5 && received < 4; tries++) {
        const options = { count: 4, intervalMs: 1, timeoutMs: 3000, size: tries % 2 === 0 ? 1400 : 56 };
        ({ received } = await vifOf(kind).native!.ping(to, options));
      }
      expect(received, `${kind} to ${other} at ${to}`).toBe(4);
    }
  }
}

const ALL_SYSTEMS = '01005e000001';
const OTHER_GROUP = '01005e010203';

/** A frame from the Linux guest. */
function sendMulticast(group: string): void {
  const frame = Buffer.alloc(64);
  frame.write(group, 'hex');
  bed.mac(guests.get('linux')!).copy(frame, 6);
  frame.writeUInt16BE(0x88b5, 12);
  vifOf('linux').native!.sendFrame(frame);
}

/** Sends to a group until the Windows guest gets it; the destinations of all that it got. */
async function windowsGets(group: string): Promise<string[]> {
  const got: string[] = [];
  vifOf('windows').native!.takeFrames();
  const arrived = () => {
    const frames = vifOf('windows').native!.takeFrames();
    got.push(...frames.map(({ frame }) => Buffer.from(frame.subarray(0, 6)).toString('hex')));
    if (!got.includes(group)) sendMulticast(group);
    return got;
  };
  await expect.poll(arrived, { timeout: STEP_MS }).toContain(group);
  return got;
}

/** Bit by bit, as Microsoft describes it. */
function toeplitz(input: Buffer): number {
  const key = BigInt('0x6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa');
  let hash = 0n;
  for (let bit = 0; bit < input.length * 8; bit++) {
    if (((input[bit >> 3]! >> (7 - (bit & 7))) & 1) === 1) hash ^= (key >> BigInt(320 - 32 - bit)) & 0xffffffffn;
  }
  return Number(hash);
}

function allLive(): void {
  for (const kind of kinds) {
    const { panicked, complaints, phase } = vifOf(kind);
    expect({ kind, panicked, complaints, phase }).toEqual({
      kind,
      panicked: undefined,
      complaints: [],
      phase: 'connected',
    });
    expect(vifOf(kind).native!.stats().rxErrors, kind).toBe(0);
  }
}

describe.each(kinds)('%s', (kind) => {
  it('talks to all others', { timeout: 120_000 }, async () => {
    await talksToAll(kind);
    allLive();
  });

  it('takes large and small frames that others send to all', { timeout: 60_000 }, async () => {
    const frame = Buffer.alloc(1514, 0x11);
    frame.fill(0xff, 0, 6);
    bed.mac(guests.get(kind)!).copy(frame, 6);
    frame.writeUInt16BE(0x88b5, 12);
    // A broadcast TCP segment of 20 kB to be cut, as only some can send.
    const large = Buffer.alloc(14 + 40 + 20_000, 0x22);
    frame.copy(large, 0, 0, 14);
    large.writeUInt16BE(0x0800, 12);
    large[14] = 0x45;
    large.writeUInt16BE(40 + 20_000, 16);
    large.writeUInt16BE(0, 20);
    large[23] = 6;
    large[46] = 0x50;
    for (let i = 0; i < 300; i++) {
      vifOf(kind).native!.sendFrame(frame);
      if (personalities[kind].gsoTcpv4) {
        vifOf(kind).native!.sendFrame(large, { csumBlank: true, gsoSize: 1400, gsoType: 1 });
      }
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await talksToAll(kind);
    allLive();
  });

  it('unloads its driver and loads it again', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 3; i++) {
      await vifOf(kind).close(STEP_MS);
      await vifOf(kind).reopen(STEP_MS);
    }
    await talksToAll(kind);
    allLive();
  });

  it('crashes and is started anew over what it left', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 2; i++) await vifOf(kind).restartAbruptly(STEP_MS);
    await talksToAll(kind);
    allLive();
  });

  it('is unplugged and plugged again', { timeout: 120_000 }, async () => {
    const guest = guests.get(kind)!;
    await bed.host.removeVif(guest.domid, 0);
    const n = numberOf(kind);
    const stack = { kind: 'builtin', ipv4: address(n), ipv6: `fd00::${n.toString(16)}` } as const;
    await bed.host.addVif(guest.domid, { stack, personality: { ...personalities[kind], queues: 1 } });
    await vifOf(kind).waitConnected(STEP_MS);
    await talksToAll(kind);
    allLive();
  });

  it('migrates: its domain goes, and comes back under another id', { timeout: 120_000 }, async () => {
    const { domid } = guests.get(kind)!;
    await bed.host.destroyGuest(domid);
    await boot(kind);
    expect(guests.get(kind)!.domid).not.toBe(domid);
    await talksToAll(kind);
    allLive();
  });
});

describe('windows', () => {
  it('spreads what it receives by hashes, and takes no others', { timeout: 60_000 }, async () => {
    const { native } = vifOf('windows');
    const queues = native!.queues.length;
    native!.takeFrames();
    const { received } = await vifOf('linux').native!.ping(address(numberOf('windows')), {
      count: 5,
      intervalMs: 1,
      timeoutMs: 3000,
      size: 56,
    });
    expect(received).toBe(5);
    const echoes = native!.takeFrames().filter(({ frame }) => frame[12] === 8 && frame[13] === 0 && frame[23] === 1);
    // Toeplitz over the addresses, by the key of Microsoft's description; one queue asks for nothing.
    const hash = queues === 1 ? undefined : toeplitz(Buffer.from(echoes[0]!.frame.subarray(26, 34)));
    expect(echoes.map((echo) => echo.hash)).toEqual(
      new Array(5).fill(hash === undefined ? undefined : { type: 0, value: hash }),
    );
  });

  it('gets the multicast that it asked for, until it asks for all', { timeout: 60_000 }, async () => {
    // What was asked for comes after what was not.
    sendMulticast(OTHER_GROUP);
    expect(await windowsGets(ALL_SYSTEMS)).not.toContain(OTHER_GROUP);
    await vifOf('windows').requestMulticastControl(false);
    await windowsGets(OTHER_GROUP);
    await vifOf('windows').requestMulticastControl(true);
  });

  it('closes when it sees that its backend is offline, and gives up on one that stays so', async () => {
    const guest = await bed.guest(42, personalities.windows);
    const [vif] = guest.vifs;
    const store = bed.host.openStore(0);
    const node = `/local/domain/0/backend/vif/${guest.domid}/0/online`;
    await store.write(node, '0');
    await expect.poll(() => vif!.phase, { timeout: STEP_MS }).toBe('closed');
    await bed.host.destroyGuest(guest.domid);
    store.close();
  });

  it('repeats a step every 120 s that the backend does not take, and complains', { timeout: 60_000 }, async () => {
    const clock = new HandClock();
    const guest = await bed.host.addGuest({
      name: 'patient',
      vifs: [{ stack: { kind: 'builtin', ipv4: address(43) }, personality: personalities.windows, clock }],
    });
    const [vif] = guest.vifs;
    await vif!.waitConnected(STEP_MS);
    await bed.backend.stop();
    const closing = vif!.close(STEP_MS);
    const store = bed.host.openStore(0);
    const state = `/local/domain/${guest.domid}/device/vif/0/state`;
    await expect.poll(() => store.read(state)).toBe('5');
    let written = 0;
    const watch = await store.watch(state, () => {
      written++;
    });
    await expect.poll(() => written).toBe(1); // of the watch itself
    clock.advance(119_999);
    expect(vif!.complaints).toEqual([]);
    for (let i = 1; i <= 3; i++) {
      clock.advance(120_000);
      await expect.poll(() => written).toBe(1 + i);
      expect(vif!.complaints).toEqual(new Array(i).fill('still leaving after 120000 ms'));
      await expect.poll(() => clock.pending).toBe(1);
    }
    expect(await store.read(state)).toBe('5');
    await watch.close();
    await bed.restartBackend();
    await closing;
    await bed.host.destroyGuest(guest.domid);
    store.close();
  });

  it('waits 5 s for an answer on its control ring', { timeout: 60_000 }, async () => {
    const clock = new HandClock();
    const never = { queues: [{}, {}], controlRequest: () => new Promise<never>(() => {}) };
    const asked = scaleReceiving(never as unknown as NativeFrontend, clock);
    clock.advance(4999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    await expect(asked).rejects.toThrow('control request 7 has no answer after 5000 ms');
  });
});

describe('all of them', () => {
  it('see the backend go and come back, and notice nothing', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 3; i++) {
      await bed.restartBackend();
      await expect
        .poll(() => bed.backend.vifs().filter(({ phase }) => phase === 'connected').length, {
          timeout: STEP_MS,
        })
        .toBe(kinds.length + 3);
    }
    for (const kind of kinds) await talksToAll(kind);
    allLive();
    // The new backend was not told which multicast is wanted.
    await windowsGets(ALL_SYSTEMS);
  });
});

describe('what a guest does not survive is seen', () => {
  it.each([
    ['windows', '7'],
    ['windows', '3'],
    ['windows', '8'],
    ['netbsd', '7'],
    ['netbsd', '3'],
    ['netbsd', '8'],
    ['netbsd', '0'],
  ] as const)('%s and a backend in state %s', async (kind, state) => {
    const guest = await bed.guest(40, personalities[kind]);
    const store = bed.host.openStore(0);
    await bed.backend.stop();
    await store.write(`/local/domain/0/backend/vif/${guest.domid}/0/state`, state);
    await expect.poll(() => guest.vifs[0]!.panicked, { timeout: STEP_MS }).toContain('backend state');
    await bed.restartBackend();
    await bed.host.destroyGuest(guest.domid);
    store.close();
  });

  it('a Linux guest complains of a step of more than 5 s', { timeout: 60_000 }, async () => {
    const guest = await bed.guest(41);
    await bed.backend.stop();
    await expect(guest.vifs[0]!.close(6000)).rejects.toThrow('still leaving');
    expect(guest.vifs[0]!.complaints).toEqual(['still leaving after 5000 ms']);
    await bed.restartBackend();
    await bed.host.destroyGuest(guest.domid);
  });
});
