/** Mininet builds a network of xvif switches (examples/mininet) and runs its own tests on it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Child, freePort, root } from '../lab/process.js';

const controllers = {
  'os-ken': (port: number) => [
    'osken-manager',
    ...['--ofp-listen-host', '127.0.0.1', '--ofp-tcp-listen-port', `${port}`],
    join(root, 'examples/osken-learning/learning.py'),
  ],
  'ovs-testcontroller': (port: number) => [
    ...['ovs-testcontroller', '-O', 'OpenFlow13', '--no-chdir', '--unixctl=none', `ptcp:${port}:127.0.0.1`],
  ],
};

interface Result {
  readonly connected: boolean;
  /** Percent of all pairs of hosts. */
  readonly lost: number;
  readonly again: number;
  readonly cut: number;
  readonly tcp: readonly string[];
  readonly flows: Record<string, string>;
  readonly ports: Record<string, string>;
}

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe.each(Object.keys(controllers) as (keyof typeof controllers)[])('a tree with %s', (name) => {
  let controller: Child;
  let network: Child;
  let result: Result;

  beforeAll(async () => {
    const port = await freePort();
    const [program, ...args] = controllers[name](port) as [string, ...string[]];
    controller = new Child(program, args);
    network = new Child('/usr/bin/python3', [join(root, 'test/interop/mininet-tree.py'), `${port}`]);
    const code = await network.ended();
    if (code !== 0) throw new Error(`Mininet ended with ${code}:\n${network.output}`);
    result = JSON.parse(network.output.trim().split('\n').at(-1)!);
  });

  afterAll(async () => {
    await network?.stop();
    await controller?.stop();
  });

  it('connects every switch', () => {
    expect(result.connected).toBe(true);
  });

  it('passes pingall, at once and with the flows in place', () => {
    expect([result.lost, result.again]).toEqual([0, 0]);
  });

  it('passes iperf from one leaf to another', () => {
    expect(result.tcp).toHaveLength(2);
    for (const speed of result.tcp) expect(speed).toMatch(/^[1-9][\d.]* [MG]bits\/sec$/);
  });

  it('numbers ports as Mininet does, and carries the traffic in flows', () => {
    expect(Object.keys(result.ports)).toEqual(['s1', 's2', 's3']);
    for (const [bridge, ports] of Object.entries(result.ports)) {
      expect(ports).toMatch(new RegExp(`^${bridge} +1 +${bridge}-eth1 +packet`, 'm'));
      expect(ports).toMatch(new RegExp(`^${bridge} +2 +${bridge}-eth2 +packet`, 'm'));
      const counts = [...result.flows[bridge]!.matchAll(/n_packets=(\d+)/g)].map(([, n]) => Number(n));
      expect(Math.max(...counts)).toBeGreaterThan(100);
    }
  });

  it('parts the network where a link is cut', () => {
    // h1 and h2 stand on one side, h3 and h4 on the other: 4 of 12 pings pass.
    expect(result.cut).toBeCloseTo((100 * 8) / 12);
  });
});
