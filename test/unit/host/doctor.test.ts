import { describe, expect, it } from 'vitest';
import { examine } from '../../../src/host/doctor/doctor.js';
import type { Finding } from '../../../src/host/doctor/host.js';
import {
  daemon,
  debianWithNetback,
  driverDomain,
  FakeHost,
  type FakeHostOptions,
  type Files,
  files,
  goodDom0,
  laptop,
  served,
  VERSION,
  vifNodes,
  xcpNg,
} from './fake-host.js';

async function findings(options: FakeHostOptions): Promise<Finding[]> {
  const host = new FakeHost(options);
  const result = await examine(host, { version: VERSION, files });
  expect(host.storesOpen).toBe(0);
  return result;
}

/** Checks that are not in order, by name. */
async function troubles(options: FakeHostOptions): Promise<Record<string, string>> {
  const bad = (await findings(options)).filter(({ status }) => status !== 'ok');
  for (const { remedy } of bad) expect(remedy).toBeTruthy();
  return Object.fromEntries(bad.map(({ check, status, found }) => [check, `${status}: ${found}`]));
}

const withFiles = (more: Files, base = goodDom0): FakeHostOptions => ({ ...base, files: { ...base.files, ...more } });

function without(path: string, base = goodDom0): FakeHostOptions {
  const kept = Object.entries(base.files).filter(([name]) => name !== path && !name.startsWith(`${path}/`));
  return { ...base, files: Object.fromEntries(kept) };
}

describe('whole hosts', () => {
  it('a Dom0 as it should be', async () => {
    expect(await findings(goodDom0)).toEqual([
      { check: 'hypervisor', status: 'ok', found: 'Xen 4.17.5' },
      { check: 'domain', status: 'ok', found: 'Dom0, PV' },
      { check: 'kernel', status: 'ok', found: 'Linux 6.1.0-18-amd64' },
      { check: 'Node.js', status: 'ok', found: '20.17.0' },
      { check: 'native data plane', status: 'ok', found: 'loads' },
      { check: '/dev/xen/gntdev', status: 'ok', found: "opens, for guests' pages" },
      { check: '/dev/xen/evtchn', status: 'ok', found: 'opens, for event channels' },
      { check: '/dev/xen/gntalloc', status: 'ok', found: 'there, for cheaper copies' },
      { check: '/dev/net/tun', status: 'ok', found: 'there, for LOCAL ports' },
      { check: 'xen-netback', status: 'ok', found: 'is not loaded, and /etc/modprobe.d/xvif.conf keeps it away' },
      { check: 'hotplug script', status: 'ok', found: '/etc/xen/scripts/vif-xvif, version 1.2.3' },
      { check: 'systemd unit', status: 'ok', found: '/etc/systemd/system/xvifd.service, version 1.2.3' },
      { check: 'xl', status: 'ok', found: 'vifs get script vif-xvif by default' },
      { check: 'xvifd', status: 'ok', found: 'version 1.2.3, pid 42, hypervisor xen' },
      { check: 'xenstore', status: 'ok', found: 'answers on /run/xenstored/socket, domain 0' },
      { check: 'vifs', status: 'ok', found: '1 of 1 in xenstore are in order' },
    ]);
  });

  it('Debian as it comes, with a guest on netback', async () => {
    expect(await troubles(debianWithNetback)).toEqual({
      'xen-netback': 'fail: is loaded: it takes every vif',
      'hotplug script': 'fail: /etc/xen/scripts/vif-xvif is not there',
      'systemd unit': 'warn: /etc/systemd/system/xvifd.service is not there',
      xl: 'warn: vifs get script vif-bridge by default, which fails: there is no kernel interface',
      xvifd: 'fail: cannot reach xvifd: is it running?',
      'vif xvif3i0': 'fail: is served by the kernel: xen-netback took it',
    });
  });

  it('XCP-ng as it comes', async () => {
    expect(await troubles(xcpNg)).toMatchObject({
      'xen-netback': 'fail: is built into the kernel: it takes every vif',
      xenopsd: 'fail: leaves hotplug scripts to udev, which never sees our vifs',
    });
    const conf = { '/etc/xenopsd.conf': 'run_hotplug_scripts=true\nvif-script=/etc/xen/scripts/vif-xvif\n' };
    expect(await troubles(withFiles(conf, xcpNg))).not.toHaveProperty('xenopsd');
  });

  it('a laptop: what needs Xen is left out', async () => {
    expect(await findings(laptop)).toMatchObject([
      { check: 'hypervisor', status: 'fail', remedy: expect.stringContaining('npm start') },
      { check: 'Node.js', status: 'ok' },
      { check: 'native data plane', status: 'ok' },
    ]);
  });

  it('a driver domain', async () => {
    expect(await troubles(driverDomain)).toEqual({});
    const all = await findings(driverDomain);
    expect(all.find(({ check }) => check === 'domain')!.found).toMatch(/other than Dom0.*, PVH$/);
    expect(all.find(({ check }) => check === '/dev/xen/xenbus')!.status).toBe('ok');
    expect(all.find(({ check }) => check === 'xl devd')!.found).toBe('runs, pid 77');
    expect(await troubles(without('/run/xldevd.pid', driverDomain))).toMatchObject({
      'xl devd': expect.stringMatching(/^warn: does not run/),
    });
  });
});

describe('one thing amiss', () => {
  const netback = (options: FakeHostOptions) =>
    findings(options).then((all) => all.find(({ check }) => check === 'xen-netback'));

  it.each<[string, FakeHostOptions, string, string]>([
    [
      'an old kernel',
      withFiles({ '/proc/sys/kernel/osrelease': '4.4.0\n' }),
      'kernel',
      'fail: Linux 4.4.0 has no grant copy in gntdev',
    ],
    ['no sysfs', without('/sys/hypervisor'), 'hypervisor', 'warn: Xen, version unknown'],
    [
      'a device that is not there',
      without('/dev/xen/gntdev'),
      '/dev/xen/gntdev',
      'fail: is not there, though module xen-gntdev is loaded',
    ],
    [
      'one that can be done without',
      without('/dev/xen/gntalloc'),
      '/dev/xen/gntalloc',
      'warn: is not there: each small copy costs more',
    ],
    [
      'nor its module',
      without('/sys/module/xen_evtchn', without('/dev/xen/evtchn')),
      '/dev/xen/evtchn',
      'fail: is not there: module xen-evtchn is not loaded',
    ],
    [
      'a device that does not open',
      { ...goodDom0, closed: { '/dev/xen/evtchn': 'EACCES: permission denied' } },
      '/dev/xen/evtchn',
      'fail: does not open: EACCES: permission denied',
    ],
    [
      'no TAP devices',
      without('/dev/net/tun'),
      '/dev/net/tun',
      'warn: is not there: no TAP devices, so no LOCAL ports',
    ],
    ['an old Node.js', { ...goodDom0, nodeVersion: '20.16.9' }, 'Node.js', 'fail: 20.16.9 is too old'],
    ['no data plane', { ...goodDom0, addonError: 'cannot load it' }, 'native data plane', 'fail: cannot load it'],
    [
      'a script that cannot run',
      { ...goodDom0, plain: ['/etc/xen/scripts/vif-xvif'] },
      'hotplug script',
      'fail: /etc/xen/scripts/vif-xvif is not executable',
    ],
    [
      'an older script',
      withFiles({ '/etc/xen/scripts/vif-xvif': '# vif-xvif: hotplug script of xvif-switch 1.0.0 for\n' }),
      'hotplug script',
      'warn: /etc/xen/scripts/vif-xvif is of version 1.0.0, this is 1.2.3',
    ],
    [
      'a unit somebody changed',
      withFiles({ '/etc/systemd/system/xvifd.service': '# xvif-switch 1.2.3. Options\n' }),
      'systemd unit',
      'warn: /etc/systemd/system/xvifd.service is not as this version has it',
    ],
    [
      'a unit that is not enabled',
      without('/etc/systemd/system/multi-user.target.wants/xvifd.service'),
      'systemd unit',
      'warn: is there, but not started at boot',
    ],
    [
      'xl that runs no scripts',
      withFiles({ '/etc/xen/xl.conf': 'run_hotplug_scripts=0\n' }),
      'xl',
      'fail: does not run hotplug scripts',
    ],
    ['no daemon', { ...goodDom0, daemon: undefined }, 'xvifd', 'fail: cannot reach xvifd: is it running?'],
    [
      'a daemon with the emulated hypervisor',
      { ...goodDom0, daemon: { ...daemon, hypervisor: 'emulated' } },
      'xvifd',
      'fail: version 1.2.3, pid 42, hypervisor emulated',
    ],
    [
      'a daemon of yesterday',
      { ...goodDom0, daemon: { ...daemon, version: '1.0.0' } },
      'xvifd',
      'warn: version 1.0.0, pid 42, hypervisor xen',
    ],
    ['no xenstored', { ...goodDom0, nodes: undefined }, 'xenstore', 'fail: xenstored does not answer'],
  ])('%s', async (_, options, check, trouble) => {
    expect(await troubles(options)).toEqual({ [check]: trouble });
  });

  it('a host without systemd has no unit to miss', async () => {
    expect(await troubles(without('/etc/systemd', without('/run/systemd')))).toEqual({});
  });

  it('xenfs that is not mounted: the start flags tell', async () => {
    const bare = without('/proc/xen');
    expect(await troubles(withFiles({ '/sys/hypervisor/start_flags/initdomain': '1\n' }, bare))).toEqual({});
  });

  it.each([
    ['', 'fail', /next vif loads it/],
    ['blacklist xen-netback\n', 'warn', /stops udev, but not/],
    ['install xen_netback /bin/true\n', 'ok', /keeps it away/],
    ['# install xen-netback /bin/false\n', 'fail', /next vif loads it/],
    ['install xen-netback-tools /bin/false\n', 'fail', /next vif loads it/],
  ])('modprobe.d with %j', async (text, status, found) => {
    const options = withFiles({ '/usr/lib/modprobe.d/x.conf': text }, without('/etc/modprobe.d'));
    expect(await netback(options)).toMatchObject({ status, found: expect.stringMatching(found) });
  });

  it('netback in the kernel, turned off', async () => {
    const builtin = 'kernel/drivers/net/xen-netback/xen-netback.ko\n';
    const options = withFiles({
      '/lib/modules/6.1.0-18-amd64/modules.builtin': builtin,
      '/proc/cmdline': 'root=/dev/sda1 initcall_blacklist=netback_init quiet\n',
    });
    expect(await netback(options)).toMatchObject({ status: 'ok', found: expect.stringContaining('turned off') });
  });
});

describe('vifs', () => {
  const ours = { ...served, xvif: 'port xvif7i0' };
  it.each<[string, Files, string]>([
    ['nobody serves', { ...served, state: '1' }, 'fail: is served by nobody: state Initialising'],
    ['another backend serves', served, 'fail: is served by another backend than xvifd'],
    ['xvifd refused', { ...ours, xvif: 'refused there is no bridge "br9"' }, 'warn: there is no bridge "br9"'],
    ['xvifd lost', ours, 'fail: is connected in xenstore, but not a port of xvifd'],
    ['was closed', { ...ours, state: '5', error: 'bad ring' }, 'warn: was closed: bad ring'],
    ['was closed for good', { ...ours, state: '6', error: 'bad ring' }, 'warn: was closed: bad ring'],
    ['whose script failed', { ...ours, state: '2', 'hotplug-error': 'no' }, 'warn: its script failed: no'],
    [
      'with a script of the kernel',
      { ...ours, state: '2', script: '/etc/xen/scripts/vif-bridge' },
      'warn: has script /etc/xen/scripts/vif-bridge, which wants a kernel interface',
    ],
  ])('one that %s', async (_, keys, trouble) => {
    const options = { ...goodDom0, nodes: { ...goodDom0.nodes, ...vifNodes(7, keys) } };
    expect(await troubles(options)).toEqual({ 'vif xvif7i0': trouble });
    const all = await findings(options);
    expect(all.find(({ check }) => check === 'vifs')!.found).toBe('1 of 2 in xenstore are in order');
  });

  it('one that waits for its guest is in order', async () => {
    expect(await troubles({ ...goodDom0, nodes: vifNodes(8, { ...ours, state: '2' }) })).toEqual({});
  });

  it('one that got over an error is in order', async () => {
    const keys = { ...ours, state: '2', error: 'bad ring' };
    expect(await troubles({ ...goodDom0, nodes: vifNodes(8, keys) })).toEqual({});
  });

  it('a crowd in trouble is told of in few words', async () => {
    const crowd = Array.from({ length: 300 }, (_, index) => vifNodes(index + 1, { state: '1' }));
    const all = await findings({ ...goodDom0, nodes: Object.assign({}, ...crowd) });
    const told = all.filter(({ check }) => check.startsWith('vif'));
    expect(told).toHaveLength(19);
    expect(told.slice(-2).map(({ found }) => found)).toEqual(['240 more with troubles', '44 more were not looked at']);
  });
});
