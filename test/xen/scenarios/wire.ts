/** Guests' traffic through xvifd while the kernel's netback was never loaded. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { macOf } from '../dom0/backends.js';
import { Guest } from '../dom0/guest.js';
import { dom0, type Party } from '../dom0/party.js';
import { atLeast, atMost, equal, type Run, that } from '../dom0/run.js';
import { background, eventually } from '../dom0/shell.js';
import { iperf, ping, reachable, type Stream, serveIperf } from '../dom0/traffic.js';
import { LOCAL, projectRoot, results, Xvifd } from '../dom0/xvifd.js';
import type { Scenario } from './scenario.js';
import { counted, dropFlow, drops, passes, redirectFlows, redirects, type Steering } from './steering.js';

const CONTROLLER_PORT = 6653;
const HOST = 254;

/** Starts xvifd, opens its LOCAL port towards Dom0, and ends it with the scenario. */
export async function startSwitch(run: Run, xvifd: Xvifd): Promise<void> {
  await run.need('xvifd starts on Xen', async () => {
    await xvifd.start();
    equal((await xvifd.api.call('show', {})).hypervisor, 'xen', 'hypervisor');
  });
  run.explain(() => xvifd.logEnd());
  run.defer('xvifd', () => xvifd.stop());
}

export function netbackAbsent(): void {
  that(!readFileSync('/proc/modules', 'utf8').includes('xen_netback'), 'xen-netback is loaded');
}

const mbit = ({ bitsPerSecond }: Stream) => (bitsPerSecond / 1e6).toFixed(1);

/** Bulk TCP in both directions. iperf3 ends once all is sent: what is in sockets then does not arrive, so half has to. */
async function tcp(from: Party, to: string, run: Run, megabytes = run.short ? 8 : 32): Promise<string> {
  const there = await iperf(from, to, { megabytes });
  const back = await iperf(from, to, { megabytes }, '-R');
  for (const [way, { bytes }] of Object.entries({ there, back })) atLeast(bytes, megabytes << 19, `bytes ${way}`);
  return `${megabytes} MB each at ${mbit(there)} and ${mbit(back)} Mbit/s`;
}

/** UDP in both directions. */
async function udp(from: Party, to: string, run: Run): Promise<string> {
  const datagrams = run.short ? 100 : 400;
  const there = await iperf(from, to, { datagrams });
  const back = await iperf(from, to, { datagrams }, '-R');
  for (const [way, { packets, lostPercent }] of Object.entries({ there, back })) {
    atLeast(packets, datagrams / 2, `datagrams received ${way}`);
    // The receiver's socket overflows when the interpreted guest is not scheduled for long.
    atMost(lostPercent, 20, `% of datagrams lost ${way}`);
  }
  return `${there.packets} and ${back.packets} of ${datagrams} datagrams`;
}

async function withoutLoss(from: Party, to: string, run: Run): Promise<void> {
  const count = run.short ? 10 : 40;
  await reachable(from, to);
  equal(await ping(from, to, count), count, 'answers');
}

async function guestToGuest(run: Run, a: Guest): Promise<void> {
  await run.check('guest to guest: IPv4 ping without loss', () => withoutLoss(a, '10.0.0.2', run));
  await run.check('guest to guest: IPv6 ping without loss', () => withoutLoss(a, 'fd00:0::2', run));
  await run.check('guest to guest: TCP both ways', () => tcp(a, '10.0.0.2', run));
  await run.check('guest to guest: UDP both ways', () => udp(a, '10.0.0.2', run));
  if (!run.short) await run.check('guest to guest: TCP over IPv6', () => tcp(a, 'fd00:0::2', run));
}

async function guestToHost(run: Run, a: Guest): Promise<void> {
  await run.check('guest to Dom0 through LOCAL: IPv4 and IPv6 ping without loss', async () => {
    await withoutLoss(a, `10.0.0.${HOST}`, run);
    await withoutLoss(a, `fd00:0::${HOST}`, run);
    await withoutLoss(dom0, '10.0.0.1', run);
  });
  await run.check('guest to Dom0 through LOCAL: TCP both ways', () => tcp(a, `10.0.0.${HOST}`, run));
  if (!run.short) {
    await run.check('guest to Dom0 through LOCAL: UDP both ways', () => udp(a, `10.0.0.${HOST}`, run));
  }
}

async function jumbo(run: Run, a: Guest, b: Guest): Promise<void> {
  await run.check('frames of 9000 bytes', async () => {
    for (const guest of [a, b]) await guest.run('ip link set eth0 mtu 9000');
    await dom0.run('ip link set br0 mtu 9000');
    const whole = '-M do -s 8972';
    equal(await ping(a, '10.0.0.2', 10, whole), 10, 'answers of a guest');
    equal(await ping(a, `10.0.0.${HOST}`, 10, whole), 10, 'answers of Dom0');
    return tcp(a, '10.0.0.2', run, 4);
  });
  for (const guest of [a, b]) await guest.ask('ip link set eth0 mtu 1500');
}

async function flows(run: Run, xvifd: Xvifd, steering: Steering): Promise<void> {
  const only = async (...rules: readonly string[]) => {
    await xvifd.ofctl('del-flows');
    for (const rule of ['priority=0 actions=NORMAL', ...rules]) await xvifd.ofctl('add-flow', rule);
  };
  await run.check('ovs-ofctl: a drop rule drops', async () => {
    await only();
    await passes(steering);
    await only(dropFlow(steering));
    await drops(steering);
    counted(await xvifd.ofctl('dump-flows'));
  });
  await run.check('ovs-ofctl: a redirect redirects', async () => {
    await only(...redirectFlows(steering));
    await redirects(steering);
    counted(await xvifd.ofctl('dump-flows'));
    await only();
    await passes(steering);
  });
}

async function controller(run: Run, xvifd: Xvifd, steering: Steering): Promise<void> {
  const file = '/run/lab/policy.json';
  const log = join(results, 'osken.log');
  const { clientPort, serverIp, serverMac, decoyIp, decoyMac } = steering;
  const enforce = async (policy: string) => {
    const facts = { policy, client: clientPort, decoy: LOCAL, server_ip: serverIp, server_mac: serverMac };
    writeFileSync(file, JSON.stringify({ ...facts, decoy_ip: decoyIp, decoy_mac: decoyMac }));
    const done = `policy ${policy} in force`;
    await eventually(done, async () => readFileSync(log, 'utf8').trimEnd().endsWith(done), 300);
  };
  const app = join(projectRoot, 'test/xen/assets/policy.py');
  const stop = background(
    `env POLICY_FILE=${file} osken-manager --ofp-listen-host 127.0.0.1 --ofp-tcp-listen-port ${CONTROLLER_PORT} ${app}`,
    log,
  );
  try {
    await run.check('os-ken application: connects and a drop rule drops', async () => {
      await enforce('drop');
      const { bridges } = await xvifd.api.call('show', {});
      that(bridges[0]?.controllers[0]?.connected === true, 'the controller is not connected');
      await drops(steering);
    });
    await run.check('os-ken application: a redirect redirects', async () => {
      await enforce('redirect');
      await redirects(steering);
      await enforce('normal');
      await passes(steering);
    });
  } finally {
    await stop();
  }
}

async function queues(run: Run, xvifd: Xvifd): Promise<void> {
  let guests: Guest[] = [];
  await run.check('4 queues', async () => {
    guests = await Promise.all(
      [3, 4].map((n) => Guest.start(`g${n}`, { vifs: [xvifd.vif(n)], vcpus: 4, queues: 4, memory: 224 })),
    );
    for (const [index, guest] of guests.entries()) await guest.configure(index + 3);
    const [a, b] = guests as [Guest, Guest];
    for (const guest of guests) equal((await xvifd.portOf(guest)).vif?.queues, 4, `queues of ${guest.name}`);
    await withoutLoss(a, '10.0.0.4', run);
    await serveIperf(b);
    // So many that hardly ever a queue gets none of them: 4 * (3/4)^24 is 0.4 %.
    const stream = await iperf(a, '10.0.0.4', { megabytes: 16 }, '-P 24');
    atLeast(stream.bytes, 16 << 19, 'bytes');
    const interrupts = await a.run('grep -c "vif0-q[0-3]-[rt]x" /proc/interrupts');
    equal(Number(interrupts), 8, 'event channels of the device');
    const idle = await b.run(
      `awk '/vif0-q[0-3]-rx/ { n = 0; for (i = 2; i <= 5; i++) n += $i; if (!n) print $NF }' /proc/interrupts`,
    );
    equal(idle, '', 'queues of the receiver without an interrupt');
    return `${mbit(stream)} Mbit/s in 24 streams`;
  });
  for (const guest of guests) await guest.destroy();
}

async function pvh(run: Run, xvifd: Xvifd): Promise<void> {
  let guest: Guest | undefined;
  await run.check('a PVH guest', async () => {
    guest = await Guest.start('g5', { vifs: [xvifd.vif(5)], type: 'pvh', memory: 256 });
    await guest.configure(5);
    await withoutLoss(guest, `10.0.0.${HOST}`, run);
    return tcp(guest, `10.0.0.${HOST}`, run, 4);
  });
  await guest?.destroy();
}

export const wire: Scenario = {
  name: 'wire',
  seconds: 3600,
  shortSeconds: 1800,
  run: async (run) => {
    const xvifd = new Xvifd({ workers: 2, args: ['--controller', `tcp:127.0.0.1:${CONTROLLER_PORT}`] });
    await startSwitch(run, xvifd);
    await run.need('LOCAL is a device of Dom0', async () => {
      await dom0.run(
        `ip link set br0 up && ip addr add 10.0.0.${HOST}/24 dev br0 && ip -6 addr add fd00:0::${HOST}/64 dev br0 nodad`,
      );
      await serveIperf(dom0);
      await xvifd.ofctl('add-flow', 'priority=0 actions=NORMAL');
    });
    const guests: Guest[] = [];
    await run.need('two guests connect', async () => {
      const vif = (n: number) => [xvifd.vif(n, 'mtu=9000')];
      guests.push(...(await Promise.all([1, 2].map((n) => Guest.start(`g${n}`, { vifs: vif(n) })))));
      for (const [index, guest] of guests.entries()) {
        await guest.configure(index + 1);
        await serveIperf(guest);
        await xvifd.portOf(guest);
      }
    });
    const [a, b] = guests as [Guest, Guest];
    await guestToGuest(run, a);
    await guestToHost(run, a);
    if (!run.short) await jumbo(run, a, b);
    const steering: Steering = {
      client: a,
      clientPort: (await xvifd.portOf(a)).number,
      server: b,
      serverIp: '10.0.0.2',
      serverMac: macOf(2),
      decoyPort: 'LOCAL',
      decoyIp: `10.0.0.${HOST}`,
      decoyMac: readFileSync('/sys/class/net/br0/address', 'utf8').trim(),
    };
    await flows(run, xvifd, steering);
    await controller(run, xvifd, steering);
    for (const guest of guests) await guest.destroy();
    if (!run.short) {
      await queues(run, xvifd);
      await pvh(run, xvifd);
    }
    await run.check('xen-netback was never loaded', async () => netbackAbsent());
    await run.check('xvifd ends by itself', async () => equal(await xvifd.end(), 0, 'exit code'));
  },
};
