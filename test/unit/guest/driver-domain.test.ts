/**
 * The backend in a driver domain: without domain 0's rights, within the quotas that xenstored sets for everybody else.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogFields, Logger } from '../../../src/base/logger.js';
import { type EmulatedGuest, EmulatedHost } from '../../../src/guest/index.js';
import { VifBackend } from '../../../src/vif/index.js';
import { type DomainQuota, XenstoreClient } from '../../../src/xenstore/index.js';
import { builtin, eventually, FakeBridge } from './bed.js';
import { FakeHypervisor } from './fake-hypervisor.js';

const DRIVER = 1;
const personality = { queues: 1 };

/** oxenstored's where they are lower than xenstored's; nodes as an administrator sets them for many vifs. */
const quota: Partial<DomainQuota> = { watches: 100, transactions: 10, outstanding: 20, nodes: 20_000 };

class Lines implements Logger {
  readonly lines: string[] = [];
  debug(): void {}
  info(): void {}
  warn(fields: LogFields, message: string): void {
    this.lines.push(`${message} ${JSON.stringify(fields)} ${(fields.err as Error | undefined)?.message ?? ''}`);
  }
  error(fields: LogFields, message: string): void {
    this.warn(fields, message);
  }
  child(): Logger {
    return this;
  }
}

class DriverDomain {
  readonly hypervisor = new FakeHypervisor();
  readonly bridge = new FakeBridge(this.hypervisor);
  readonly log = new Lines();
  readonly host: EmulatedHost;
  store!: XenstoreClient;
  backend!: VifBackend;

  private constructor(limits: Partial<DomainQuota>) {
    this.host = new EmulatedHost({ hypervisor: this.hypervisor, xenstoreQuota: limits });
  }

  static async start(limits: Partial<DomainQuota> = quota): Promise<DriverDomain> {
    const self = new DriverDomain(limits);
    await self.host.toolstack.createDomain({ name: 'driver', domid: DRIVER });
    self.store = new XenstoreClient(self.host.xenstore.connect(DRIVER), { logger: self.log });
    self.backend = new VifBackend({ store: self.store, hooks: self.bridge, domid: DRIVER, logger: self.log });
    await self.backend.start();
    return self;
  }

  guest(name: string, vifs = 1) {
    const vif = { stack: builtin, personality, backendDomid: DRIVER };
    return this.host.addGuest({ name, vifs: Array.from({ length: vifs }, () => vif) });
  }

  async close(): Promise<void> {
    await this.backend.stop();
    this.store.close();
    await this.host.close();
  }
}

let driver: DriverDomain;

beforeEach(async () => {
  driver = await DriverDomain.start();
});
afterEach(() => driver.close());

describe('a driver domain', () => {
  it('serves 300 vifs of 150 guests with three watches', { timeout: 300_000 }, async () => {
    const names = Array.from({ length: 150 }, (_, i) => `guest-${i}`);
    const guests: EmulatedGuest[] = [];
    // A toolstack that makes many at once gets into its own way.
    while (guests.length < names.length) {
      const some = names.slice(guests.length, guests.length + 10);
      guests.push(...(await Promise.all(some.map((name) => driver.guest(name, 2)))));
    }
    await Promise.all(guests.flatMap(({ vifs }) => vifs.map((vif) => vif.waitConnected(250_000))));
    expect(driver.bridge.attached.size).toBe(300);
    // backend/vif, all frontends, and domains that die, of which nobody tells it.
    expect(driver.store.watchCount).toBe(3);
    expect(driver.log.lines).toEqual([]);

    // Everything a guest does is still heard of.
    await guests[149]!.vifs[1]!.close(60_000);
    await guests[149]!.vifs[1]!.reopen(60_000);
    await driver.host.removeVif(guests[0]!.domid, 0);
    await driver.host.destroyGuest(guests[1]!.domid);
    await eventually(() => driver.bridge.attached.size, 297);
    expect(driver.log.lines).toEqual([]);
  });

  it('hears nothing of guests that are not its own', async () => {
    const guest = await driver.guest('mine');
    await guest.vifs[0]!.waitConnected();
    const foreign = await driver.host.toolstack.createDomain({ name: 'foreign' });
    await driver.host.toolstack.attachVif(foreign);
    const before = driver.bridge.log.length;
    const store = driver.host.openStore(foreign);
    await store.write(`/local/domain/${foreign}/device/vif/0/state`, '4');
    await expect(driver.store.read(`/local/domain/${foreign}/device/vif/0/state`)).rejects.toMatchObject({
      code: 'EACCES',
    });
    await guest.vifs[0]!.close();
    expect(driver.bridge.log.slice(before)).toEqual([`detach xvif${guest.domid}i0`]);
    store.close();
  });

  it('may write its own directories and no frontend', async () => {
    const guest = await driver.guest('guest');
    await guest.vifs[0]!.waitConnected();
    const frontend = `/local/domain/${guest.domid}/device/vif/0`;
    await expect(driver.store.write(`${frontend}/state`, '6')).rejects.toMatchObject({ code: 'EACCES' });
    expect(await driver.store.read(`${frontend}/state`)).toBe('4');
    const { vifs } = driver.backend;
    expect(vifs.call(driver.backend)).toMatchObject([{ phase: 'connected' }]);
  });

  it('tells of a fault in its own error directory', async () => {
    const guest = await driver.guest('guest');
    await guest.vifs[0]!.waitConnected();
    driver.backend.fault(guest.domid, 0, 'req_prod jumped');
    await eventually(() => guest.vifs[0]!.phase, 'closed');
    const error = `/local/domain/${DRIVER}/error/backend/vif/${guest.domid}/0/error`;
    expect(await driver.store.read(error)).toBe('req_prod jumped');
    await guest.vifs[0]!.reopen();
    await eventually(() => driver.store.readOrUndefined(error), undefined);
  });

  it.each(['request-multicast-control', 'xdp-headroom'])('a guest that hides %s stays locked', async (key) => {
    const guest = await driver.guest('guest');
    await guest.vifs[0]!.waitConnected();
    const store = driver.host.openStore(guest.domid);
    const path = `/local/domain/${guest.domid}/device/vif/0/${key}`;
    await store.write(path, '1');
    await store.setPerms(path, [{ domid: guest.domid, access: 'n' }]);
    store.close();
    await driver.host.toolstack.setKey(guest.domid, 0, 'locking-mode', 'disabled');
    await eventually(() => driver.bridge.settings.get(`xvif${guest.domid}i0`)?.disabled, true);
    await guest.vifs[0]!.close();
    await guest.vifs[0]!.reopen();
    expect(driver.bridge.settings.get(`xvif${guest.domid}i0`)?.disabled).toBe(true);
  });

  it('lets go of a guest that locks it out, and of one that dies', async () => {
    const guest = await driver.guest('guest', 2);
    for (const vif of guest.vifs) await vif.waitConnected();
    const store = driver.host.openStore(guest.domid);
    await store.setPerms(`/local/domain/${guest.domid}/device/vif/0/state`, [{ domid: guest.domid, access: 'n' }]);
    await eventually(() => [...driver.bridge.attached.keys()], [`xvif${guest.domid}i1`]);
    store.close();
    await driver.host.destroyGuest(guest.domid);
    await eventually(() => driver.backend.vifs(), []);
    await eventually(() => driver.store.watchCount, 2);
  });
});

describe('the quota of nodes', () => {
  it('when it is used up, those that are served go on, and room that is made is used', {
    timeout: 60_000,
  }, async () => {
    await driver.close();
    driver = await DriverDomain.start({ nodes: 100 });
    const guests: EmulatedGuest[] = [];
    for (let i = 0; i < 8; i++) guests.push(await driver.guest(`guest-${i}`));
    await eventually(() => driver.log.lines.some((line) => line.includes('ENOSPC')), true);
    const isServed = ({ domid }: EmulatedGuest) => driver.bridge.attached.has(`xvif${domid}i0`);
    const served = guests.filter(isServed);
    expect(served.length).toBeGreaterThanOrEqual(3);
    expect(served.length).toBeLessThan(8);
    await served[0]!.vifs[0]!.close();
    await served[0]!.vifs[0]!.reopen();
    // A vif costs 13 nodes of the toolstack and 13 of ours: three that go make room for at least one.
    for (const guest of served.slice(0, 3)) await driver.host.destroyGuest(guest.domid);
    const waiting = guests.filter((guest) => !served.includes(guest));
    for (let i = 0; i < 600 && !waiting.some(isServed); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(waiting.filter(isServed)).not.toEqual([]);
  });
});
