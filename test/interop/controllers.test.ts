/** Controllers that others wrote program the switch; real Linux stacks talk through it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child, eventually, freePort, root } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { iperf3, ping } from '../lab/traffic.js';

const controllers = {
  'os-ken': (port: number) =>
    new Child('osken-manager', [
      '--ofp-tcp-listen-port',
      `${port}`,
      '--ofp-listen-host',
      '127.0.0.1',
      join(root, 'examples/osken-learning/learning.py'),
    ]),
  'ovs-testcontroller': (port: number) =>
    new Child('ovs-testcontroller', ['-O', 'OpenFlow13', '--no-chdir', '--unixctl=none', `ptcp:${port}:127.0.0.1`]),
} as const;

describe.each(Object.keys(controllers) as (keyof typeof controllers)[])('with %s', (name) => {
  let controller: Child;
  let xvif: TestSwitch;
  let a: Awaited<ReturnType<TestSwitch['tapGuest']>>;
  let b: typeof a;

  beforeAll(async () => {
    const port = await freePort();
    controller = controllers[name](port);
    xvif = await TestSwitch.start({ args: ['--controller', `tcp:127.0.0.1:${port}`, '--fail-mode', 'secure'] });
    [a, b] = [await xvif.tapGuest(1), await xvif.tapGuest(2)];
    await eventually('the first ping', async () => (await ping(a.netns, b.ipv4, 1)) === 1, 30_000);
  }, 90_000);

  afterAll(async () => {
    await xvif?.stop();
    await controller?.stop();
  });

  it('pings IPv4 and IPv6 without loss', async () => {
    expect(await ping(a.netns, b.ipv4, 40)).toBe(40);
    await eventually('the first IPv6 ping', async () => (await ping(b.netns, a.ipv6, 1)) === 1);
    expect(await ping(b.netns, a.ipv6, 40)).toBe(40);
  }, 60_000);

  it.each(['ipv4', 'ipv6'] as const)(
    'runs iperf3 TCP and UDP over %s',
    async (family) => {
      const tcp = await iperf3(a.netns, b.netns, b[family], '-t', '2');
      expect(tcp.bitsPerSecond).toBeGreaterThan(10e6);
      const udp = await iperf3(b.netns, a.netns, a[family], '-t', '2', '-u', '-b', '20M', '-l', '1200');
      expect(udp.bitsPerSecond).toBeGreaterThan(18e6);
      // Up to 1.7 % was seen on a busy machine and none on a quiet one; where it is lost is in docs/known-gaps.md.
      expect(udp.lostPercent).toBeLessThan(5);
    },
    60_000,
  );

  it('installed flows that counted the traffic', async () => {
    const flows = await xvif.ofctl('dump-flows');
    const counts = [...flows.matchAll(/n_packets=(\d+)/g)].map(([, n]) => Number(n));
    expect(Math.max(...counts)).toBeGreaterThan(50);
  });

  it('ends cleanly', async () => {
    expect(await xvif.daemon.stop('SIGTERM')).toBe(0);
  });
});
