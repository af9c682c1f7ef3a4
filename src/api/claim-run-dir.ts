/** Makes the run directory ours: private, without another daemon in it, without sockets of one that died. */
import { lchownSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { messageOf } from '../base/error.js';
import { apiSocketPath } from './run-dir.js';

/** What sun_path of a unix socket takes, without the final NUL; names of bridges have up to 15 characters. */
const SOCKET_PATH_BYTES_MAX = 107;
const SOCKET_NAME_BYTES_MAX = '/'.length + 15 + '.mgmt'.length;

export class RunDirError extends Error {
  override readonly name = 'RunDirError';
}

/**
 * Creates `path` with mode 0700, or checks that an existing one is a directory of `uid` that nobody else writes to.
 * One that belongs to `successor`, to whom an earlier daemon handed it over (--user), is taken back. Rejects with
 * {@link RunDirError}, also when a daemon answers there.
 */
export async function claimRunDir(path: string, uid: number, successor: number = uid): Promise<void> {
  if (Buffer.byteLength(path) + SOCKET_NAME_BYTES_MAX > SOCKET_PATH_BYTES_MAX) {
    throw new RunDirError(`run directory ${path}: the path is too long for unix sockets`);
  }
  create(path);
  const { mode, uid: owner } = lstatSync(path);
  if ((mode & 0o170000) !== 0o040000) throw new RunDirError(`run directory ${path}: not a directory`);
  if (owner !== uid && owner !== successor) {
    throw new RunDirError(`run directory ${path}: belongs to user ${owner}, not to ${uid}`);
  }
  if ((mode & 0o022) !== 0) throw new RunDirError(`run directory ${path}: others may write to it`);
  const socket = apiSocketPath(path);
  if (await answers(socket)) throw new RunDirError(`another xvifd runs in ${path}`);
  if (owner !== uid) lchownSync(path, uid, process.getgid?.() ?? 0);
  rmSync(socket, { force: true });
}

function create(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new RunDirError(`run directory ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether somebody accepts connections on a unix socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}
