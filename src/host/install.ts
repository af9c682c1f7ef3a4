/** Puts the host's files in place, or takes them away. Doing it again changes nothing. */
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type HostFile, MARK } from './host-files.js';

export type InstallAction = 'created' | 'updated' | 'unchanged' | 'kept' | 'removed' | 'absent';

export interface InstallStep {
  readonly path: string;
  readonly what: string;
  readonly action: InstallAction;
}

export interface InstallOptions {
  /** Prepended to every path, for staging; `/` for the host itself. */
  readonly root: string;
  readonly dryRun: boolean;
}

/** Throws a sentence before anything is written when one of the files is not ours, or with the system's error. */
export function install(files: readonly HostFile[], { root, dryRun }: InstallOptions): InstallStep[] {
  const plans = files.map((file) => ({ file, target: join(root, file.path), action: installAction(root, file) }));
  return plans.map(({ file, target, action }) => {
    if (!dryRun && (action === 'created' || action === 'updated')) put(target, file);
    return { path: target, what: file.what, action };
  });
}

/** A configuration file that was changed is kept. */
export function uninstall(files: readonly HostFile[], { root, dryRun }: InstallOptions): InstallStep[] {
  const plans = files.map((file) => ({ file, target: join(root, file.path), action: uninstallAction(root, file) }));
  return plans.map(({ file, target, action }) => {
    if (!dryRun && action === 'removed') rmSync(target);
    return { path: target, what: file.what, action };
  });
}

function installAction(root: string, file: HostFile): InstallAction {
  const found = current(root, file);
  if (found === undefined) return 'created';
  if (file.isConfiguration) return 'kept';
  return found.content === file.content && found.mode === file.mode ? 'unchanged' : 'updated';
}

function uninstallAction(root: string, file: HostFile): InstallAction {
  const found = current(root, file);
  if (found === undefined) return 'absent';
  return file.isConfiguration && found.content !== file.content ? 'kept' : 'removed';
}

function current(root: string, { path, isConfiguration }: HostFile): { content: string; mode: number } | undefined {
  const target = join(root, path);
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const content = stat.isFile() ? readFileSync(target, 'utf8') : '';
  if (!isConfiguration && !content.includes(MARK)) {
    throw new Error(`${target} is not a file of ${MARK}: move it away first`);
  }
  return { content, mode: stat.mode & 0o7777 };
}

/** All at once, so that nobody runs half a script. */
function put(target: string, { content, mode }: HostFile): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  const fresh = `${target}.new`;
  writeFileSync(fresh, content, { mode });
  // Whatever the umask says.
  chmodSync(fresh, mode);
  renameSync(fresh, target);
}
