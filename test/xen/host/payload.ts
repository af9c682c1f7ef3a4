/** What Dom0 gets of the project: the compiled daemon and scenarios, the addon, and npm's packages for run time. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
}

/** Folders of node_modules that run time needs, from the lock file. Types are declarations only. */
export function productionPackages(root: string): string[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path.startsWith('node_modules/') && dev !== true && !path.includes('/@types/'))
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path)));
}

/** Of the checkout, as far as it is there. */
const parts = [
  'package.json',
  'dist/bin',
  'dist/src',
  'dist/test/xen',
  'build/native/xvif.node',
  'src/api/xvif.proto',
  'src/documents/journal.proto',
  'packages/node-openflow/package.json',
  'packages/node-openflow/dist',
  'examples/osken-learning',
  'test/xen/assets',
  'scripts/host',
];

/**
 * Packs the payload into `file` (tar): the project under `xvif/`, and `command`, a shell script that Dom0's init runs
 * in the payload's directory. Throws when a part is missing.
 */
export function packPayload(root: string, work: string, file: string, command: string, extra: readonly string[]): void {
  writeFileSync(join(work, 'command'), command);
  const present = parts.filter((path) => existsSync(join(root, path)));
  for (const needed of ['dist/bin', 'dist/src', 'dist/test/xen', 'build/native/xvif.node']) {
    if (!present.includes(needed)) throw new Error(`${needed} is missing: run npm run setup first`);
  }
  pack(['-cf', file, '-C', work, 'command', ...extra]);
  pack([
    '-rf',
    file,
    '--exclude=*.map',
    '--exclude=*.d.ts',
    '--exclude=*.tsbuildinfo',
    // Names only: a link inside node_modules keeps where it points to.
    '--transform=flags=r;s,^,xvif/,',
    '-C',
    root,
    ...present,
    ...productionPackages(root).filter((path) => path.lastIndexOf('node_modules/') === 0),
  ]);
}

function pack(args: readonly string[]): void {
  const { status, stderr } = spawnSync('tar', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar failed: ${stderr}`);
}
