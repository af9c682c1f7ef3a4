/** The files that a Xen host needs, as they are to stand there. Their sources are in scripts/host/. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../base/package-root.js';

export interface HostFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** What it is, for people. */
  readonly what: string;
  /** The administrator's to change: left alone where it stands already. */
  readonly isConfiguration: boolean;
}

export const SCRIPT_PATH = '/etc/xen/scripts/vif-xvif';
export const MODPROBE_PATH = '/etc/modprobe.d/xvif.conf';
export const UNIT_PATH = '/etc/systemd/system/xvifd.service';

/** In every file of ours; a file at one of our paths without it is somebody else's. */
export const MARK = 'xvif-switch';

const files = [
  { source: 'vif-xvif', path: SCRIPT_PATH, mode: 0o755, what: 'hotplug script' },
  { source: 'xvif.modprobe.conf', path: MODPROBE_PATH, mode: 0o644, what: 'keeps xen-netback away' },
  { source: 'xvif.sysusers.conf', path: '/etc/sysusers.d/xvif.conf', mode: 0o644, what: 'user of the daemon' },
  { source: 'xvifd.service', path: UNIT_PATH, mode: 0o644, what: 'systemd unit' },
  { source: 'xvifd.default', path: '/etc/default/xvifd', mode: 0o644, what: 'options of the daemon' },
] as const;

/** What starts xvifd in its unit, without options, as systemd takes it. */
export interface DaemonCommand {
  readonly text: string;
  /** The administrator's word, not this installation's. */
  readonly isTold: boolean;
}

const ORIGIN_TOLD = 'given with --exec';
const ORIGIN_OWN = 'of this installation';

/** How systemd is to start this very daemon: with the Node.js that runs now. */
export function daemonCommand(): DaemonCommand {
  const words = [process.execPath, join(packageRoot, 'dist/bin/xvifd.js')];
  return { text: words.map(systemdWord).join(' '), isTold: false };
}

/** The command that the administrator gave when `unit` was installed; undefined when it was none. */
export function toldCommand(unit: string): DaemonCommand | undefined {
  if (!unit.includes(`\n# Command: ${ORIGIN_TOLD}.\n`)) return undefined;
  const text = /^ExecStart=(.+) --hypervisor xen /m.exec(unit)?.[1];
  return text === undefined ? undefined : { text, isTold: true };
}

/** A word of a command line in a unit (systemd.service(5)): quoted, specifiers and variables taken to the letter. */
export function systemdWord(word: string): string {
  const literal = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w/.+@%$:-]+$/.test(literal) ? literal : `"${literal.replace(/["\\]/g, '\\$&')}"`;
}

export function hostFiles(version: string, { text, isTold }: DaemonCommand): readonly HostFile[] {
  const root = packageRoot;
  const values: Readonly<Record<string, string>> = {
    VERSION: version,
    COMMAND: text,
    ORIGIN: isTold ? ORIGIN_TOLD : ORIGIN_OWN,
    PACKAGE: root,
  };
  return files.map(({ source, path, mode, what }) => ({
    path,
    mode,
    what,
    content: readFileSync(join(root, 'scripts/host', source), 'utf8').replace(
      /@([A-Z]+)@/g,
      (text, name: string) => values[name] ?? text,
    ),
    isConfiguration: source === 'xvifd.default',
  }));
}
