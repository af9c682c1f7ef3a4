import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostFiles, MARK, systemdWord, toldCommand, UNIT_PATH } from '../../../src/host/host-files.js';
import { install, uninstall } from '../../../src/host/install.js';

const files = hostFiles('1.2.3', { text: '/usr/bin/node /opt/xvif/xvifd.js', isTold: false });
let root: string;
const on = (path: string) => join(root, path);
const options = () => ({ root, dryRun: false });
const actions = (steps: readonly { action: string }[]) => steps.map(({ action }) => action);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'xvif-install-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('the files of a Xen host', () => {
  it('are ours by their mark, and have every value filled in', () => {
    for (const { content } of files) {
      expect(content).toContain(MARK);
      expect(content).not.toMatch(/@[A-Z]+@/);
      expect(content.endsWith('\n')).toBe(true);
    }
    expect(files.map(({ path }) => path)).toEqual([
      '/etc/xen/scripts/vif-xvif',
      '/etc/modprobe.d/xvif.conf',
      '/etc/sysusers.d/xvif.conf',
      '/etc/systemd/system/xvifd.service',
      '/etc/default/xvifd',
    ]);
  });

  it('come, stay, and go', () => {
    expect(actions(install(files, options()))).toEqual(['created', 'created', 'created', 'created', 'created']);
    expect(statSync(on('/etc/xen/scripts/vif-xvif')).mode & 0o777).toBe(0o755);
    expect(statSync(on('/etc/modprobe.d/xvif.conf')).mode & 0o777).toBe(0o644);
    const unit = readFileSync(on('/etc/systemd/system/xvifd.service'), 'utf8');
    expect(unit).toContain(
      '\nExecStart=/usr/bin/node /opt/xvif/xvifd.js --hypervisor xen --user xvif $XVIFD_OPTIONS --run-dir /run/xvif --state-dir /var/lib/xvif\n',
    );
    expect(readFileSync(on('/etc/modprobe.d/xvif.conf'), 'utf8')).toMatch(/^install xen-netback \/bin\/false$/m);
    expect(actions(install(files, options()))).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged', 'kept']);
    expect(actions(uninstall(files, options()))).toEqual(['removed', 'removed', 'removed', 'removed', 'removed']);
    expect(actions(uninstall(files, options()))).toEqual(['absent', 'absent', 'absent', 'absent', 'absent']);
  });

  it('are renewed when they differ; what the administrator wrote is kept', () => {
    install(hostFiles('1.0.0', { text: '/old/xvifd', isTold: false }), options());
    writeFileSync(on('/etc/default/xvifd'), 'XVIFD_OPTIONS="--bridge mine"\n');
    chmodSync(on('/etc/modprobe.d/xvif.conf'), 0o600);
    expect(actions(install(files, options()))).toEqual(['updated', 'updated', 'unchanged', 'updated', 'kept']);
    expect(readFileSync(on('/etc/default/xvifd'), 'utf8')).toContain('mine');
    expect(actions(uninstall(files, options()))).toEqual(['removed', 'removed', 'removed', 'removed', 'kept']);
  });

  it('are only told of with --dry-run', () => {
    expect(actions(install(files, { root, dryRun: true }))).toEqual(Array(5).fill('created'));
    expect(existsSync(on('/etc'))).toBe(false);
    install(files, options());
    expect(actions(uninstall(files, { root, dryRun: true }))).toEqual(Array(5).fill('removed'));
    expect(existsSync(on('/etc/xen/scripts/vif-xvif'))).toBe(true);
  });

  it("do not take the place of somebody else's, and then none of them comes", () => {
    install(files.slice(0, 1), options());
    writeFileSync(on('/etc/xen/scripts/vif-xvif'), '#!/bin/sh\n');
    expect(() => install(files, options())).toThrow('vif-xvif is not a file of xvif-switch: move it away first');
    expect(existsSync(on('/etc/modprobe.d'))).toBe(false);
    expect(() => uninstall(files, options())).toThrow('is not a file of xvif-switch');
    rmSync(on('/etc/xen/scripts/vif-xvif'));
    symlinkSync('/etc/passwd', on('/etc/xen/scripts/vif-xvif'));
    expect(() => install(files, options())).toThrow('is not a file of xvif-switch');
  });
});

describe('the command of the unit', () => {
  const unit = (text: string, isTold: boolean) =>
    hostFiles('1.2.3', { text, isTold }).find(({ path }) => path === UNIT_PATH)!.content;

  it('is taken to the letter by systemd', () => {
    expect(systemdWord('/usr/bin/node')).toBe('/usr/bin/node');
    expect(systemdWord('/opt/my node/100%/a$b/"x"')).toBe('"/opt/my node/100%%/a$$b/\\"x\\""');
  });

  it('is remembered when the administrator gave it', () => {
    expect(toldCommand(unit('/usr/bin/node "/opt/x y/xvifd.js"', true))).toEqual({
      text: '/usr/bin/node "/opt/x y/xvifd.js"',
      isTold: true,
    });
    expect(toldCommand(unit('/usr/bin/node /opt/xvifd.js', false))).toBeUndefined();
    expect(toldCommand('')).toBeUndefined();
  });
});
