import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeviceAddress, parseState, XenbusBackend } from '../../../src/xenbus/index.js';
import { XenstoreClient, XenstoreError } from '../../../src/xenstore/index.js';
import { BE, Bed, DOMID, FE, ToyDriver } from './bed.js';

let bed: Bed;

beforeEach(async () => {
  bed = new Bed();
  await bed.bus.start();
});

afterEach(() => bed.close());

describe('watches', () => {
  it('one for all backends, one per frontend domain, one for deaths', async () => {
    await bed.plug();
    await bed.until('2');
    expect(bed.store.watchCount).toBe(3);
    expect(bed.bus.watchedDomains).toBe(1);
    await bed.toolstack.rm(BE);
    await expect.poll(() => bed.store.watchCount).toBe(2);
    expect(bed.bus.devices).toEqual([]);
  });

  it('nodes that are no devices are passed over', async () => {
    await bed.toolstack.write('/local/domain/0/backend/toy/abc/0/state', '1');
    await bed.toolstack.write('/local/domain/0/backend/toy/7/x/state', '1');
    await bed.toolstack.write('/local/domain/0/backend/toy/7/70000/state', '1');
    await bed.plug();
    await bed.until('2');
    expect(bed.bus.devices.map(({ address }) => address)).toMatchObject([{ domid: DOMID, id: 3, backendPath: BE }]);
  });

  it('a directory made anew while the old one is let go is not missed', async () => {
    for (let round = 0; round < 50; round++) {
      await bed.plug();
      if (round % 2 === 0) await bed.until('2');
      await bed.toolstack.rm(BE);
    }
    await bed.plug();
    await bed.until('2');
    await bed.connectWell('1');
  });
});

describe('the handshake', () => {
  it('features come with InitWait, in one transaction', async () => {
    const features: (string | undefined)[] = [];
    await bed.toolstack.watch(`${BE}/state`, async () => {
      const nodes = await bed.toolstack.transaction(async (tx) => [
        await tx.readOrUndefined(`${BE}/state`),
        await tx.readOrUndefined(`${BE}/feature-toy`),
      ]);
      if (nodes[0] === '2') features.push(nodes[1]);
    });
    await bed.plug();
    await bed.until('2');
    await expect.poll(() => features).toEqual(['1']);
  });

  it('a frontend that exchanges its rings without a word is connected with the new ones', async () => {
    await bed.plug();
    await bed.connectWell('1');
    await bed.guest.write(`${FE}/ring`, '2');
    await expect.poll(() => bed.log).toEqual(['connect 1', 'disconnect', 'connect 2']);
    expect(await bed.backendState()).toBe('4');
  });

  it('an unplugged frontend is waited for, its rings are not', async () => {
    await bed.plug();
    await bed.connectWell('1');
    await bed.toolstack.transaction(async (nodes) => {
      await nodes.write(`${BE}/online`, '0');
      await nodes.write(`${BE}/state`, '5');
    });
    await expect.poll(() => bed.log.at(-1)).toBe('disconnect');
    expect(await bed.backendState()).toBe('5');
    await bed.guest.write(`${FE}/state`, '6');
    await bed.until('6');
  });

  it('and without an answer after 8 s, before the toolstack loses its patience', async () => {
    const timers: { delayMs: number; callback: () => void }[] = [];
    const own = new Bed({
      nowMs: () => performance.now(),
      after(delayMs, callback) {
        timers.push({ delayMs, callback });
        return { cancel() {} };
      },
    });
    await own.bus.start();
    await own.plug();
    await own.connectWell('1');
    await own.toolstack.transaction(async (nodes) => {
      await nodes.write(`${BE}/online`, '0');
      await nodes.write(`${BE}/state`, '5');
    });
    await expect.poll(() => timers.map(({ delayMs }) => delayMs)).toEqual([8000]);
    expect(await own.backendState()).toBe('5');
    timers[0]!.callback();
    await own.until('6');
    await own.close();
  });

  it('trouble of xenstored while it connects does not cost the frontend its device', async () => {
    await bed.plug();
    await bed.until('2');
    bed.drivers[0]!.trouble = new XenstoreError('EIO', 'READ', `${BE}/mac`);
    await bed.connectWell('1');
    expect(bed.log).toEqual(['connect 1']);
    expect(await bed.toolstack.readOrUndefined(`${BE}/error`)).toBeUndefined();
  });

  it('a state that is none closes the device, and the frontend may connect again', async () => {
    await bed.plug();
    await bed.connectWell('1');
    await bed.guest.write(`${FE}/state`, 'abc');
    await bed.until('5');
    expect(await bed.toolstack.read(`${BE}/error`)).toBe('the frontend wrote a state that is none');
    await bed.connectWell('2');
    expect(await bed.toolstack.readOrUndefined(`${BE}/error`)).toBeUndefined();
  });

  it('a domain that dies is let go of though its directory stays', async () => {
    await bed.toolstack.introduceDomain(DOMID, 1, 1);
    await bed.plug();
    // Kept by the toolstack for the dump.
    await bed.toolstack.setPerms(FE, [{ domid: 0, access: 'b' }]);
    await bed.connectWell('1');
    for (const key of ['state', 'ring']) await bed.toolstack.setPerms(`${FE}/${key}`, [{ domid: 0, access: 'b' }]);
    await bed.toolstack.releaseDomain(DOMID);
    await bed.until('6');
    expect(await bed.toolstack.read(`${FE}/state`)).toBe('4');
    expect(bed.log).toEqual(['connect 1', 'disconnect']);
  });

  it('stop() disconnects and leaves the states; nothing is watched any more', async () => {
    await bed.plug();
    await bed.connectWell('1');
    await bed.bus.stop();
    expect(bed.log).toEqual(['connect 1', 'disconnect']);
    expect(await bed.backendState()).toBe('4');
    await expect.poll(() => bed.store.watchCount).toBe(0);
  });

  it('survives the end of the connection to xenstored', async () => {
    await bed.plug();
    await bed.connectWell('1');
    bed.store.close();
    await bed.bus.stop();
    expect(bed.log).toEqual(['connect 1', 'disconnect']);
  });
});

describe('a hostile frontend (netif.h checklist 18)', () => {
  it('flips its state thousands of times: few reactions, and it connects afterwards', { timeout: 30_000 }, async () => {
    await bed.plug();
    await bed.connectWell('1');
    const flips: Promise<void>[] = [];
    for (let i = 0; i < 6000; i++) flips.push(bed.guest.write(`${FE}/state`, ['4', '5', '1', '6'][i % 4]!));
    await Promise.all(flips);
    expect(bed.log.length).toBeLessThan(100);
    await bed.connectWell('2');
    expect(bed.log.filter((line) => line.startsWith('BUG'))).toEqual([]);
  });

  type Act = readonly [string, string?];
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('state'), fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8')) },
    {
      weight: 2,
      arbitrary: fc.tuple(
        fc.constant('state'),
        fc.constantFrom('abc', '-1', '4\0', '', '0', '99999999999', ' 4', '04', '4 ', '\u00ff'),
      ),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constant('ring'), fc.constantFrom('1', '2', 'x', '')) },
    fc.tuple(fc.constant('online'), fc.constantFrom('0', '1', 'abc')),
    fc.constant<Act>(['toolstack closes']),
    fc.constant<Act>(['frontend removed']),
    fc.constant<Act>(['frontend made']),
    fc.constant<Act>(['fault']),
    fc.constant<Act>(['script', '']),
    fc.constant<Act>(['script', 'connected']),
    { weight: 6, arbitrary: fc.constantFrom<Act>(['pause'], ['settle']) },
  );

  async function settle(on: Bed): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await on.bus.device(DOMID, 3)?.idle();
  }

  async function perform(on: Bed, [what, value = '']: Act): Promise<void> {
    if (what === 'state' || what === 'ring') await on.guest.write(`${FE}/${what}`, value).catch(() => {});
    else if (what === 'online') await on.toolstack.write(`${BE}/online`, value);
    else if (what === 'toolstack closes') await on.toolstack.write(`${BE}/state`, '5');
    else if (what === 'frontend removed') await on.toolstack.rm(FE);
    else if (what === 'frontend made') await on.plugFrontend();
    else if (what === 'fault') on.bus.device(DOMID, 3)?.fault('ring broken');
    else if (what === 'script') await on.toolstack.write(`${BE}/hotplug-status`, value);
    else if (what === 'settle') await settle(on);
    else await new Promise((resolve) => setTimeout(resolve, 2));
  }

  it('any sequence of acts: only legal states, no verb out of turn, and it always reconnects', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
        const own = new Bed();
        try {
          const bad: string[] = [];
          await own.toolstack.watch(BE, async () => {
            const state = await own.backendState();
            if (state !== undefined && !['1', '2', '4', '5', '6'].includes(state)) bad.push(state);
          });
          await own.bus.start();
          await own.plug();
          for (const one of acts) await perform(own, one);
          // Everybody behaves again.
          await own.toolstack.write(`${BE}/online`, '1');
          await own.toolstack.write(`${BE}/hotplug-status`, 'connected');
          await own.plugFrontend();
          await own.bus.device(DOMID, 3)!.idle();
          await own.connectWell('77');
          await own.bus.device(DOMID, 3)!.idle();
          expect(own.log.at(-1)).toBe('connect 77');
          expect(own.log.filter((line) => line.startsWith('BUG'))).toEqual([]);
          expect(bad).toEqual([]);
        } finally {
          await own.close();
        }
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});

describe('in a driver domain, with its rights and quotas', () => {
  const BACKEND = 2;
  const OWN_BE = `/local/domain/${BACKEND}/backend/toy/7/3`;

  async function driverDomain(): Promise<{ bus: XenbusBackend; log: string[]; store: XenstoreClient }> {
    const store = new XenstoreClient(bed.xenstore.connect(BACKEND));
    const log: string[] = [];
    const driver = (address: DeviceAddress) => new ToyDriver(address, log);
    await bed.toolstack.transaction(async (nodes) => {
      await nodes.mkdir(`/local/domain/${BACKEND}`);
      await nodes.setPerms(`/local/domain/${BACKEND}`, [
        { domid: 0, access: 'n' },
        { domid: BACKEND, access: 'r' },
      ]);
      await nodes.mkdir(OWN_BE);
      await nodes.setPerms(OWN_BE, [
        { domid: BACKEND, access: 'n' },
        { domid: DOMID, access: 'r' },
      ]);
      for (const [key, value] of [
        ['online', '1'],
        ['state', '1'],
      ])
        await nodes.write(`${OWN_BE}/${key}`, value!);
      await nodes.mkdir(FE);
      await nodes.setPerms(FE, [
        { domid: DOMID, access: 'n' },
        { domid: BACKEND, access: 'r' },
      ]);
      await nodes.write(`${FE}/state`, '1');
    });
    const bus = new XenbusBackend({ store, type: 'toy', domid: BACKEND, driver });
    await bus.start();
    return { bus, log, store };
  }

  const state = () => bed.toolstack.readOrUndefined(`${OWN_BE}/state`);

  it('connects; a frontend that locks us out counts as gone, a key that we may not read closes it', async () => {
    const { bus, log, store } = await driverDomain();
    await expect.poll(state).toBe('2');
    await bed.guest.write(`${FE}/ring`, '1');
    await bed.guest.write(`${FE}/state`, '4');
    await expect.poll(state).toBe('4');
    await bed.guest.setPerms(`${FE}/state`, [{ domid: DOMID, access: 'n' }]);
    await expect.poll(state).toBe('6');
    expect(await bed.toolstack.readOrUndefined(`${OWN_BE}/error`)).toBeUndefined();
    await bed.guest.setPerms(`${FE}/state`, [{ domid: DOMID, access: 'r' }]);
    await bed.guest.write(`${FE}/state`, '1');
    await expect.poll(state).toBe('2');
    await bed.guest.setPerms(`${FE}/ring`, [{ domid: DOMID, access: 'n' }]);
    await bed.guest.write(`${FE}/state`, '4');
    await expect.poll(state).toBe('5');
    expect(log.at(-1)).toBe('failed: frontend key ring is not readable for the backend');
    await bus.stop();
    store.close();
  });
});

describe('parseState', () => {
  it('takes decimals 0..8 and nothing else', () => {
    expect([...'012345678'].map(parseState)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const text of ['', 'abc', '-1', '9', '4\0', ' 4', '4 ', '04', '4.0', '0x4', '1e0', '99999999999']) {
      expect(parseState(text)).toBeUndefined();
    }
  });
});
