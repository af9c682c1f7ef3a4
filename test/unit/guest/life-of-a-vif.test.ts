/** The whole xenbus path with true frontends: toolstack, xenstored, backend, guest. The rings alone are fake. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { miniOsPersonality, netbsdPersonality } from '../../../src/guest/index.js';
import { Bed, builtin, eventually } from './bed.js';

let bed: Bed;

beforeEach(async () => {
  bed = new Bed();
  await bed.backend.start();
});

afterEach(() => bed.close());

const BE = '/local/domain/0/backend/vif/1/0';
const FE = '/local/domain/1/device/vif/0';

async function connected(vif: Parameters<Bed['host']['addVif']>[1] = { stack: builtin }) {
  const guest = await bed.host.addGuest({ name: 'guest', vifs: [vif] });
  await guest.vifs[0]!.waitConnected();
  return { guest, vif: guest.vifs[0]! };
}

describe('connecting', () => {
  it('a Linux guest gets every queue and every feature', async () => {
    const { vif } = await connected({ stack: builtin, bridge: 'br0.10:20:30', mtu: 9000, mac: '00:16:3E:aa:bb:cc' });
    expect(bed.bridge.attached.get('xvif1i0')).toMatchObject({
      domid: 1,
      handle: 0,
      queues: vif.native!.queues,
      sg: true,
      gsoTcpv4: true,
      gsoTcpv6: true,
      csumBlankIpv4: true,
      csumBlankIpv6: true,
      rxNotify: true,
    });
    expect(bed.bridge.attached.get('xvif1i0')!.queues).toHaveLength(8);
    expect(bed.backend.vifs()).toMatchObject([
      {
        name: 'xvif1i0',
        phase: 'connected',
        lifecycle: {
          info: {
            alias: 'vif1.0',
            mac: '00:16:3e:aa:bb:cc',
            mtu: 9000,
            bridge: { name: 'br0', tag: 10, trunks: [20, 30] },
          },
        },
      },
    ]);
    expect(bed.hypervisor.frontends[0]!.options).toMatchObject({ queues: 8, mtu: 9000, splitEventChannels: true });
    expect(bed.hypervisor.frontends[0]!.calls).toEqual(['connect']);
  });

  it('a guest with a control ring, anew each time it connects', async () => {
    const { vif } = await connected({ stack: builtin, personality: { controlRing: true, queues: 1 } });
    const control = () => bed.bridge.attached.get('xvif1i0')!.control;
    const first = control();
    expect(first).toEqual(vif.native!.control);
    await vif.restartAbruptly();
    expect(control()).toEqual(vif.native!.control);
    expect(control()).not.toEqual(first);
  });

  it('a NetBSD guest: flat keys, one channel', async () => {
    await connected({ stack: builtin, personality: netbsdPersonality });
    const spec = bed.bridge.attached.get('xvif1i0')!;
    expect(spec.queues).toHaveLength(1);
    expect(spec.queues[0]!.evtchnTx).toBe(spec.queues[0]!.evtchnRx);
    expect(spec).toMatchObject({ sg: true, gsoTcpv4: false, csumBlankIpv4: true });
  });

  it('a unikernel that says nothing gets no blank checksum and single slots', async () => {
    await connected({ stack: builtin, personality: miniOsPersonality });
    expect(bed.bridge.attached.get('xvif1i0')).toMatchObject({
      sg: false,
      gsoTcpv4: false,
      csumBlankIpv4: false,
      csumBlankIpv6: false,
      rxNotify: false,
    });
  });

  it('waits with Connected for the hotplug script', async () => {
    const guest = await bed.host.addGuest({ name: 'g', vifs: [{ stack: builtin, hotplug: 'wait' }] });
    await eventually(() => bed.bridge.attached.size, 1);
    expect(await bed.read(`${BE}/state`)).toBe('2');
    await bed.host.toolstack.setHotplugStatus(1, 0, 'connected');
    await guest.vifs[0]!.waitConnected();
    expect(await bed.read(`${BE}/state`)).toBe('4');
  });

  it('does not wait when the toolstack runs no script', async () => {
    await connected({ stack: builtin, hotplug: 'absent' });
  });

  it('vifs that are there before the backend', async () => {
    await bed.backend.stop();
    const guest = await bed.host.addGuest({ name: 'g', vifs: [{ stack: builtin }, { stack: builtin }] });
    bed.backend = bed.newBackend();
    await bed.backend.start();
    for (const vif of guest.vifs) await vif.waitConnected();
    expect([...bed.bridge.attached.keys()].sort()).toEqual(['xvif1i0', 'xvif1i1']);
  });

  it('a daemon started anew takes connected vifs over without the guest noticing', async () => {
    const { vif } = await connected();
    await bed.backend.stop();
    expect(bed.bridge.attached.size).toBe(0);
    expect(await bed.read(`${BE}/state`)).toBe('4');
    bed.backend = bed.newBackend();
    await bed.backend.start();
    await eventually(() => bed.bridge.attached.size, 1);
    expect(vif.phase).toBe('connected');
    expect(bed.hypervisor.frontends[0]!.calls).toEqual(['connect']);
  });
});

describe('many guests', () => {
  it('60 of two vifs each, all at once, with few watches', async () => {
    const vif = { stack: builtin, personality: { queues: 2 } };
    const names = Array.from({ length: 60 }, (_, i) => `guest-${i}`);
    const guests = await Promise.all(names.map((name) => bed.host.addGuest({ name, vifs: [vif, vif] })));
    await Promise.all(guests.flatMap(({ vifs }) => vifs.map((one) => one.waitConnected())));
    expect(bed.bridge.attached.size).toBe(120);
    // Ours: backends, deaths, 60 domains. Each frontend has one of its own.
    expect(bed.host.xenstore.usage().watches).toBe(2 + 60 + 120);
    await Promise.all(guests.map(({ domid }) => bed.host.destroyGuest(domid)));
    await eventually(() => bed.host.xenstore.usage().watches, 2);
    expect(bed.hypervisor.usage()).toMatchObject({ domains: 0, grantsGranted: 0, grantsMapped: 0 });
  });
});

describe('leaving and coming back', () => {
  it('the driver is unloaded and loaded again, with fresh rings', async () => {
    const { vif } = await connected();
    const before = vif.native!.queues;
    await vif.close();
    expect(await bed.read(`${BE}/state`)).toBe('6');
    expect(bed.bridge.attached.size).toBe(0);
    await vif.reopen();
    expect(vif.native!.queues).not.toEqual(before);
    expect(bed.bridge.attached.get('xvif1i0')!.queues).toEqual(vif.native!.queues);
  });

  it('kexec: Initialising while we are connected', async () => {
    const { vif } = await connected();
    await vif.restartAbruptly();
    expect(bed.bridge.log).toEqual(['attach xvif1i0', 'detach xvif1i0', 'attach xvif1i0']);
  });

  it('a guest that jumps from Connected to Closed', async () => {
    const { guest } = await connected();
    const store = bed.host.openStore(guest.domid);
    await store.write(`${FE}/state`, '6');
    await eventually(() => bed.read(`${BE}/state`), '6');
    expect(bed.bridge.attached.size).toBe(0);
    await store.write(`${FE}/state`, '1');
    await eventually(() => bed.read(`${BE}/state`), '2');
    store.close();
  });

  it('a fault of the data path closes the vif, and the guest may come back', async () => {
    const { vif } = await connected();
    bed.backend.fault(1, 0, 'req_prod jumped by 257');
    await eventually(() => vif.phase, 'closed');
    expect(await bed.read(`${BE}/error`)).toBe('req_prod jumped by 257');
    expect(await bed.read('/local/domain/0/error/backend/vif/1/0/error')).toBe('req_prod jumped by 257');
    expect(bed.backend.counters).toMatchObject({ faults: 1, failed: 1 });
    await vif.reopen();
    await eventually(() => bed.read(`${BE}/error`), undefined);
    expect(await bed.read('/local/domain/0/error/backend/vif/1')).toBeUndefined();
  });

  it('a bridge that refuses: its sentence stands in the error node', async () => {
    bed.bridge.refuse = new Error('bridge br9 does not exist');
    const guest = await bed.host.addGuest({ name: 'g', vifs: [{ stack: builtin }] });
    await eventually(() => guest.vifs[0]!.phase, 'closed');
    expect(await bed.read(`${BE}/error`)).toBe('bridge br9 does not exist');
    bed.bridge.refuse = undefined;
    await guest.vifs[0]!.reopen();
  });
});

describe('unplugging', () => {
  it('hot: the guest closes, the directories go, hotplug-status before them', async () => {
    const { guest, vif } = await connected();
    const seen: (string | undefined)[] = [];
    const watch = await bed.store.watch(`${BE}/hotplug-status`, async () => {
      seen.push(await bed.read(`${BE}/hotplug-status`));
    });
    expect(await bed.host.toolstack.detachVif(guest.domid, 0)).toBe(true);
    await eventually(() => vif.phase, 'gone');
    await eventually(() => bed.backend.vifs(), []);
    expect(await bed.read(BE)).toBeUndefined();
    expect(await bed.read('/local/domain/0/backend/vif/1')).toBeUndefined();
    expect(bed.hypervisor.usage()).toMatchObject({ grantsGranted: 0, grantsMapped: 0 });
    await watch.close();
  });

  it('hotplug-status vanishes once Closed, for a toolstack that waits for that (XCP-ng)', async () => {
    await connected();
    await bed.store.transaction(async (nodes) => {
      await nodes.write(`${BE}/online`, '0');
      await nodes.write(`${BE}/state`, '5');
    });
    await eventually(() => bed.read(`${BE}/hotplug-status`), undefined);
    expect(await bed.read(`${BE}/state`)).toBe('6');
  });

  it('a vif whose guest never loaded a driver', async () => {
    const domid = await bed.host.toolstack.createDomain({ name: 'no driver' });
    const vif = await bed.host.toolstack.attachVif(domid);
    await bed.host.toolstack.waitForBackend(vif);
    expect(await bed.host.toolstack.detachVif(domid, 0)).toBe(true);
  });

  it('and plugging in at once again', async () => {
    const { guest } = await connected();
    for (let round = 0; round < 5; round++) {
      await bed.host.removeVif(guest.domid, 0);
      const vif = await bed.host.addVif(guest.domid, { stack: builtin });
      await vif.waitConnected();
    }
  });

  it('no ghost: nothing is written where the toolstack removed the directory', async () => {
    const { guest } = await connected();
    await bed.store.rm(BE);
    await eventually(() => bed.backend.vifs(), []);
    expect(await bed.read(BE)).toBeUndefined();
    expect(bed.bridge.attached.size).toBe(0);
    expect(guest.vifs).toHaveLength(1);
  });
});

describe('death of a domain', () => {
  it.each(['waiting', 'connected', 'closing'])('while %s', async (when) => {
    const { guest, vif } = await connected();
    if (when === 'waiting') await bed.host.openStore(1).write(`${FE}/state`, '1');
    if (when === 'closing') void vif.close().catch(() => {});
    await bed.host.destroyGuest(guest.domid);
    await eventually(() => bed.backend.vifs(), []);
    expect(bed.hypervisor.usage()).toEqual({ domains: 0, grantsGranted: 0, grantsMapped: 0, evtchns: 0, threads: 0 });
    expect(await bed.read('/local/domain/1')).toBeUndefined();
  });
});

describe('nothing leaks', () => {
  it('when xenstore does not let a dead domain be cleared away', async () => {
    const { guest } = await connected();
    bed.host.toolstack.destroy = () => Promise.reject(new Error('quota'));
    const before = bed.host.xenstore.usage().connections;
    await expect(bed.host.destroyGuest(guest.domid)).rejects.toThrow('quota');
    expect(bed.hypervisor.frontends[0]!.calls).toContain('close');
    await eventually(() => bed.host.xenstore.usage().connections, before - 1);
  });

  it('over 1000 cycles of attach, connect, detach', { timeout: 120_000 }, async () => {
    const domid = (await bed.host.addGuest({ name: 'g', vifs: [] })).domid;
    const usage = () => bed.host.xenstore.usage();
    let before = usage();
    for (let cycle = 0; cycle < 1000; cycle++) {
      // The first cycle leaves the directories that all vifs share.
      if (cycle === 1) {
        await eventually(() => usage().watches, 2);
        before = usage();
      }
      const vif = await bed.host.addVif(domid, { stack: builtin, personality: { queues: 1 } });
      await vif.waitConnected();
      await bed.host.removeVif(domid, 0);
    }
    await eventually(() => bed.backend.vifs(), []);
    await eventually(usage, before);
    expect(bed.hypervisor.usage()).toMatchObject({ grantsGranted: 0, grantsMapped: 0 });
    expect(bed.backend.counters).toMatchObject({ attached: 1000, detached: 1000, failed: 0 });
  });
});
