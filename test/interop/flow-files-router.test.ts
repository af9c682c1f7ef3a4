/** The shipped router, and the limits, with real guests on real switches: Open vSwitch's userspace datapath, and xvifd. Needs root. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../e2e/programs.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { eventually, root, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { iperf3, ping } from '../lab/traffic.js';

const router = join(root, 'flows/router.yaml');
const limits = join(root, 'flows/rate-limits.yaml');
const gateway = '02:00:00:00:ff:01';

interface Peer {
  readonly target: string;
  stop(): Promise<void>;
}

/** A guest of the file, in a network namespace. */
interface Guest {
  readonly netns: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

async function settle(netns: string, subnet: number, mac: string): Promise<Guest> {
  const ip = (...args: string[]) => sh('ip', '-n', netns, ...args);
  const [ipv4, ipv6] = [`10.0.${subnet}.11`, `fd00:${subnet}::11`];
  await ip('link', 'set', 'eth0', 'down');
  await ip('addr', 'flush', 'dev', 'eth0');
  await ip('link', 'set', 'eth0', 'address', mac);
  await ip('link', 'set', 'eth0', 'up');
  await ip('addr', 'add', `${ipv4}/24`, 'dev', 'eth0');
  await ip('-6', 'addr', 'add', `${ipv6}/64`, 'dev', 'eth0', 'nodad');
  await ip('route', 'add', 'default', 'via', `10.0.${subnet}.1`);
  await ip('-6', 'route', 'add', 'default', 'via', `fd00:${subnet}::1`);
  return { netns, ipv4, ipv6 };
}

function suite<Switch extends Peer>(
  name: string,
  start: () => Promise<Switch>,
  plug: (peer: Switch, n: number) => Promise<{ readonly netns: string }>,
): void {
  describe(name, () => {
    let peer: Switch;
    let red: Guest;
    let blue: Guest;
    let ports: readonly string[];
    const xvif = (command: string, file = router) => run('xvif', command, file, '--switch', peer.target, ...ports);
    const ofctl = (...[command, ...rest]: string[]) =>
      sh('ovs-ofctl', '-O', 'OpenFlow13', command!, peer.target, ...rest);
    const packets = async (match: string) =>
      (await ofctl('dump-flows', match)).split('\n').reduce((sum, line) => {
        return sum + Number(/n_packets=(\d+)/.exec(line)?.[1] ?? 0);
      }, 0);
    const exec = (guest: Guest, ...command: string[]) => sh('ip', 'netns', 'exec', guest.netns, ...command);

    beforeAll(async () => {
      peer = await start();
      red = await settle((await plug(peer, 1)).netns, 1, '02:00:00:00:01:01');
      blue = await settle((await plug(peer, 2)).netns, 2, '02:00:00:00:02:01');
      const numbers = [...(await ofctl('show')).matchAll(/^ (\d+)\(/gm)].map(([, number]) => number!);
      expect(numbers).toHaveLength(2);
      const [one, two] = numbers;
      const guests = { 'red01/0': one, 'blue01/0': two, 'web01/0': one, 'web02/0': two };
      const named = { ...guests, 'red02/0': 98, uplink: 99 };
      ports = Object.entries(named).flatMap(([port, number]) => ['--port', `${port}=${number}`]);
    }, 300_000);
    afterAll(() => peer?.stop());

    it('takes the file', async () => {
      const applied = await xvif('apply');
      expect(applied.code, applied.output).toBe(0);
      const after = await xvif('diff');
      expect(after.code, after.output).toBe(0);
    }, 300_000);

    it('answers for the gateways', async () => {
      expect(await ping(red.netns, '10.0.1.1', 3)).toBe(3);
      expect(await ping(blue.netns, '10.0.2.1', 3)).toBe(3);
      expect(await ping(red.netns, '10.0.2.1', 3)).toBe(3);
      expect(await ping(red.netns, 'fd00:1::1', 3)).toBe(3);
      expect(await ping(blue.netns, 'fd00:2::1', 3)).toBe(3);
      expect(await ping(blue.netns, 'fd00:1::1', 3)).toBe(3);
      for (const guest of [red, blue]) {
        expect(await exec(guest, 'ip', 'neigh')).toContain(`lladdr ${gateway}`);
        expect(await exec(guest, 'ip', '-6', 'neigh')).toMatch(
          new RegExp(`^fd00:.* lladdr ${gateway} router (?!FAILED)`, 'm'),
        );
      }
    }, 300_000);

    it('routes between the subnets', async () => {
      expect(await ping(red.netns, blue.ipv4, 5)).toBe(5);
      expect(await ping(blue.netns, red.ipv4, 5)).toBe(5);
      expect(await ping(red.netns, blue.ipv6, 5)).toBe(5);
      expect(await ping(blue.netns, red.ipv6, 5)).toBe(5);
      expect(await exec(red, 'ping', '-c', '1', blue.ipv4)).toContain('ttl=63');
      expect((await iperf3(red.netns, blue.netns, blue.ipv4, '-n', '2M')).bitsPerSecond).toBeGreaterThan(0);
      expect((await iperf3(red.netns, blue.netns, blue.ipv6, '-n', '2M')).bitsPerSecond).toBeGreaterThan(0);
    }, 300_000);

    it('drops and counts what it cannot send on', async () => {
      const before = await packets('table=3,ip,nw_ttl=1');
      const lost = await exec(red, 'ping', '-c', '2', '-i', '0.2', '-W', '1', '-t', '1', blue.ipv4).catch(String);
      expect(lost).toMatch(/ 0 (packets )?received/);
      expect(await packets('table=3,ip,nw_ttl=1')).toBeGreaterThanOrEqual(before + 2);
      expect(await ping(red.netns, '10.0.2.77', 1)).toBe(0);
      expect(await packets('table=6,dl_dst=00:00:00:00:00:00')).toBeGreaterThanOrEqual(1);
    }, 300_000);

    it('does not mind what its flows have learned, and takes it along', async () => {
      expect(await ofctl('dump-flows', 'table=4')).toMatch(/cookie=0x5857.*reg0=0xa00020b/);
      const same = await xvif('diff');
      expect(same.code, same.output).toBe(0);
      expect((await xvif('delete')).code).toBe(0);
      expect(await ofctl('dump-flows')).not.toMatch(/cookie=0x585[67]/);
    }, 300_000);

    it('takes limits and marks', async () => {
      const applied = await xvif('apply', limits);
      expect(applied.code, applied.output).toBe(0);
      const after = await xvif('diff', limits);
      expect(after.code, after.output).toBe(0);
      expect((await ofctl('dump-meters')).match(/meter=\d+/g)).toHaveLength(3);
      await sh('ip', '-n', red.netns, 'addr', 'add', '10.0.9.1/24', 'dev', 'eth0');
      await sh('ip', '-n', blue.netns, 'addr', 'add', '10.0.9.2/24', 'dev', 'eth0');
      expect(await ping(red.netns, '10.0.9.2', 3)).toBe(3);
      const [, one] = /^ (\d+)\(/m.exec(await ofctl('show'))!;
      // Open vSwitch counts a moment later.
      await eventually('they are counted', async () => (await packets(`table=1,ip,in_port=${one}`)) >= 3);
      expect((await iperf3(red.netns, blue.netns, '10.0.9.2', '-n', '1M')).bitsPerSecond).toBeGreaterThan(0);
    }, 300_000);
  });
}

suite(
  'Open vSwitch',
  async () => {
    const peer = await OpenVswitch.start();
    // A new bridge has a flow of its own, to NORMAL.
    await sh('ovs-ofctl', 'del-flows', peer.target);
    return peer;
  },
  (peer, n) => peer.namespace(n),
);
suite(
  'xvifd',
  () => TestSwitch.start({ bridge: `xr${process.pid}` }),
  (peer, n) => peer.tapGuest(n),
);
