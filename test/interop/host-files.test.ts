/** The installed files as the programs see them that read them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../e2e/programs.js';
import { sh } from '../lab/process.js';

/** What systemd-analyze security says of a unit: 0 the least exposed, 10 the most. In tenths. */
const EXPOSURE_MAX_TENTHS = 33;

const root = mkdtempSync(join(tmpdir(), 'xvif-host-files-'));
const unit = join(root, 'etc/systemd/system/xvifd.service');

beforeAll(async () => {
  const { code, output } = await run('xvif', 'install-host', '--root', root);
  expect({ code, output }).toMatchObject({
    code: 0,
    output: expect.stringMatching(/created +\S+vif-xvif +hotplug script/),
  });
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('xvifd.service', () => {
  it('systemd finds no fault in it', async () => {
    expect(await sh('systemd-analyze', 'verify', '--man=no', unit)).toBe('');
  });

  it('is hardened as far as it can be', async () => {
    const threshold = `--threshold=${EXPOSURE_MAX_TENTHS}`;
    const report = await sh('systemd-analyze', 'security', '--offline=true', threshold, '--no-pager', unit);
    expect(report).toMatch(/Overall exposure level for xvifd.service: [0-3]\.\d OK/);
    expect(report).toMatch(/✓ NoNewPrivileges=/);
    expect(report).toMatch(/✓ ProtectSystem=/);
  });
});

describe('modprobe.d', () => {
  it('xen-netback is not loaded, neither by alias nor by name', () => {
    const conf = join(root, 'etc/modprobe.d');
    const effective = execFileSync('modprobe', ['-C', conf, '--showconfig'], { encoding: 'utf8' });
    expect(effective).toMatch(/^blacklist xen_netback$/m);
    expect(effective).toMatch(/^install xen_netback \/bin\/false$/m);
  });
});

describe('sysusers.d', () => {
  it('makes the user', async () => {
    await sh('systemd-sysusers', `--root=${root}`, join(root, 'etc/sysusers.d/xvif.conf'));
    expect(execFileSync('grep', ['^xvif:', join(root, 'etc/passwd')], { encoding: 'utf8' })).toMatch(/:xvif-switch:/);
  });
});
