/** Where the daemon keeps its sockets; the one place where daemon and CLI agree without talking. */
import { join } from 'node:path';

export interface RunDirSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

/** /run/xvif for root, else below XDG_RUNTIME_DIR, else a private folder in /tmp. */
export function defaultRunDir({ env, uid }: RunDirSources): string {
  const runtime = env.XDG_RUNTIME_DIR;
  if (env.XVIF_RUN_DIR) return env.XVIF_RUN_DIR;
  if (uid === 0) return '/run/xvif';
  return runtime ? join(runtime, 'xvif') : `/tmp/xvif-${uid}`;
}

/**
 * Where the daemon keeps what is to outlive it: /var/lib/xvif for root, else below XDG_STATE_HOME or HOME. With a run
 * directory of its own choice, in there.
 */
export function defaultStateDir(sources: RunDirSources): string {
  const { env, uid } = sources;
  if (env.XVIF_STATE_DIR) return env.XVIF_STATE_DIR;
  if (env.XVIF_RUN_DIR) return join(env.XVIF_RUN_DIR, 'state');
  if (uid === 0) return '/var/lib/xvif';
  if (env.XDG_STATE_HOME) return join(env.XDG_STATE_HOME, 'xvif');
  return env.HOME ? join(env.HOME, '.local/state/xvif') : join(defaultRunDir(sources), 'state');
}

export function apiSocketPath(runDir: string): string {
  return join(runDir, 'xvifd.sock');
}

/** The socket of the emulated xenstored, for Xen's own tools (XENSTORED_PATH). */
export function xenstoredSocketPath(runDir: string): string {
  return join(runDir, 'xenstored.sock');
}

/** The OpenFlow socket of a bridge, for ovs-ofctl. */
export function managementSocketPath(runDir: string, bridge: string): string {
  return join(runDir, `${bridge}.mgmt`);
}
