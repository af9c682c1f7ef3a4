/**
 * The hotplug script against xvifd and Debian's xenstore tools, called as libxl, `xl devd` and xenopsd call it. Missing
 * tools fail the test: the run is asked for by XVIF_INTEROP=1.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { XenstoreClient } from '../../src/xenstore/index.js';
import { type Running, start } from '../e2e/programs.js';
import { root } from '../lab/process.js';

const script = join(root, 'scripts/host/vif-xvif');
const folder = mkdtempSync(join(tmpdir(), 'xvif-hotplug-'));
const socket = join(folder, 'run/xenstored.sock');
let daemon: Running;
let store: XenstoreClient;

beforeAll(async () => {
  const bridges = ['--bridge', 'br0', '--bridge', 'br1'];
  daemon = start('xvifd', '--run-dir', join(folder, 'run'), '--local', 'null', ...bridges);
  await daemon.says(/"msg":"ready"/);
  store = await XenstoreClient.open(socket);
}, 120_000);

afterAll(async () => {
  store?.close();
  daemon?.child.kill('SIGTERM');
  await daemon?.ended;
  rmSync(folder, { recursive: true, force: true });
});

const backendOf = (domid: number) => `/local/domain/0/backend/vif/${domid}/0`;

/** Both ends of a vif, as a toolstack writes them. */
async function plug(domid: number, keys: Record<string, string>): Promise<void> {
  const be = backendOf(domid);
  const fe = `/local/domain/${domid}/device/vif/0`;
  const common = { frontend: fe, 'frontend-id': String(domid), online: '1', state: '1', 'hotplug-status': '' };
  await store.transaction(async (nodes) => {
    await nodes.write(`${fe}/backend`, be);
    await nodes.write(`${fe}/state`, '1');
    for (const [key, value] of Object.entries({ ...common, ...keys })) await nodes.write(`${be}/${key}`, value);
  });
}

async function unplug(domid: number): Promise<void> {
  await store.write(`${backendOf(domid)}/online`, '0');
  await store.write(`${backendOf(domid)}/state`, '5');
  await expect.poll(() => store.readOrUndefined(`${backendOf(domid)}/state`)).toBe('6');
}

/** Runs the script with the shell given; the environment of libxl unless told otherwise. */
function hotplug(
  domid: number,
  args: readonly string[],
  env: Record<string, string> = {},
  shell = 'dash',
): Promise<{ readonly code: number; readonly output: string }> {
  const libxl = { XENBUS_TYPE: 'vif', XENBUS_PATH: `backend/vif/${domid}/0`, XENBUS_BASE_PATH: 'backend' };
  return new Promise((resolve) => {
    const all = { PATH: process.env.PATH, XENSTORED_PATH: socket, ...libxl, vif: `vif${domid}.0`, ...env };
    execFile(shell, [script, ...args], { env: all, timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
    });
  });
}

const key = (domid: number, name: string) => store.readOrUndefined(`${backendOf(domid)}/${name}`);

describe('libxl and xl devd', () => {
  it.each(['dash', 'bash', 'sh'])('online and offline, with %s', async (shell) => {
    await plug(1, { bridge: 'br1' });
    expect(await hotplug(1, ['online', 'type_if=vif'], {}, shell)).toEqual({ code: 0, output: '' });
    expect(await key(1, 'hotplug-status')).toBe('connected');
    expect(await key(1, 'state')).toBe('2');
    await unplug(1);
    expect(await hotplug(1, ['offline', 'type_if=vif'], {}, shell)).toEqual({ code: 0, output: '' });
    expect(await key(1, 'hotplug-status')).toBeUndefined();
    await store.rm(backendOf(1));
  });

  it('the path may be absolute, and waits for a backend that is late', async () => {
    await store.write(`${backendOf(2)}/state`, '1');
    const online = hotplug(2, ['online', 'type_if=vif'], { XENBUS_PATH: backendOf(2) });
    await plug(2, { bridge: 'br0' });
    expect(await online).toEqual({ code: 0, output: '' });
    expect(await key(2, 'hotplug-status')).toBe('connected');
  });

  it.each([
    ['a bridge that is not there', { bridge: 'br9' }, 'there is no bridge "br9"'],
    ['no bridge though there are several', {}, 'there are several bridges, and none is named'],
    ['a key that makes no sense', { bridge: 'br0', mac: 'x' }, 'backend key mac is "x", which makes no sense'],
    ['a name that cannot be', { bridge: 'br0', vifname: 'a b' }, 'backend key vifname is "a b", which makes no sense'],
  ])('%s: the toolstack gets a sentence', async (_, keys, sentence) => {
    await plug(3, keys);
    const { code, output } = await hotplug(3, ['online', 'type_if=vif']);
    expect(code).toBe(1);
    expect(output).toContain(sentence);
    expect(await key(3, 'hotplug-status')).toBe('error');
    expect(await key(3, 'hotplug-error')).toBe(sentence);
    await unplug(3);
    expect((await hotplug(3, ['offline', 'type_if=vif'])).code).toBe(0);
    expect(await key(3, 'hotplug-error')).toBeUndefined();
    await store.rm(backendOf(3));
  });

  it('another backend took the vif', async () => {
    await store.write('/local/domain/0/backend/other/4/0/state', '2');
    const result = await hotplug(4, ['online'], { XENBUS_PATH: 'backend/other/4/0' });
    expect(result).toMatchObject({ code: 1 });
    expect(await store.read('/local/domain/0/backend/other/4/0/hotplug-error')).toMatch(/^another backend than xvifd/);
  });

  it('nobody takes it', async () => {
    await store.write('/local/domain/0/backend/nobody/4/0/state', '1');
    const { code } = await hotplug(4, ['online'], { XENBUS_PATH: 'backend/nobody/4/0' });
    expect(code).toBe(1);
    expect(await store.read('/local/domain/0/backend/nobody/4/0/hotplug-error')).toContain('is it running?');
  });

  it('a directory that is gone does not come back to life', async () => {
    expect((await hotplug(7, ['online', 'type_if=vif'])).code).toBe(1);
    expect((await hotplug(7, ['offline', 'type_if=vif'])).code).toBe(0);
    expect(await store.directoryOrEmpty('/local/domain/0/backend/vif/7')).toEqual([]);
  });

  it('wrong use', async () => {
    expect(await hotplug(1, [])).toMatchObject({ code: 1 });
    expect((await hotplug(1, ['jump'])).output).toContain('expected online, offline, add or remove');
    expect((await hotplug(1, ['online'], { XENBUS_PATH: '' })).output).toContain('XENBUS_PATH is ""');
    expect((await hotplug(1, ['online'], { XENBUS_PATH: '/x/y;z/0' })).output).toContain('XENBUS_PATH is');
  });
});

describe('xenopsd', () => {
  const uuid = '0b6b6a6e-5d6a-4f0e-8d6f-2f7d1c7f9a11';
  const followed = `/xapi/${uuid}/hotplug/5/vif/0`;
  const env = { XENBUS_PREFIX: '' };

  it('add, online, remove, with the bridge in its private directory', async () => {
    await store.write('/local/domain/5/vm', `/vm/${uuid}`);
    await store.write(`/vm/${uuid}/uuid`, uuid);
    await store.write(`/xapi/${uuid}/private/vif/0/bridge`, 'br1');
    await plug(5, { vifname: 'web' });
    expect(await hotplug(5, ['add'], env)).toEqual({ code: 0, output: '' });
    expect(await hotplug(5, ['online'], env)).toEqual({ code: 0, output: '' });
    expect(await store.read(`${followed}/hotplug`)).toBe('online');
    expect(await store.read(`${followed}/vif`)).toBe('web');
    expect(await key(5, 'hotplug-status')).toBe('connected');
    const tap = { ...env, XENBUS_TYPE: 'tap', XENBUS_PATH: 'backend/tap/5/0', INTERFACE: 'tap5.0' };
    expect(await hotplug(5, ['add'], tap)).toEqual({ code: 0, output: '' });
    expect((await hotplug(5, ['move', 'type_if=vif'], env)).code).toBe(1);

    await unplug(5);
    expect((await hotplug(5, ['remove'], env)).code).toBe(0);
    expect(await store.readOrUndefined(`${followed}/hotplug`)).toBeUndefined();
    expect(await key(5, 'hotplug-status')).toBeUndefined();
  });
});

it('is POSIX shell without a fault that shellcheck knows', () => {
  expect(execFileSync('shellcheck', ['-s', 'sh', script], { encoding: 'utf8' })).toBe('');
});
