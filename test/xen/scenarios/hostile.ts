/** What a real guest kernel can do to the backend, while two other guests' traffic is watched. */
import { statSync } from 'node:fs';
import { macOf } from '../dom0/backends.js';
import { Guest, unloadNetfront } from '../dom0/guest.js';
import { holdings, sameHoldings } from '../dom0/leaks.js';
import { atLeast, atMost, equal, type Run, that } from '../dom0/run.js';
import { eventually, sh } from '../dom0/shell.js';
import { generate, iperf, load, ping, reachable, serveEcho, serveIperf, unload } from '../dom0/traffic.js';
import { backendPath, read } from '../dom0/xenstore.js';
import { Xvifd } from '../dom0/xvifd.js';
import type { Scenario } from './scenario.js';
import { startSwitch } from './wire.js';

const GROWTH_KIB = 48_000;
/** What one guest may make the daemon log, in bytes for each attack. */
const LOG_BYTES = 512 << 10;

interface Scene {
  readonly xvifd: Xvifd;
  readonly a: Guest;
  readonly b: Guest;
  readonly attacker: Guest;
}

const victim = { mac: macOf(1), ip: '10.0.0.1' };
const frontend = 'device/vif/0';

/** For the attacker's shell, towards a victim. */
const pressure = load(victim.ip);

/** Runs the attack while the others ping; afterwards the daemon is the same and its log short. */
async function during(scene: Scene, attack: () => Promise<unknown>): Promise<void> {
  const { xvifd, a } = scene;
  const { pid } = xvifd;
  const logged = statSync(xvifd.log).size;
  const [answers] = await Promise.all([ping(a, '10.0.0.2', 20, '-W 10'), attack()]);
  equal(answers, 20, "answers of the others' ping");
  that(xvifd.running && xvifd.pid === pid, 'xvifd ended');
  await xvifd.ports();
  atMost(statSync(xvifd.log).size - logged, LOG_BYTES, 'bytes of log');
}

/** What the toolstack or Linux writes there anyway; other keys stay until somebody takes them away. */
const usualKeys = ['backend', 'backend-id', 'handle', 'mac', 'mtu', 'state'];

async function removeStrangeKeys({ domid }: Guest): Promise<void> {
  const directory = `/local/domain/${domid}/${frontend}`;
  const keys = (await sh('xenstore-list', directory)).split('\n').filter((key) => key !== '');
  const strange = keys.filter((key) => !usualKeys.includes(key)).map((key) => `${directory}/${key}`);
  if (strange.length > 0) await sh('xenstore-rm', ...strange);
}

/**
 * The attacker's vif carries traffic again, from whatever state it is in. A netfront that is loaded while its backend
 * waits, in Closing, for an answer takes that for the end of the device; so the answer comes first.
 */
async function recovers({ xvifd, attacker }: Scene): Promise<void> {
  await attacker.ask(unloadNetfront);
  await removeStrangeKeys(attacker);
  await attacker.run(`xenstore-write ${frontend}/state 6`);
  await eventually('the backend is closed', async () => (await read(`${backendPath(attacker.domid)}/state`)) === '6');
  await attacker.run('modprobe xen-netfront; sleep 1');
  await xvifd.portOf(attacker, 0, 300);
  await attacker.configure(3);
  await reachable(attacker, '10.0.0.2', 300);
}

const attacks: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  'states of its frontend in any order': ({ attacker }) =>
    attacker.run(
      `for round in $(seq 5); do for state in 4 1 5 3 6 2 0 7 8 4 99 -1 junk 1; do ` +
        `xenstore-write -- ${frontend}/state $state; done; done`,
      300,
    ),
  'keys of its frontend that make no sense': ({ attacker }) =>
    attacker.run(
      `long=$(head -c 1900 /dev/zero | tr '\\0' 9); for value in 0 -1 4294967296 99999999999999999999 junk $long; do ` +
        `xenstore-write ${frontend}/state 1; ` +
        `for key in tx-ring-ref rx-ring-ref event-channel event-channel-tx multi-queue-num-queues queue-0/tx-ring-ref ` +
        `feature-sg request-rx-copy ctrl-ring-ref event-channel-ctrl; do xenstore-write -- ${frontend}/$key "$value"; done; ` +
        `xenstore-write ${frontend}/state 4; sleep 0.3; done`,
      300,
    ),
  'many nodes in its directory': ({ attacker }) =>
    attacker.ask(`for n in $(seq 300); do xenstore-write ${frontend}/junk-$n $n; done`, 300),
  'its directory removed and made again': ({ attacker }) =>
    attacker.ask(
      `xenstore-rm ${frontend}/state; xenstore-write ${frontend}/state 4; xenstore-rm ${frontend}/tx-ring-ref`,
    ),
  'the driver unloaded under load, again and again': ({ attacker }) =>
    attacker.run(
      `for round in $(seq 4); do modprobe xen-netfront; sleep 1; ip link set eth0 up; ` +
        `ip addr add 10.0.0.3/24 dev eth0; ${pressure} sleep 2; ${unloadNetfront}; ${unload}; done; modprobe xen-netfront`,
      400,
    ),
  'offloads and MTU changed under load': ({ attacker }) =>
    attacker.run(
      `${pressure} for round in $(seq 4); do for way in off on; do for what in tso gso sg tx; do ` +
        `ethtool -K eth0 $what $way 2>/dev/null; done; done; for mtu in 68 1280 65000 9000 1500; do ` +
        `ip link set eth0 mtu $mtu; done; ip link set eth0 down; ip link set eth0 up; done; ${unload}`,
      400,
    ),
  'a flood of frames with made-up sources': ({ attacker }) =>
    generate(attacker, victim, {
      count: 20_000,
      bytes: 60,
      flags: 'MACSRC_RND',
      lines: ['src_mac_count 100000', 'flag IPSRC_RND', 'src_min 10.0.0.3', 'src_max 10.255.255.3'],
    }),
  'a flood of broadcasts': ({ attacker }) =>
    generate(attacker, { mac: 'ff:ff:ff:ff:ff:ff', ip: '10.0.0.255' }, { count: 5000, bytes: 60 }),
  'frames of odd sizes, and VLAN and MPLS headers': async ({ attacker }) => {
    for (const bytes of [42, 61, 1515, 4000, 30_000]) await generate(attacker, victim, { count: 300, bytes });
    await generate(attacker, victim, { count: 500, bytes: 100, lines: ['vlan_id 4095', 'svlan_id 4095'] });
    await generate(attacker, victim, { count: 500, bytes: 200, lines: ['mpls 0001000a,0002000a,0000000a'] });
  },
};

async function attackers(run: Run, scene: Scene): Promise<void> {
  const { xvifd, a, attacker } = scene;
  const before = await holdings(xvifd);
  for (const [name, attack] of Object.entries(attacks)) {
    await run.check(name, async () => {
      await during(scene, () => attack(scene));
      await recovers(scene);
    });
  }
  await run.check('the error node says what was wrong', async () => {
    await attacker.run(unloadNetfront);
    await attacker.run(
      `xenstore-write ${frontend}/tx-ring-ref junk ${frontend}/rx-ring-ref junk ${frontend}/request-rx-copy 1 ` +
        `${frontend}/event-channel 1 ${frontend}/state 4`,
    );
    const error = `${backendPath(attacker.domid)}/error`;
    const text = await eventually('an error node', () => read(error));
    await recovers(scene);
    return text;
  });
  await run.check('afterwards the others talk as before, and nothing is held for the attacker', async () => {
    atLeast((await iperf(a, '10.0.0.2', { megabytes: 4 })).bytes, 4 << 19, 'bytes');
    await attacker.run('ip link set eth0 up');
    return sameHoldings(before, await holdings(xvifd), GROWTH_KIB);
  });
}

export const hostile: Scenario = {
  name: 'hostile',
  seconds: 7200,
  shortSeconds: 0,
  run: async (run) => {
    const xvifd = new Xvifd({ workers: 2, args: ['--fail-mode', 'standalone'] });
    await startSwitch(run, xvifd);
    const guests: Guest[] = [];
    await run.need('three guests talk', async () => {
      guests.push(...(await Promise.all([1, 2, 3].map((n) => Guest.start(`g${n}`, { vifs: [xvifd.vif(n)] })))));
      for (const [index, guest] of guests.entries()) {
        await guest.configure(index + 1);
        await xvifd.portOf(guest);
      }
      const [a, b, attacker] = guests as [Guest, Guest, Guest];
      await serveEcho(a);
      await serveIperf(b);
      await reachable(a, '10.0.0.2');
      await reachable(attacker, '10.0.0.2');
    });
    const [a, b, attacker] = guests as [Guest, Guest, Guest];
    await attackers(run, { xvifd, a, b, attacker });
    for (const guest of guests) await guest.destroy();
    await run.check('xvifd ends by itself', async () => equal(await xvifd.end(), 0, 'exit code'));
  },
};
