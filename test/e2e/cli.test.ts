/** xvifd and xvif as a user runs them, on the emulated hypervisor without a controller. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, run, start } from './programs.js';

describe('xvifd and xvif', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xvif-cli-'));
  const runDir = join(folder, 'run');
  let daemon: Running;
  const xvif = (line: string) => run('xvif', '--run-dir', runDir, ...line.split(' '));
  const json = async (line: string) => JSON.parse((await xvif(`--json ${line}`)).output) as unknown;

  beforeAll(async () => {
    const options = ['--run-dir', runDir, '--local', 'null', '--fail-mode', 'standalone', '--datapath-id', '2a'];
    daemon = start('xvifd', ...options, '--port', 'sink=null');
    await daemon.says(/"msg":"ready"/);
  }, 20_000);
  afterAll(async () => {
    daemon.child.kill('SIGTERM');
    await daemon.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it('guests come up as ports and reach each other', async () => {
    expect((await xvif('guest add g1 --bridge br0 --ip 10.0.0.1/24 --mac 00:16:3e:00:00:01')).code).toBe(0);
    expect((await xvif('guest add g2 --bridge br0 --ip 10.0.0.2/24 --queues 2 --no-gso --mtu 9000')).code).toBe(0);
    const ping = await xvif('ping g1 10.0.0.2 -c 2 -i 0.05');
    expect(ping).toMatchObject({ code: 0 });
    expect(ping.output).toMatch(/2 sent, 2 received, 0% lost\nround trip/);
  });

  it('show, ports, flows, stats tell the same story', async () => {
    expect((await xvif('show')).output).toMatch(/hypervisor emulated[\s\S]*000000000000002a[\s\S]*standalone/);
    const ports = (await json('ports')) as { name: string; vif: object | null; counters: { rxPackets: number } }[];
    const guest = ports.find(({ name }) => name === 'xvif1i0')!;
    expect(guest).toMatchObject({ number: 2, kind: 'vif', mac: '00:16:3e:00:00:01', state: 'up', bridge: 'br0' });
    expect(guest.counters.rxPackets).toBeGreaterThanOrEqual(3);
    expect(ports.find(({ name }) => name === 'sink')).toMatchObject({ number: 1, kind: 'null', vif: null });
    expect((await xvif('flows br0')).output).toMatch(/priority=0 actions=NORMAL/);
    const [stats] = (await json('stats')) as { rules: number; workers: object[] }[];
    expect(stats).toMatchObject({ bridge: 'br0', rules: 1 });
    expect(stats!.workers).toHaveLength(1);
    expect((await xvif('guest list')).output).toMatch(/g2 +2 +br0 +xvif2i0 +.* +10\.0\.0\.2\/24 +connected/);
  });

  it('failures are said in words and by exit code', async () => {
    expect(await xvif('flows br9')).toEqual({ code: 1, output: 'xvif: there is no bridge "br9"\n' });
    expect(await xvif('guest rm nobody')).toEqual({ code: 1, output: 'xvif: there is no guest "nobody"\n' });
    expect((await xvif('guest add g1 --bridge br0 --ip 10.0.0.9/24')).output).toContain('exists already');
    expect((await xvif('ping g1 10.0.0.99 -c 1 -W 0.1')).code).toBe(1);
    expect((await xvif('ping g1')).code).toBe(2);
    expect((await run('xvif', '--run-dir', join(folder, 'none'), 'show')).output).toContain('is it running?');
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const watching = start('xvif', '--run-dir', runDir, 'ports', '--watch', '--interval', '0.1');
    await watching.says(/BRIDGE/);
    watching.child.stdout!.destroy();
    expect(await watching.ended).toBe(0);
    expect(watching.output()).not.toContain('EPIPE');
  });

  it('install-host and doctor work on a staged host, without a daemon', async () => {
    const host = join(folder, 'host');
    expect((await run('xvif', 'install-host', '--root', host)).output).toMatch(/created +\S+\/vif-xvif/);
    const checked = await run('xvif', 'doctor', '--root', host);
    expect(checked.code).toBe(1);
    expect(checked.output).toMatch(/FAIL {2}hypervisor +no Xen here.*\n +→ .*npm start/);
    expect(checked.output).toMatch(/ok {4}native data plane +loads\n.*xvif: one check failed/);
    expect(
      JSON.parse((await run('xvif', '--json', 'install-host', '--uninstall', '--root', host)).output),
    ).toHaveLength(5);
  });

  it('a guest that is removed takes its port along', async () => {
    expect((await xvif('guest rm g2')).code).toBe(0);
    expect((await xvif('ports')).output).not.toContain('xvif2i0');
    expect((await xvif('guest list')).output).not.toContain('g2');
  });

  it('a second daemon in the same run directory is refused', async () => {
    const second = await run('xvifd', '--run-dir', runDir);
    expect(second).toMatchObject({ code: 1 });
    expect(second.output).toContain(`another xvifd runs in ${runDir}`);
  });

  it('without a Xen below, --hypervisor xen names the device that is missing', async () => {
    const xen = await run('xvifd', '--run-dir', join(folder, 'xen'), '--hypervisor', 'xen');
    expect(xen).toMatchObject({ code: 1 });
    expect(xen.output).toContain('cannot open /dev/xen/gntdev: No such file or directory');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s with guests running: exit code 0, no sockets left', async (signal) => {
    const path = join(folder, signal);
    const other = start('xvifd', '--run-dir', path, '--local', 'null', '--listen', 'ptcp:0:127.0.0.1');
    await other.says(/"msg":"ready"/);
    expect(readdirSync(path).sort()).toEqual(['br0.mgmt', 'xenstored.sock', 'xvifd.sock']);
    expect((await run('xvif', '--run-dir', path, 'show')).output).toMatch(/listening +ptcp:[1-9]\d*:127\.0\.0\.1\n/);
    await run('xvif', '--run-dir', path, 'guest', 'add', 'g', '--bridge', 'br0', '--ip', '10.0.0.1/24');
    other.child.kill(signal);
    expect(await other.ended).toBe(0);
    expect(existsSync(path) ? readdirSync(path) : []).toEqual([]);
  });
});
