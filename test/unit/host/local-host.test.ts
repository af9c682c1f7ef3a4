/** The doctor on a copy of a host: files below a directory, a real xenstored's socket. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../../src/api/client.js';
import { readVersion } from '../../../src/api/version.js';
import { CommandFailed } from '../../../src/cli/context.js';
import { doctor } from '../../../src/cli/doctor.js';
import type { Finding } from '../../../src/host/doctor/host.js';
import { LocalHost } from '../../../src/host/doctor/local-host.js';
import { daemonCommand, hostFiles } from '../../../src/host/host-files.js';
import { install } from '../../../src/host/install.js';
import { EmulatedXenstore, XenstoreClient } from '../../../src/xenstore/index.js';
import { goodDom0 } from './fake-host.js';

const version = readVersion();
let root: string;
let store: EmulatedXenstore | undefined;

/** An API that answers like a daemon on Xen, or not at all. */
function api(answers: boolean): ApiClient {
  const replies: Record<string, object> = {
    show: { version, hypervisor: 'xen', pid: 42 },
    listPorts: { ports: [{ vif: null }, { vif: { domid: 3, handle: 0, queues: 1 } }] },
  };
  const call = async (name: string) => {
    if (!answers) throw new Error('cannot reach xvifd: is it running?');
    return replies[name];
  };
  return { call } as unknown as ApiClient;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function run(answers: boolean, json = true): Promise<{ readonly output: string; readonly error: unknown }> {
  const printed: string[] = [];
  const print = (text: string) => void printed.push(text);
  const context = { api: api(answers), json, print, untilInterrupted: () => AbortSignal.abort() };
  const error = await doctor(context, { root }).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return { output: printed.join('\n'), error };
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'xvif-doctor-'));
  for (const [path, text] of Object.entries(goodDom0.files)) write(path, text);
  rmSync(join(root, 'etc/xen/scripts'), { recursive: true });
  rmSync(join(root, 'etc/systemd/system/xvifd.service'));
  rmSync(join(root, 'etc/modprobe.d'), { recursive: true });
  install(hostFiles(version, daemonCommand()), { root, dryRun: false });
  mkdirSync(join(root, 'run/xenstored'), { recursive: true });
  store = new EmulatedXenstore();
  await store.listen(join(root, 'run/xenstored/socket'));
  const client = await XenstoreClient.open(join(root, 'run/xenstored/socket'));
  const be = '/local/domain/0/backend/vif/3/0';
  await client.write(`${be}/state`, '4');
  await client.write(`${be}/xvif`, 'port xvif3i0');
  await client.write(`${be}/script`, '/etc/xen/scripts/vif-xvif');
  client.close();
});

afterEach(async () => {
  await store?.close();
  rmSync(root, { recursive: true, force: true });
});

describe('xvif doctor', () => {
  it('finds a good host good', async () => {
    const { output, error } = await run(true);
    const findings = JSON.parse(output) as Finding[];
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.map(({ check }) => check)).toContain('vifs');
    expect(error).toBeUndefined();
  });

  it('tells in words, and fails, when something is missing', async () => {
    chmodSync(join(root, 'etc/xen/scripts/vif-xvif'), 0o644);
    mkdirSync(join(root, 'sys/bus/xen-backend/devices/vif-3-0'), { recursive: true });
    symlinkSync('../../drivers/vif', join(root, 'sys/bus/xen-backend/devices/vif-3-0/driver'));
    rmSync(join(root, 'dev/xen/gntdev'));
    const { output, error } = await run(false, false);
    expect(output).toMatch(/^FAIL {2}\/dev\/xen\/gntdev +is not there.*\n {6}→ see that udev/m);
    expect(output).toMatch(/^FAIL {2}hotplug script .*is not executable\n {6}→ xvif install-host$/m);
    expect(output).toMatch(/^FAIL {2}xvifd +cannot reach xvifd/m);
    expect(output).toMatch(/^FAIL {2}vif xvif3i0 +is served by the kernel/m);
    expect(output).toMatch(/^ok {4}xenstore +answers on/m);
    expect(error).toEqual(new CommandFailed('4 checks failed'));
  });

  it('without xenstored it says where it looked', async () => {
    await store!.close();
    store = undefined;
    const found = async () =>
      (JSON.parse((await run(true)).output) as Finding[]).find(({ check }) => check === 'xenstore')!.found;
    expect(await found()).toMatch(/xenbus|READ/);
    rmSync(join(root, 'dev/xen/xenbus'));
    expect(await found()).toBe(
      `neither ${root}/run/xenstored/socket (ENOENT) nor ${root}/dev/xen/xenbus (ENOENT) can be opened`,
    );
  });
});

describe('a host that is looked at', () => {
  it('has devices that open or say why not', () => {
    const host = new LocalHost(root, api(true));
    expect(host.openError('/dev/xen/gntdev')).toBeUndefined();
    expect(host.openError('/dev/xen')).toMatch(/^EISDIR/);
    expect(host.openError('/dev/none')).toMatch(/^ENOENT/);
    expect(host.addonError()).toBeUndefined();
    expect(host.list('/none')).toEqual([]);
    expect(host.read('/dev')).toBeUndefined();
    expect(host.linkName('/dev')).toBeUndefined();
  });
});
