/** The life of vifs under xl, and the keys that it writes for them. */
import { macOf } from '../dom0/backends.js';
import { Guest, unloadNetfront } from '../dom0/guest.js';
import { atMost, equal, type Run, that } from '../dom0/run.js';
import { eventually, sh, within } from '../dom0/shell.js';
import { iperf, ping, reachable, serveIperf } from '../dom0/traffic.js';
import { backendPath, frontendPath, gone, paths, read } from '../dom0/xenstore.js';
import { Xvifd } from '../dom0/xvifd.js';
import type { Scenario } from './scenario.js';
import { netbackAbsent, startSwitch } from './wire.js';

const PEER = '10.0.0.2';
/** What the `rate` key allows here, bit/s: far below what an interpreted machine carries. */
const RATE = 4e6;

/** What a guest's vif is after something happened to it: a port that carries its traffic. */
async function works(xvifd: Xvifd, guest: Guest): Promise<void> {
  await xvifd.portOf(guest);
  await reachable(guest, PEER, 300);
  equal(await ping(guest, PEER, 5), 5, 'answers');
}

async function keys(run: Run, xvifd: Xvifd, guest: Guest): Promise<void> {
  await run.check('mac: the guest has it, on each of its vifs', async () => {
    const shown = await guest.run('cat /sys/class/net/eth*/address');
    equal(shown, [macOf(1), macOf(1, 1), macOf(1, 2)].join('\n'), 'addresses');
  });
  await run.check('vifname names the port', async () => {
    equal((await xvifd.portOf(guest, 1)).name, 'web-eth1', 'name');
  });
  await run.check('mtu reaches the frontend', async () => {
    equal(await read(`${frontendPath(guest.domid, 1)}/mtu`), '9000', 'mtu');
    await guest.run('ip link set eth1 mtu 9000');
  });
  await run.check('rate limits what comes from the guest', async () => {
    // vif 2 stands on the same bridge with an address of its own.
    await guest.configure(1, 2);
    await peerOn(guest);
    const limited = await iperf(guest, '10.2.0.2', { megabytes: 3 });
    // Above the limit in any case: a bucket's worth at the start, and what is rounded.
    atMost(limited.bitsPerSecond, RATE * 1.6, 'bit/s of the limited vif');
    const free = await iperf(guest, PEER, { megabytes: 8 });
    const mbit = (bits: number) => (bits / 1e6).toFixed(1);
    return `${mbit(limited.bitsPerSecond)} Mbit/s of ${RATE / 1e6}; the free one ${mbit(free.bitsPerSecond)}`;
  });
}

async function peerOn(guest: Guest): Promise<void> {
  await reachable(guest, '10.2.0.2', 240);
}

async function hotplug(run: Run, xvifd: Xvifd, guest: Guest): Promise<void> {
  const handle = 3;
  await run.check('network-list shows the vifs', async () => {
    const list = await sh('xl', 'network-list', guest.name);
    for (const mac of [macOf(1), macOf(1, 1), macOf(1, 2)]) that(list.includes(mac), `${mac} is not in\n${list}`);
  });
  await run.check('network-attach: a further vif works', async () => {
    await within(300, 'xl', 'network-attach', guest.name, ...xvifd.vif(1).replace(macOf(1), macOf(1, 3)).split(','));
    const port = await xvifd.portOf(guest, handle);
    equal(port.vif?.handle, handle, 'handle');
    await eventually('the guest sees it', () => guest.ask('test -e /sys/class/net/eth3').then((a) => a.status === 0));
    await guest.run('ip link set eth3 up; ip -6 addr add fd00:3::1/64 dev eth3 nodad');
    await eventually('its packets arrive', async () => {
      await guest.ask('ping -c 1 -W 1 fd00:3::9');
      return (await xvifd.portOf(guest, handle)).counters.rxPackets > 0n;
    });
  });
  await run.check('network-detach: it goes, everywhere', async () => {
    await within(300, 'xl', 'network-detach', guest.name, `${handle}`);
    await gone(`${backendPath(guest.domid, handle)}/state`);
    await gone(`${frontendPath(guest.domid, handle)}/state`);
    await eventually('the port is gone', async () => !(await xvifd.ports()).some(({ vif }) => vif?.handle === handle));
    await eventually('the guest lost it', () => guest.ask('test -e /sys/class/net/eth3').then((a) => a.status !== 0));
    await works(xvifd, guest);
  });
}

async function driver(run: Run, xvifd: Xvifd, guest: Guest): Promise<void> {
  await run.check('driver unload and load in the guest', async () => {
    const { number } = await xvifd.portOf(guest);
    await guest.run(unloadNetfront);
    await eventually('the port is down', async () =>
      (await xvifd.ports()).every(({ vif, state }) => vif?.domid !== guest.domid || state !== 'up'),
    );
    await guest.run('modprobe xen-netfront');
    equal((await xvifd.portOf(guest)).number, number, 'port number afterwards');
    await guest.configure(1);
    await works(xvifd, guest);
  });
}

async function vlans(run: Run, xvifd: Xvifd): Promise<void> {
  const guests: Guest[] = [];
  const vif = (n: number, bridge: string) => xvifd.vif(n).replace('bridge=br0', `bridge=${bridge}`);
  await run.check('bridge=NAME.TAG and NAME:TRUNKS', async () => {
    const plan = [
      ['access10', 5, 'br0.10'],
      ['access20', 6, 'br0.20'],
      ['trunk', 7, 'br0:10:30'],
    ] as const;
    guests.push(...(await Promise.all(plan.map(([name, n, bridge]) => Guest.start(name, { vifs: [vif(n, bridge)] })))));
    const [access10, access20, trunk] = guests as [Guest, Guest, Guest];
    await access10.configure(5);
    await access20.configure(6);
    await trunk.run('modprobe 8021q; ip link set eth0 up');
    for (const [tag, address] of [
      [10, '10.0.0.7'],
      [20, '10.20.0.7'],
    ] as const) {
      await trunk.run(
        `ip link add link eth0 name eth0.${tag} type vlan id ${tag}; ip addr add ${address}/24 dev eth0.${tag}; ip link set eth0.${tag} up`,
      );
    }
    for (const guest of guests) await xvifd.portOf(guest);
    await reachable(access10, '10.0.0.7');
    equal(await ping(access10, '10.0.0.7', 5), 5, 'answers between tag 10 and the trunk');
    equal(await ping(access10, '10.0.0.6', 3, '-W 1'), 0, 'answers between tags 10 and 20');
    // The trunk does not carry 20: the same addresses on both sides and still no answer.
    await access20.run('ip addr add 10.20.0.6/24 dev eth0');
    equal(await ping(access20, '10.20.0.7', 3, '-W 1'), 0, 'answers between tag 20 and a trunk without it');
  });
  for (const guest of guests) await guest.destroy();
}

async function lives(run: Run, xvifd: Xvifd, guest: Guest): Promise<void> {
  const saved = '/var/tmp/guest.save';
  await run.check('reboot', async () => {
    const before = guest.domid;
    await sh('xl', 'reboot', guest.name);
    await eventually(
      'the domain is a new one',
      async () => Number(await sh('xl', 'domid', guest.name)) !== before,
      120,
    );
    await guest.ready();
    await guest.configure(1);
    await works(xvifd, guest);
    await gone(`/local/domain/0/backend/vif/${before}`);
  });
  await run.check('save and restore: addresses and traffic are there again', async () => {
    const before = guest.domid;
    await within(300, 'xl', 'save', guest.name, saved);
    await gone(`/local/domain/0/backend/vif/${before}`);
    await within(300, 'xl', 'restore', saved);
    await guest.connect();
    await works(xvifd, guest);
    await sh('rm', '-f', saved);
  });
  await run.check('shutdown', async () => {
    const { domid } = guest;
    await within(300, 'xl', 'shutdown', '-w', guest.name);
    await gone(`/local/domain/0/backend/vif/${domid}`);
  });
}

export const toolstack: Scenario = {
  name: 'toolstack',
  seconds: 5400,
  shortSeconds: 0,
  run: async (run) => {
    const xvifd = new Xvifd({ args: ['--fail-mode', 'standalone'] });
    await startSwitch(run, xvifd);
    const guests: Guest[] = [];
    await run.need('create: a guest with three vifs, a guest with one', async () => {
      const second = (n: number, index: number, ...more: string[]) =>
        xvifd.vif(n, ...more).replace(macOf(n), macOf(n, index));
      const vifs = [
        xvifd.vif(1),
        second(1, 1, 'vifname=web-eth1', 'mtu=9000'),
        second(1, 2, `rate=${RATE / 1e6}Mb/s@50ms`),
      ];
      guests.push(...(await Promise.all([Guest.start('g1', { vifs }), Guest.start('g2', { vifs: [xvifd.vif(2)] })])));
      const [a, b] = guests as [Guest, Guest];
      await a.configure(1);
      await b.configure(2);
      await b.run('ip addr add 10.2.0.2/24 dev eth0');
      await serveIperf(b);
      await works(xvifd, a);
    });
    const [a, b] = guests as [Guest, Guest];
    await keys(run, xvifd, a);
    await hotplug(run, xvifd, a);
    await driver(run, xvifd, a);
    await lives(run, xvifd, a);
    await run.check('destroy', async () => {
      const { domid } = b;
      await b.destroy();
      await gone(`/local/domain/0/backend/vif/${domid}`);
    });
    await a.destroy();
    await vlans(run, xvifd);
    await run.check('nothing is left of the guests', async () => {
      const ports = (await xvifd.ports()).filter(({ kind }) => kind === 'vif').map(({ name }) => name);
      equal(ports.join(), '', 'ports');
      equal((await paths('/local/domain/0/backend/vif/')).join(), '', 'backend nodes');
      const list = (await sh('xl', 'list')).trimEnd().split('\n');
      equal(list.length, 2, `lines of xl list (${list.slice(2).join('; ')})`);
      equal(xvifd.grantMappings(), 0, 'mappings of grants');
    });
    await run.check('xen-netback was never loaded', async () => netbackAbsent());
    await run.check('xvifd ends by itself', async () => equal(await xvifd.end(), 0, 'exit code'));
  },
};
