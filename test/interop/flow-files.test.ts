/** Flow files on real switches: Open vSwitch's userspace datapath, and xvifd's management socket. Needs root. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../e2e/programs.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-flow-files-'));
const path = join(folder, 'shop.yaml');

const rules = `
      rules:
        - {name: guard, match: {in_port: 1, eth_src: "02:00:00:00:00:00/ff:00:00:00:00:00"}, do: drop}
        - name: http
          match: {in_port: 2, dst_ip: [10.1.0.0/24, "fd00::/64"], tcp_dst: [80, 8000-8099]}
          do: [{meter: m1}, {set: {reg0: 1, ip_dscp: 10}}, "load:5->NXM_NX_REG1[]", "load:3->NXM_NX_REG2[0..7]", {goto: acl}]
          idle_timeout: 30000
          flags: [send_flow_rem]
        - {name: nd, match: {nd_target: "fe80::1"}, do: normal}
        - {name: vlan, match: {vlan: 10-20}, do: [{group: lb}]}
        - {name: tag, match: {in_port: 3, vlan: none}, do: [{push_vlan: 5}, {output: [1, LOCAL]}, {controller: {max_len: 100}}]}
        - {name: clone, match: {in_port: 4, protocol: arp}, do: [{clone: [{set: {arp_op: 2}}, {output: 1}]}, {resubmit: acl}]}`;

const shop = (text: string, http = '{goto: acl}') => `
apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: shop}
spec:
  tables:
    - name: ingress
      miss: {goto: acl}${text.replace('{goto: acl}', http)}
    - {name: acl, miss: drop, rules: [{name: tcp, match: {protocol: tcp}, do: [{write: [{output: 7}]}, {metadata: 0x5/0xff}]}]}
  groups:
    - {name: lb, type: select, buckets: [{weight: 2, do: [{output: 1}]}, {do: [{push_vlan: 5}, {output: 2}]}]}
  meters:
    - {name: m1, kbps: 1000, burst: 100}
`;

function suite(
  name: string,
  start: () => Promise<{ readonly target: string; stop(): Promise<void> }>,
  version = 'OpenFlow13',
): void {
  describe(name, () => {
    let peer: Awaited<ReturnType<typeof start>>;
    const xvif = (...args: string[]) => run('xvif', ...args, '--switch', peer.target);
    const ofctl = (...args: string[]) => {
      const [command, ...rest] = args;
      return sh('ovs-ofctl', '-O', version, command!, peer.target, ...rest);
    };
    const ownFlows = async () =>
      (await ofctl('dump-flows')).split('\n').filter((line) => line.includes('0x5856')).length;

    beforeAll(async () => {
      peer = await start();
      writeFileSync(path, shop(rules));
    }, 300_000);
    afterAll(() => peer?.stop());

    it('applies a file, after which nothing differs', async () => {
      await ofctl('add-flow', 'priority=7,cookie=0x9,arp,in_port=9 actions=drop');
      const before = await xvif('diff', path);
      expect(before.code, before.output).toBe(1);
      const applied = await xvif('apply', path);
      expect(applied.output).toMatch(/\d+ to add, 0 to change, 0 to delete/);
      expect(applied.output).not.toContain('no bundles');
      expect(applied.output.includes('no meters in bundles')).toBe(name.startsWith('Open vSwitch'));
      expect(applied.code).toBe(0);
      expect(await ownFlows()).toBeGreaterThan(15);
      const after = await xvif('diff', path);
      expect(after.output).toContain('0 to add, 0 to change, 0 to delete');
      expect(after.code).toBe(0);
    }, 300_000);

    it('changes only what changed, and prunes only its own', async () => {
      writeFileSync(path, shop(rules.replace(/\n.*name: clone.*/, ''), 'normal'));
      const planned = await xvif('plan', path);
      expect(planned.output).toMatch(/0 to add, 8 to change, 0 to delete, .*1 own flow in no file/s);
      const applied = await xvif('apply', path, '--prune');
      expect(applied.output).toMatch(/0 to add, 8 to change, 1 to delete/);
      expect(await ofctl('dump-flows')).toContain('cookie=0x9');
      expect((await xvif('diff', path, '--prune')).code).toBe(0);
    }, 300_000);

    it('does nothing of what is refused in part', async () => {
      const wrong = join(folder, 'wrong.yaml');
      const bad = shop(
        '\n      rules: [{name: fine, match: {vlan: 77}, do: normal}, {name: bad, match: {vlan: 78}, do: ["group:4242"]}]',
      );
      writeFileSync(
        wrong,
        bad
          .replace('name: shop', 'name: other')
          .replaceAll('name: ingress', 'name: ingress\n      id: 5')
          .replace('miss: {goto: acl}', ''),
      );
      const refused = await xvif('apply', wrong);
      expect(refused.code, refused.output).toBe(2);
      expect(await ofctl('dump-flows')).not.toContain('dl_vlan=77');
    }, 300_000);

    it('exports what is there, and deletes what the file has', async () => {
      const exported = await xvif('export', '--name', 'again');
      expect(exported.code).toBe(0);
      const again = join(folder, 'again.yaml');
      writeFileSync(again, exported.output);
      const checked = await run('xvif', 'check', again);
      expect(checked.output).toContain('0 tests passed');
      expect(checked.code).toBe(0);
      expect((await xvif('delete', path)).code).toBe(0);
      expect(await ownFlows()).toBe(0);
      expect(await ofctl('dump-flows')).toContain('cookie=0x9');
    }, 300_000);
  });
}

async function openVswitch(protocols?: string): Promise<OpenVswitch> {
  const peer = await OpenVswitch.start();
  // A new bridge has a flow of its own, to NORMAL.
  await sh('ovs-ofctl', 'del-flows', peer.target);
  if (protocols !== undefined) await peer.protocols(protocols);
  return peer;
}

// The bridge is a network device too: its name must be nobody else's.
const bridge = `xf${process.pid}`;
suite('Open vSwitch', () => openVswitch());
suite('Open vSwitch with 1.5 alone', () => openVswitch('OpenFlow15'), 'OpenFlow15');
suite('xvifd', () => TestSwitch.start({ bridge }));
suite('xvifd with 1.5 alone', () => TestSwitch.start({ bridge, args: ['--protocols', 'OpenFlow15'] }), 'OpenFlow15');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
