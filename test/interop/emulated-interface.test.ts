/**
 * The emulated interface of an HVM guest: a TAP device that is held as QEMU holds it, the hotplug script called as libxl
 * calls it, and traffic, in a network namespace of its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { XenstoreClient } from '../../src/xenstore/index.js';
import { programs } from '../e2e/programs.js';
import { eventually, root, sh } from '../lab/process.js';

const script = join(root, 'scripts/host/vif-xvif');
const folder = mkdtempSync(join(tmpdir(), 'xvif-emulated-'));
chmodSync(folder, 0o711); // another user passes
const runDir = join(folder, 'run');
const netns = `xvif-emu-${process.pid}`;
const DEVICE = 'vif7.0-emu';
const BE = '/local/domain/0/backend/vif/7/0';
const FE = '/local/domain/7/device/vif/0';

/** Holds the device, and once it is told to asks who has 10.9.0.1 until it is answered. */
const QEMU = `
import fcntl, os, select, struct, sys
tap = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack('16sH22x', b'${DEVICE}', 0x1002))
print('open', flush=True)
sys.stdin.readline()
mac = bytes.fromhex('00163e000700')
arp = bytes.fromhex('0001080006040001') + mac + bytes([10, 9, 0, 7]) + bytes(6) + bytes([10, 9, 0, 1])
while True:
    os.write(tap, b'\\xff' * 6 + mac + bytes.fromhex('0806') + arp + bytes(18))
    while select.select([tap], [], [], 0.3)[0]:
        frame = os.read(tap, 2000)
        if frame[:6] == mac and frame[12:14] == bytes.fromhex('0806') and frame[28:32] == bytes([10, 9, 0, 1]):
            print('answered', flush=True)
            sys.stdin.readline()
            sys.exit(0)
`;

const children = new Set<ChildProcess>();
let store: XenstoreClient;

/** In the namespace; resolves once it says that. */
function begin(what: RegExp, ...command: readonly string[]): Promise<ChildProcess> {
  const child = spawn('ip', ['netns', 'exec', netns, ...command], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said += chunk;
      if (what.test(said)) resolve(child);
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.on('close', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await closed;
  children.delete(child);
}

const daemon = (...options: readonly string[]) =>
  begin(
    /"msg":"ready"/,
    process.execPath,
    programs.xvifd,
    ...['--run-dir', runDir, '--local', 'tap', '--fail-mode', 'standalone', '--user', 'nobody'],
    ...options,
  );
const qemu = () => begin(/open/, '/usr/bin/python3', join(folder, 'qemu.py'));

function hotplug(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const env = {
    PATH: process.env.PATH,
    XENSTORED_PATH: join(runDir, 'xenstored.sock'),
    XENBUS_TYPE: 'vif',
    XENBUS_PATH: 'backend/vif/7/0',
    XENBUS_BASE_PATH: 'backend',
    vif: 'vif7.0',
    INTERFACE: DEVICE,
  };
  return new Promise((resolve) => {
    execFile('ip', ['netns', 'exec', netns, 'sh', script, ...args], { env, timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: out + err });
    });
  });
}

async function plug(bridge: string): Promise<void> {
  const keys = {
    frontend: FE,
    'frontend-id': '7',
    online: '1',
    state: '1',
    'hotplug-status': '',
    type: 'vif_ioemu',
    mac: '00:16:3e:00:07:00',
    mtu: '1400',
    bridge,
  };
  await store.transaction(async (nodes) => {
    await nodes.write(`${FE}/backend`, BE);
    await nodes.write(`${FE}/state`, '1');
    for (const [key, value] of Object.entries(keys)) await nodes.write(`${BE}/${key}`, value);
  });
}

async function ports(): Promise<string[]> {
  const text = await sh(process.execPath, programs.xvif, '--socket', join(runDir, 'xvifd.sock'), '--json', 'ports');
  return (JSON.parse(text) as { name: string }[]).map(({ name }) => name);
}

async function isAnswered(guest: ChildProcess): Promise<void> {
  const answered = new Promise<void>((resolve) =>
    guest.stdout!.on('data', (chunk: Buffer) => {
      if (chunk.includes('answered')) resolve();
    }),
  );
  guest.stdin!.write('go\n');
  await answered;
}

beforeAll(async () => {
  writeFileSync(join(folder, 'qemu.py'), QEMU);
  await sh('ip', 'netns', 'add', netns);
}, 60_000);
afterEach(async () => {
  store?.close();
  for (const child of [...children]) await end(child);
});
afterAll(async () => {
  await sh('ip', 'netns', 'del', netns);
  rmSync(folder, { recursive: true, force: true });
});

it('is a port from add to remove, and is gone with the vif', { timeout: 240_000 }, async () => {
  // Without its privileges, but for the one that packet sockets need.
  const first = await daemon('--keep-capability', 'net_raw');
  store = await XenstoreClient.open(join(runDir, 'xenstored.sock'));
  await sh('ip', '-n', netns, 'addr', 'add', '10.9.0.1/24', 'dev', 'br0');
  await sh('ip', '-n', netns, 'link', 'set', 'br0', 'up');
  const guest = await qemu();
  await plug('br0');
  expect(await hotplug('online', 'type_if=vif')).toEqual({ code: 0, output: '' });
  expect(await hotplug('add', 'type_if=tap')).toEqual({ code: 0, output: '' });
  expect(await ports()).toEqual(expect.arrayContaining(['xvif7i0-emu']));
  expect(await sh('ip', '-n', netns, 'link', 'show', DEVICE)).toMatch(/NOARP.*mtu 1400/);
  await isAnswered(guest);

  // Called twice it is the same port still.
  expect(await hotplug('add', 'type_if=tap')).toEqual({ code: 0, output: '' });
  expect((await ports()).filter((name) => name.endsWith('-emu'))).toEqual(['xvif7i0-emu']);

  expect(await hotplug('remove', 'type_if=tap')).toEqual({ code: 0, output: '' });
  await eventually('the port is gone', async () => !(await ports()).includes('xvif7i0-emu'));
  expect(await store.readOrUndefined(`${BE}/xvif-emulated-answer`)).toBeUndefined();

  // QEMU anew: another device of the same name.
  await end(guest);
  const again = await qemu();
  expect(await hotplug('add', 'type_if=tap')).toEqual({ code: 0, output: '' });
  await isAnswered(again);

  await store.write(`${BE}/online`, '0');
  await store.write(`${BE}/state`, '5');
  await eventually('the vif closes', async () => (await store.read(`${BE}/state`)) === '6');
  await store.rm(BE);
  await eventually('the port goes with it', async () => !(await ports()).includes('xvif7i0-emu'));
  await end(first);
});

it('the toolstack is told why not', { timeout: 120_000 }, async () => {
  await daemon();
  store = await XenstoreClient.open(join(runDir, 'xenstored.sock'));
  await qemu();
  await plug('br9');
  const { code, output } = await hotplug('add', 'type_if=tap');
  expect(output).toContain(`emulated interface ${DEVICE}: there is no bridge "br9"`);
  expect(code).toBe(1);
  expect(await store.read(`${BE}/hotplug-error`)).toBe(`emulated interface ${DEVICE}: there is no bridge "br9"`);
  await eventually('nothing is asked for any more', async () => {
    const left = await store.directoryOrEmpty(BE);
    return !left.some((key) => key.startsWith('xvif-emulated'));
  });
});

it('a daemon that gave up its privileges says so', { timeout: 120_000 }, async () => {
  await daemon();
  store = await XenstoreClient.open(join(runDir, 'xenstored.sock'));
  await qemu();
  await plug('br0');
  const { code, output } = await hotplug('add', 'type_if=tap');
  expect(output).toMatch(/emulated interface vif7.0-emu: .*not permitted/);
  expect(code).toBe(1);
});

it('there is no such device: a guest without one', { timeout: 60_000 }, async () => {
  await daemon();
  store = await XenstoreClient.open(join(runDir, 'xenstored.sock'));
  await plug('br0');
  expect(await hotplug('add', 'type_if=tap')).toEqual({ code: 0, output: '' });
  expect(await store.readOrUndefined(`${BE}/xvif-emulated`)).toBeUndefined();
});
