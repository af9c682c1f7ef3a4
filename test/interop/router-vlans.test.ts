/** A router with VLANs, priority tags and learning, with real guests: Open vSwitch's userspace datapath, and xvifd. Needs root. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../e2e/programs.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { Child, eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';

const vlans = fileURLToPath(new URL('vlans.py', import.meta.url));
const arpTags = fileURLToPath(new URL('arp_tags.py', import.meta.url));
const gateway = '02:00:00:00:ff:01';
const LIMIT = 3;
const document = `
apiVersion: xvif.dev/v1alpha1
kind: Router
metadata: {name: vlans}
spec:
  mac: "${gateway}"
  subnets:
  - {name: red, gateway: 10.0.1.1/24, ports: [{port: trunk, vlan: 100}, red]}
  - {name: blue, gateway: [10.0.2.1/24, "fd00:2::1/64"], ports: [{port: trunk, vlan: 200}, blue]}
  learn: {limit: ${LIMIT}}
`;

interface Peer {
  readonly target: string;
  stop(): Promise<void>;
}

/** `tags`: how many of a frame the switch looks at. */
function suite<Switch extends Peer>(
  name: string,
  tags: 1 | 2,
  start: () => Promise<Switch>,
  plug: (peer: Switch, n: number) => Promise<{ readonly netns: string }>,
): void {
  describe(name, () => {
    let peer: Switch;
    let trunk: Child | undefined;
    const guests: Record<'trunk' | 'red' | 'blue', string> = { trunk: '', red: '', blue: '' };
    const dir = mkdtempSync(join(tmpdir(), 'xvif-vlans-'));
    const file = join(dir, 'vlans.yaml');
    const ofctl = (...[command, ...rest]: string[]) =>
      sh('ovs-ofctl', '-O', 'OpenFlow13', command!, peer.target, ...rest);
    const ip = (guest: keyof typeof guests, ...args: string[]) => sh('ip', '-n', guests[guest], ...args);
    const ask = (guest: keyof typeof guests, source: string, target: string, ...tags: string[]) =>
      sh('ip', 'netns', 'exec', guests[guest], 'python3', arpTags, 'eth0', source, target, ...tags);

    beforeAll(async () => {
      writeFileSync(file, document);
      peer = await start();
      const ports: string[] = [];
      for (const [index, guest] of (['trunk', 'red', 'blue'] as const).entries()) {
        guests[guest] = (await plug(peer, index + 1)).netns;
        const numbers = [...(await ofctl('show')).matchAll(/^ (\d+)\(/gm)].map(([, number]) => number!);
        ports.push('--port', `${guest}=${numbers.find((number) => !ports.some((one) => one.endsWith(`=${number}`)))}`);
        await ip(guest, 'addr', 'flush', 'dev', 'eth0');
      }
      trunk = new Child('ip', ['netns', 'exec', guests.trunk, 'python3', vlans, 'eth0', '100', '200']);
      const hasDevices = async () => {
        if (!trunk!.running) throw new Error(trunk!.output);
        return trunk!.output.includes('ready');
      };
      await eventually('the VLANs have devices', hasDevices, 60_000);
      const mac = (await sh('ip', 'netns', 'exec', guests.trunk, 'cat', '/sys/class/net/eth0/address')).trim();
      for (const [vlan, subnet] of [
        [100, 1],
        [200, 2],
      ]) {
        await ip('trunk', 'link', 'set', `eth0.${vlan}`, 'address', mac, 'up');
        await ip('trunk', 'addr', 'add', `10.0.${subnet}.10/24`, 'dev', `eth0.${vlan}`);
      }
      await ip('red', 'addr', 'add', '10.0.1.11/24', 'dev', 'eth0');
      await ip('red', 'route', 'add', 'default', 'via', '10.0.1.1');
      await ip('blue', 'addr', 'add', '10.0.2.11/24', 'dev', 'eth0');
      await ip('blue', 'route', 'add', 'default', 'via', '10.0.2.1');
      const applied = await run('xvif', 'apply', file, '--switch', peer.target, ...ports);
      expect(applied.code, applied.output).toBe(0);
    }, 300_000);
    afterAll(async () => {
      await trunk?.stop();
      await peer?.stop();
      rmSync(dir, { recursive: true });
    });

    it('answers in the VLAN of who asks', async () => {
      expect((await ask('trunk', '10.0.1.10', '10.0.1.1', '100')).trim()).toBe(`${gateway} 100`);
      expect((await ask('trunk', '10.0.2.10', '10.0.2.1', '200')).trim()).toBe(`${gateway} 200`);
      expect((await ask('red', '10.0.1.11', '10.0.1.1')).trim()).toBe(gateway);
    }, 300_000);

    it('takes a priority tag for none, and frames with two tags for nobody’s', async () => {
      expect((await ask('red', '10.0.1.11', '10.0.1.1', '0')).trim()).toBe(gateway);
      expect((await ask('red', '10.0.1.11', '10.0.1.1', '100')).trim()).toBe('no answer');
      expect((await ask('trunk', '10.0.1.10', '10.0.1.1', '100', '200')).trim()).toBe('no answer');
      expect((await ask('trunk', '10.0.1.10', '10.0.1.1', '0')).trim()).toBe('no answer');
      expect((await ask('trunk', '10.0.1.10', '10.0.1.1')).trim()).toBe('no answer');
    }, 300_000);

    it(`${tags === 1 ? 'does not see' : 'takes off'} a priority tag behind a tag`, async () => {
      const answer = (seen: string) => (tags === 1 ? 'no answer' : seen);
      expect((await ask('red', '10.0.1.11', '10.0.1.1', '0', '0')).trim()).toBe(answer(gateway));
      expect((await ask('trunk', '10.0.1.10', '10.0.1.1', '100', '0')).trim()).toBe(answer(`${gateway} 100`));
      expect((await ask('trunk', '10.0.1.10', '10.0.1.1', '100', '0', '200')).trim()).toBe('no answer');
    }, 300_000);

    it('switches within a subnet and routes between them, with tags and without', async () => {
      expect(await ping(guests.red, '10.0.1.10', 3)).toBe(3);
      expect(await ping(guests.blue, '10.0.2.10', 3)).toBe(3);
      // Both of the trunk's addresses would answer: the router's way is seen by the TTL.
      await ip('trunk', 'addr', 'del', '10.0.2.10/24', 'dev', 'eth0.200');
      await ip('trunk', 'route', 'add', 'default', 'via', '10.0.1.1');
      expect(await ping(guests.trunk, '10.0.2.11', 3)).toBe(3);
      expect(await ping(guests.red, '10.0.2.11', 3)).toBe(3);
      expect(await sh('ip', 'netns', 'exec', guests.blue, 'ping', '-c', '1', '10.0.1.10')).toContain('ttl=63');
    }, 300_000);

    it('learns from each port as much as if the others made nothing up', async () => {
      for (let host = 20; host < 20 + 2 * LIMIT; host++) await ask('red', `10.0.1.${host}`, '10.0.1.1');
      await ip('trunk', 'addr', 'add', '10.0.1.90/24', 'dev', 'eth0.100');
      await ask('trunk', '10.0.1.90', '10.0.1.1', '100');
      expect(await ping(guests.blue, '10.0.1.90', 3)).toBe(3);
      const neighbours = (await ofctl('dump-flows', 'table=4')).match(/reg0=0xa0001[0-9a-f]{2},/g) ?? [];
      expect(neighbours.length).toBeLessThanOrEqual(2 * LIMIT);
    }, 300_000);
  });
}

suite(
  'Open vSwitch',
  1,
  async () => {
    const peer = await OpenVswitch.start();
    await sh('ovs-ofctl', 'del-flows', peer.target);
    return peer;
  },
  (peer, n) => peer.namespace(n),
);
suite(
  'xvifd',
  2,
  () => TestSwitch.start({ bridge: `xw${process.pid}` }),
  (peer, n) => peer.tapGuest(n),
);
