/** `xvifd --user`, started as root: what the kernel says about every thread, and that the switch goes on working. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Running, run, start } from '../e2e/programs.js';
import { sh } from '../lab/process.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-user-'));
chmodSync(folder, 0o755);
const runDir = join(folder, 'run');
const xvif = (line: string) => run('xvif', '--run-dir', runDir, ...line.split(' '));
const NET_ADMIN = 1 << 12;
const NET_RAW = 1 << 13;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function daemon(...options: string[]): Promise<Running> {
  const running = start('xvifd', '--run-dir', runDir, '--fail-mode', 'standalone', '--workers', '2', ...options);
  await running.says(/"msg":"ready"/);
  return running;
}

interface Thread {
  readonly main: boolean;
  readonly field: (name: string) => string;
}

/** /proc/PID/task/TID/status of every thread. */
function threads({ child }: Running): Thread[] {
  return readdirSync(`/proc/${child.pid}/task`).map((tid) => {
    const text = readFileSync(`/proc/${child.pid}/task/${tid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
    return { main: tid === String(child.pid), field };
  });
}

function expectDropped(running: Running, kept: number): void {
  const all = threads(running);
  // Node's own, the workers and, once there are guests, theirs.
  expect(all.length).toBeGreaterThanOrEqual(6);
  for (const { main, field } of all) {
    expect(field('Uid')).toBe('65534\t65534\t65534\t65534');
    expect(field('Gid')).toBe('65534\t65534\t65534\t65534');
    expect(field('Groups').trim()).toBe('65534');
    expect(field('NoNewPrivs')).toBe('1');
    expect(field('Seccomp')).toBe('2');
    expect(field('CapInh')).toMatch(/^0+$/);
    expect(field('CapAmb')).toMatch(/^0+$/);
    for (const set of ['CapPrm', 'CapEff']) {
      expect(Number.parseInt(field(set), 16)).toBe(main ? kept : 0);
    }
  }
}

async function expectTraffic(): Promise<void> {
  for (const n of [1, 2]) {
    expect(await xvif(`guest add g${n} --bridge br0 --ip 10.0.0.${n}/24`)).toMatchObject({ code: 0 });
  }
  expect((await xvif('ping g1 10.0.0.2 -c 3 -i 0.05')).output).toContain('3 received');
}

async function expectCleanEnd(running: Running): Promise<void> {
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
  expect(readdirSync(runDir)).toEqual([]);
  expect(running.output()).not.toMatch(/could not|EACCES|EPERM/);
}

describe('xvifd --user nobody', () => {
  it('keeps nothing, serves guests and the LOCAL TAP, and ends cleanly', async () => {
    const running = await daemon('--user', 'nobody', '--bridge', 'xvifu0', '--bridge', 'br0', '--port', 'x=packet:lo');
    expect(running.output()).toMatch(
      /"user":"nobody","uid":65534,"gid":65534,"capabilities":\[\],"msg":"privileges dropped"/,
    );
    expectDropped(running, 0);
    expect(statSync(runDir)).toMatchObject({ uid: 65534 });
    expect(await sh('ip', '-br', 'link', 'show', 'xvifu0')).toContain('xvifu0');
    await expectTraffic();
    expectDropped(running, 0);
    // Nobody can be had to make a TAP now; the daemon says so and goes on.
    const tap = await xvif('guest add t --bridge br0 --tap xvifu1');
    expect(tap).toMatchObject({ code: 1 });
    expect(tap.output).toMatch(/permitted|denied/);
    expect(await sh('ovs-ofctl', '-O', 'OpenFlow13', 'dump-flows', `unix:${runDir}/br0.mgmt`)).toContain('NORMAL');
    await expectCleanEnd(running);
    await expect(sh('ip', '-br', 'link', 'show', 'xvifu0')).rejects.toThrow();
  }, 180_000);

  it('a later daemon gets the run directory back, and the main thread may keep capabilities', async () => {
    expect(statSync(runDir)).toMatchObject({ uid: 65534 });
    const keep = ['--keep-capability', 'net_admin', '--keep-capability', 'net_raw'];
    const running = await daemon('--local', 'null', '--user', 'nobody:nogroup', ...keep);
    expectDropped(running, NET_ADMIN | NET_RAW);
    await expectTraffic();
    await expectCleanEnd(running);
  }, 180_000);

  it('a run directory the user could not reach at the end: nothing is left', async () => {
    const path = join(folder, 'private', 'run');
    const refused = await run('xvifd', '--run-dir', path, '--local', 'null', '--user', 'nobody');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`user nobody cannot pass through ${join(folder, 'private')}\n`);
    expect(readdirSync(path)).toEqual([]);
  }, 60_000);

  it('a user that is not there: nothing is started', async () => {
    const none = await run('xvifd', '--run-dir', join(folder, 'none'), '--user', 'no-such-user');
    expect(none).toEqual({ code: 1, output: 'xvifd: --user: there is no user no-such-user\n' });
    expect(readdirSync(folder)).not.toContain('none');
  }, 60_000);
});
