/** xvifd in a domain of its own that serves other guests' vifs, with `xl devd` as its toolstack. */
import { macOf } from '../dom0/backends.js';
import { Guest } from '../dom0/guest.js';
import { atLeast, equal, type Run, that } from '../dom0/run.js';
import { eventually, sh, within } from '../dom0/shell.js';
import { iperf, ping, reachable, serveIperf } from '../dom0/traffic.js';
import { backendPath, gone, paths, read } from '../dom0/xenstore.js';
import { hotplugScript, projectRoot } from '../dom0/xvifd.js';
import type { Scenario } from './scenario.js';
import { netbackAbsent } from './wire.js';

const NAME = 'driver';

/** Its root is a second, unshared view of Dom0's disk, which Dom0 serves with the kernel's block backend. */
async function startDomain(): Promise<Guest> {
  await sh('modprobe', 'xen-blkback');
  return Guest.start(NAME, {
    memory: 640,
    lines: [
      "ramdisk='/lab/disk-initrd'",
      "extra='console=hvc0 quiet mitigations=off ROOT=/dev/xvda INIT=/lab/driver-domain-init'",
      "disk=['phy:/dev/vdd,xvda,w','phy:/dev/vdb,xvdb,r']",
      'driver_domain=1',
    ],
  });
}

async function startDaemon(driver: Guest): Promise<void> {
  const daemon = `${projectRoot}/dist/bin/xvifd.js --hypervisor xen --fail-mode standalone --bridge br0`;
  await driver.run(`node ${daemon} >/run/lab/xvifd.log 2>&1 & echo $! >/run/lab/xvifd.pid`);
  await eventually(
    'xvifd is ready',
    async () => {
      const { output } = await driver.ask('tail -5 /run/lab/xvifd.log; kill -0 $(cat /run/lab/xvifd.pid) || echo gone');
      if (output.includes('gone')) throw new Error(output);
      return output.includes('"ready"');
    },
    180,
  );
}

async function ports(driver: Guest): Promise<string> {
  return driver.run(`node ${projectRoot}/dist/bin/xvif.js --json ports`, 300);
}

/** Number of vifs' ports that are up. */
async function up(driver: Guest): Promise<number> {
  const list = JSON.parse(await ports(driver)) as { kind: string; state: string }[];
  return list.filter(({ kind, state }) => kind === 'vif' && state === 'up').length;
}

export const driverDomain: Scenario = {
  name: 'driver-domain',
  seconds: 5400,
  shortSeconds: 0,
  run: async (run: Run) => {
    let driver!: Guest;
    await run.need('a driver domain starts', async () => {
      driver = await startDomain();
    });
    run.defer('driver domain', () => driver.destroy());
    await run.need('xl devd and xvifd start in it', async () => {
      await driver.run('modprobe tun && xl devd');
      await startDaemon(driver);
      that((await driver.ask('grep xen_netback /proc/modules')).status !== 0, 'xen-netback is loaded in it');
    });
    const vif = (n: number) => `mac=${macOf(n)},bridge=br0,backend=${NAME},script=${hotplugScript}`;
    const guests: Guest[] = [];
    await run.need('guests with backend= start', async () => {
      for (const n of [1, 2]) guests.push(await Guest.start(`g${n}`, { vifs: [vif(n)] }));
      for (const [index, guest] of guests.entries()) await guest.configure(index + 1);
    });
    const [a, b] = guests as [Guest, Guest];
    await run.check('they are ports of the domain, and not of Dom0', async () => {
      await eventually('two ports are up', async () => (await up(driver)) === 2, 300);
      equal((await paths('/local/domain/0/backend/vif/')).length, 0, 'backend nodes of Dom0');
      equal(await read(`${backendPath(a.domid, 0, driver.domid)}/state`), '4', 'state of the backend');
    });
    await run.check('ping without loss and TCP', async () => {
      await reachable(a, '10.0.0.2');
      equal(await ping(a, '10.0.0.2', 20), 20, 'answers');
      await reachable(a, 'fd00:0::2');
      await serveIperf(b);
      const { bitsPerSecond, bytes } = await iperf(a, '10.0.0.2', { megabytes: 8 });
      atLeast(bytes, 8 << 19, 'bytes');
      return `${(bitsPerSecond / 1e6).toFixed(0)} Mbit/s`;
    });
    await run.check('network-attach and network-detach', async () => {
      const further = vif(1).replace(macOf(1), macOf(1, 1));
      await within(300, 'xl', 'network-attach', 'g1', ...further.split(','));
      await eventually('three ports are up', async () => (await up(driver)) === 3, 300);
      await within(300, 'xl', 'network-detach', 'g1', '1');
      await gone(`${backendPath(a.domid, 1, driver.domid)}/state`, 300);
    });
    await run.check('kill -9 of its daemon: traffic resumes by itself', async () => {
      await driver.run('kill -9 $(cat /run/lab/xvifd.pid); sleep 1');
      await startDaemon(driver);
      await eventually('two ports are up', async () => (await up(driver)) === 2, 300);
      await reachable(a, '10.0.0.2', 300);
    });
    await run.check('no quota of xenstore was met', async () => {
      const { output } = await driver.ask('grep -cE "EQUOTA|E2BIG|ENOSPC" /run/lab/xvifd.log');
      equal(output, '0', 'lines of the log');
    });
    await run.check('destroyed guests leave nothing', async () => {
      for (const guest of guests) await guest.destroy();
      for (const { domid } of guests) await gone(`/local/domain/${driver.domid}/backend/vif/${domid}/0/state`, 300);
      await eventually('no zombie', async () => (await sh('xl', 'list')).trimEnd().split('\n').length === 3, 300);
      equal(await up(driver), 0, 'ports that are up');
    });
    await run.check('xen-netback was never loaded in Dom0', async () => netbackAbsent());
  },
};
