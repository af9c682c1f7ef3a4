/** What the checks may ask of a host. local-host.ts asks a real one; tests make theirs up. */

export interface Host {
  /** A file's text; undefined when it is not there or not readable. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** Names in a directory, none when it is not there. */
  list(path: string): readonly string[];
  /** Last component of a symbolic link's target; undefined when there is none. */
  linkName(path: string): string | undefined;
  isExecutable(path: string): boolean;
  /** Opens a device for reading and writing, and closes it: why that failed, undefined when it did not. */
  openError(path: string): string | undefined;
  /** Rejects with a sentence. The caller closes it. */
  xenstore(): Promise<XenstoreView>;
  /** What xvifd says of itself. Rejects with a sentence. */
  daemon(): Promise<DaemonView>;
  /** Why the native data plane cannot be loaded; undefined when it can. */
  addonError(): string | undefined;
  /** Of Node.js, without "v". */
  readonly nodeVersion: string;
}

export interface XenstoreView {
  /** How it was reached. */
  readonly via: string;
  /** The domain that we are. */
  readonly domid: number;
  read(path: string): Promise<string | undefined>;
  list(path: string): Promise<readonly string[]>;
  close(): void;
}

export interface DaemonView {
  readonly version: string;
  readonly hypervisor: string;
  readonly pid: number;
  /** Of the ports that are vifs: `<domid>/<handle>`. */
  readonly vifs: readonly string[];
}

export interface Finding {
  /** Short name of the check. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do, where something is to be done. */
  readonly remedy?: string;
}

export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found };
}

export function warn(check: string, found: string, remedy: string): Finding {
  return { check, status: 'warn', found, remedy };
}

export function fail(check: string, found: string, remedy: string): Finding {
  return { check, status: 'fail', found, remedy };
}
