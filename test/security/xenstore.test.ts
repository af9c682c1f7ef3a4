/** Guests that play with their nodes in xenstore, and guests that come, go and die. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecurityBed } from './bed.js';
import type { HostileGuest, Keys } from './hostile-guest.js';

let bed: SecurityBed;
let hostile: HostileGuest;

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
});
afterEach(() => bed.stop());

const patience = { timeout: 10_000 };
const breathe = () => new Promise((resolve) => setImmediate(resolve));

/** Writes of the guest for which nobody waits, so that they come as fast as xenstored takes them. */
async function flood(writes: readonly (readonly [string, string])[]): Promise<void> {
  await Promise.all(writes.map(([key, value]) => hostile.store.write(`${hostile.fe}/${key}`, value)));
  await breathe();
}

/** After all that: an honest frontend of the same guest is served. */
async function servedAgain(): Promise<void> {
  expect(await hostile.reconnect()).toBe('4');
}

describe('§4.2 item 18: states', () => {
  it('§4.2 item 18: between 4, 5 and 1, thousands of times a second', async () => {
    await hostile.connect();
    await bed.unharmed(async (over) => {
      while (!over()) await flood(['4', '5', '1', '4', '1', '5', '6', '4'].map((state) => ['state', state]));
    });
    await servedAgain();
  });

  it.each(['abc', '-1', '99999999999', '4\0', '', ' 4', '4 ', '04', '0x4', '7', '8', '3', '2', '0'])(
    '§4.2 item 18: %j',
    async (state) => {
      await hostile.connect();
      await bed.survives(async () => {
        await hostile.state(state);
        await new Promise((resolve) => setTimeout(resolve, 50));
      });
      // 8 is the answer to a frontend in 7.
      expect(['2', '4', '5', '6', ...(state === '7' ? ['8'] : [])]).toContain(
        await hostile.read(`${hostile.be}/state`),
      );
      await servedAgain();
    },
  );

  it('§4.2 item 18: the frontend removed and made anew while it connects', async () => {
    await hostile.backend('2');
    const keys = Object.entries({ ...hostile.keys(), state: '4' });
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (const [key, value] of keys) {
          await hostile.store.write(`${hostile.fe}/${key}`, value);
          if (Math.random() < 0.1) {
            await hostile.store.rm(`${hostile.fe}/${key}`);
            await hostile.store.rm(`${hostile.fe}/state`);
          }
        }
        await breathe();
      }
    });
    await hostile.state('1');
    await servedAgain();
  });

  it('§4.2 item 18: nodes that we may not read', async () => {
    await hostile.connect();
    await hostile.store.setPerms(`${hostile.fe}/state`, [{ domid: hostile.domid, access: 'n' }]);
    // Domain 0 may read everything; a driver domain may not. Either way the guest is held to what it wrote.
    await hostile.state('6');
    await hostile.backend('6');
    await servedAgain();
  });
});

describe('§4.2 item 19: keys of queues and rings', () => {
  const none = undefined;
  const split: Keys = {
    'tx-ring-ref': none,
    'rx-ring-ref': none,
    'event-channel-tx': none,
    'event-channel-rx': none,
  };
  const cases: [string, (guest: HostileGuest) => Keys, string][] = [
    ['no queue', () => ({ 'multi-queue-num-queues': '0' }), 'multi-queue-num-queues'],
    ['nine queues', () => ({ 'multi-queue-num-queues': '9' }), 'multi-queue-num-queues'],
    ['-1 queues', () => ({ 'multi-queue-num-queues': '-1' }), 'multi-queue-num-queues'],
    ['2^32 queues', () => ({ 'multi-queue-num-queues': '4294967296' }), 'multi-queue-num-queues'],
    ['"1 " queues', () => ({ 'multi-queue-num-queues': '1 ' }), 'multi-queue-num-queues'],
    [
      'a queue that is missing',
      (guest) => ({
        ...split,
        'multi-queue-num-queues': '2',
        'queue-0/tx-ring-ref': String(guest.tx.ref),
        'queue-0/rx-ring-ref': String(guest.rx.ref),
        'queue-0/event-channel': String(guest.channels.tx),
      }),
      'queue-1/',
    ],
    ['one ring for both', (guest) => ({ 'rx-ring-ref': String(guest.tx.ref) }), 'twice'],
    ['reference 0', () => ({ 'tx-ring-ref': '0' }), 'tx-ring-ref'],
    ['a reference that is none', () => ({ 'tx-ring-ref': '77777' }), 'cannot map tx-ring-ref'],
    ['a reference above 2^32', () => ({ 'rx-ring-ref': '4294967296' }), 'rx-ring-ref'],
    ['a read-only ring', (guest) => ({ 'rx-ring-ref': String(guest.buffers[0]!.tx) }), 'cannot map rx-ring-ref'],
    ['pages to be flipped', () => ({ 'request-rx-copy': '0' }), 'request-rx-copy'],
    ['a feature that is no flag', () => ({ 'feature-sg': 'yes' }), 'feature-sg'],
    ['2000 bytes where a number should be', () => ({ 'tx-ring-ref': '9'.repeat(1900) }), 'tx-ring-ref'],
  ];

  it.each(cases)('§4.2 item 19: %s', async (_, keys, sentence) => {
    await bed.survives(async () => {
      expect(await hostile.connect(keys(hostile))).toBe('5');
      const error = await hostile.read(`${hostile.be}/error`);
      expect(error).toContain(sentence);
      expect(error!.length).toBeLessThan(300);
    });
    await hostile.reset();
    expect(await hostile.connect({ 'multi-queue-num-queues': none })).toBe('4');
  });

  it('§4.2 item 19: the same rings for two vifs', async () => {
    await hostile.connect();
    await bed.host.toolstack.attachVif(hostile.domid, { handle: 1 });
    const second = { fe: hostile.fe.replace(/0$/, '1'), be: hostile.be.replace(/0$/, '1') };
    await expect.poll(() => hostile.read(`${second.be}/state`), patience).toBe('2');
    const channels = { tx: hostile.native.openChannel(), rx: hostile.native.openChannel() };
    await hostile.store.transaction(async (nodes) => {
      const keys = {
        ...hostile.keys(),
        'event-channel-tx': String(channels.tx),
        'event-channel-rx': String(channels.rx),
        state: '4',
      };
      for (const [key, value] of Object.entries(keys)) await nodes.write(`${second.fe}/${key}`, value);
    });
    await expect.poll(() => hostile.read(`${second.be}/state`), patience).toMatch(/[456]/);
    await bed.unharmed(async (over) => {
      hostile.fill(0, Buffer.alloc(60, 0xff));
      while (!over()) {
        // Both serve it, each by indices of its own; the guest hurts nobody but itself.
        for (let i = 0; i < 8; i++) hostile.send(hostile.slot(0, { size: 60, id: i }));
        hostile.native.notify(channels.tx);
        await breathe();
        if ((await hostile.read(`${hostile.be}/state`)) !== '4') await hostile.reconnect();
      }
    });
  });

  it('§4.2 item 19: all of these in turn, as fast as it can', async () => {
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (const [, keys] of cases) {
          if (over()) break;
          await hostile.reset();
          expect(await hostile.connect({ 'multi-queue-num-queues': none, ...keys(hostile) })).toBe('5');
        }
      }
    });
    await hostile.reset();
    expect(await hostile.connect({ 'multi-queue-num-queues': none })).toBe('4');
  });
});

describe('§4.2 item 20: keys that change without end, and too much of them', () => {
  it('§4.2 item 20: request-multicast-control and the like', async () => {
    await hostile.connect();
    await bed.unharmed(async (over) => {
      while (!over()) {
        await flood([
          ['request-multicast-control', '1'],
          ['request-multicast-control', 'perhaps'],
          ['request-multicast-control', '0'],
          ['xdp-headroom', '32767'],
          ['xdp-headroom', '-5'],
          ['feature-sg', '0'],
          ['feature-no-csum-offload', '1'],
        ]);
      }
    });
    await servedAgain();
  });

  it('§4.2 item 20: rate, mtu and mac of the toolstack that are senseless or huge', async () => {
    await hostile.connect();
    const toolstack = bed.host.openStore(0);
    const values = [
      ['rate', '0,0'],
      ['rate', '99999999999999999999,1'],
      ['rate', 'fast'],
      ['mtu', '0'],
      ['mtu', '1000000000'],
      ['mac', 'no mac'],
      ['mac', 'ff:ff:ff:ff:ff:ff'],
    ] as const;
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (const [key, value] of values) await toolstack.write(`${hostile.be}/${key}`, value);
        await breathe();
      }
    });
    await toolstack.write(`${hostile.be}/mac`, '00:16:3e:00:00:99');
    await toolstack.write(`${hostile.be}/rate`, '');
    await servedAgain();
    toolstack.close();
  });

  it('§4.2 item 20: large values and as many nodes as its quota allows', async () => {
    await hostile.connect();
    let refused = 0;
    await bed.unharmed(async (over) => {
      for (let i = 0; !over(); i++) {
        await hostile.store.write(`${hostile.fe}/junk-${i % 1000}/x`, 'x'.repeat(1800)).catch(() => {
          refused++;
        });
        if (i % 10 === 0) await breathe();
      }
    });
    for (let i = 0; i < 1000; i++) {
      await hostile.store.write(`${hostile.fe}/more-${i}`, '').catch(() => {
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(0);
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
    await hostile.store.rm(`${hostile.fe}/more-0`);
  });
});

describe('§4.2 item 21: paths and domains that point elsewhere', () => {
  it('§4.2 item 21: `backend` of the frontend altered', async () => {
    const [victim] = bed.pair;
    for (const path of [`/local/domain/0/backend/vif/${victim.domid}/0`, '/local/domain/0', '', '/nowhere', '../..']) {
      await hostile.store.write(`${hostile.fe}/backend`, path);
      await hostile.store.write(`${hostile.fe}/backend-id`, String(victim.domid));
      expect(await hostile.reconnect(), path).toBe('4');
      expect(victim.vifs[0]!.phase).toBe('connected');
    }
    expect(bed.backend.vif({ domid: hostile.domid, handle: 0 })).toMatchObject({ phase: 'connected' });
  });

  it('§4.2 item 21: the guest writes into directories that are not its own', async () => {
    const [victim] = bed.pair;
    for (const path of [
      `${hostile.be}/state`,
      `/local/domain/0/backend/vif/${victim.domid}/0/state`,
      `/local/domain/${victim.domid}/device/vif/0/state`,
      '/local/domain/0/backend/vif/99/0/state',
    ]) {
      await expect(hostile.store.write(path, '6')).rejects.toMatchObject({ code: 'EACCES' });
    }
    expect(victim.vifs[0]!.phase).toBe('connected');
  });

  it.each([
    ['frontend-id', '2'],
    ['frontend', '/local/domain/1/device/vif/0'],
  ])('§4.2 item 21: %s does not agree with the path', async (key, value) => {
    await hostile.backend('2');
    const toolstack = bed.host.openStore(0);
    await toolstack.write(`${hostile.be}/${key}`, value);
    await hostile.announce();
    expect(await hostile.backend('4', '5')).toBe('5');
    expect(await hostile.read(`${hostile.be}/error`)).toContain(key);
    expect(bed.pair[0].vifs[0]!.phase).toBe('connected');
    toolstack.close();
  });
});

describe('§4.2 item 21: all of these, while the others talk', () => {
  it('§4.2 item 21: `backend` that points elsewhere, and writes that are refused', async () => {
    const [victim] = bed.pair;
    const theirs = `/local/domain/0/backend/vif/${victim.domid}/0`;
    await hostile.connect();
    let rounds = 0;
    await bed.unharmed(async (over) => {
      while (!over()) {
        await flood([
          ['backend', theirs],
          ['backend-id', String(victim.domid)],
          ['backend', '../..'],
        ]);
        for (const path of [`${theirs}/state`, `/local/domain/${victim.domid}/device/vif/0/state`]) {
          await expect(hostile.store.write(path, '6')).rejects.toMatchObject({ code: 'EACCES' });
        }
        expect(await hostile.reconnect()).toBe('4');
        rounds++;
      }
    });
    expect(rounds).toBeGreaterThan(1);
  });
});

describe('§4.2 item 22: connect and disconnect without end', () => {
  it('§4.2 item 22: nothing is left behind, while the others talk', async () => {
    await hostile.connect();
    await hostile.reconnect();
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const [before, fds] = [bed.usage(), descriptors()];
    let cycles = 0;
    await bed.unharmed(async (over) => {
      while (!over()) {
        expect(await hostile.reconnect()).toBe('4');
        cycles++;
      }
    });
    expect(cycles).toBeGreaterThan(2);
    await expect.poll(() => bed.usage(), patience).toEqual(before);
    expect(descriptors()).toBeLessThanOrEqual(fds + 2);
    expect(bed.backend.counters.attached - bed.backend.counters.detached).toBe(bed.backend.vifs().length);
  });
});

describe('§4.2 item 23: the domain dies', () => {
  it.each(['in InitWait', 'mapped and busy', 'in Closing'])('§4.2 item 23: %s', async (when) => {
    await bed.destroy(hostile);
    await expect.poll(() => bed.usage().ports, patience).toBe(3);
    // The backend's, one per domain, and one of each frontend.
    await expect.poll(() => bed.usage().watches, patience).toBe(2 + 3 + 3);
    const before = bed.usage();
    await bed.unharmed(async (over) => {
      while (!over()) {
        const guest = await bed.hostile();
        await guest.backend('2');
        if (when !== 'in InitWait') {
          await guest.connect();
          guest.fill(0, Buffer.alloc(4000, 0xff));
          guest.post(200);
          for (let i = 0; i < 200; i++) guest.tx.write(guest.slot(0, { size: 4000, id: i }));
          guest.send();
          if (when === 'in Closing') await guest.state('5');
        }
        await bed.destroy(guest);
      }
    });
    await expect.poll(() => bed.usage(), patience).toEqual(before);
    expect(bed.backend.vifs()).toHaveLength(3);
  });
});
