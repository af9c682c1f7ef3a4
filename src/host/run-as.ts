/** Which user the daemon goes on as once everything is open, and how it becomes that user. */
import { lchownSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../base/error.js';
import type { NativeAddon } from '../datapath/native-addon.js';

export interface RunAs {
  /** Name or number. */
  readonly user: string;
  /** Name or number; undefined: the user's own. */
  readonly group: string | undefined;
  /** Capabilities the main thread keeps, to make ports later. */
  readonly keep: readonly Capability[];
}

export const CAPABILITIES = ['net_admin', 'net_raw'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** Somebody to become, known to exist. */
export interface Successor extends RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** Throws a sentence when there is no such user, or when this process may not become one. */
export function findSuccessor(
  addon: Pick<NativeAddon, 'findUser'>,
  runAs: RunAs,
  uid = process.geteuid?.() ?? 0,
): Successor {
  const { user, group } = runAs;
  try {
    const ids = addon.findUser({ user, ...(group === undefined ? {} : { group }) });
    if (ids.uid === 0) throw new Error('root is not a user to drop privileges to');
    if (uid !== 0) throw new Error('only root can become another user');
    return { ...runAs, ...ids };
  } catch (error) {
    throw new Error(`--user: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Hands over the run directory, so that its sockets can be removed at the end, and becomes the user: every thread, for
 * good. Throws a sentence; the process must end then.
 */
export function becomeSuccessor(
  addon: Pick<NativeAddon, 'dropPrivileges'>,
  { user, uid, gid, keep }: Successor,
  runDir: string,
): void {
  const closed = closedParent(runDir, uid, gid);
  if (closed !== undefined) throw new Error(`run directory ${runDir}: user ${user} cannot pass through ${closed}`);
  lchownSync(runDir, uid, gid);
  const kept = { keepNetAdmin: keep.includes('net_admin'), keepNetRaw: keep.includes('net_raw') };
  try {
    addon.dropPrivileges({ user, uid, gid, ...kept });
  } catch (error) {
    throw new Error(`privileges cannot be dropped: ${messageOf(error)}`, { cause: error });
  }
}

/** A directory above `path` that lets only others pass; supplementary groups and ACLs do not count. */
function closedParent(path: string, uid: number, gid: number): string | undefined {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const { mode, uid: owner, gid: group } = statSync(folder);
    const search = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & search) === 0) return folder;
    if (folder === '/') return undefined;
  }
}
