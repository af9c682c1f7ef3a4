/** xenstore, as Dom0's tools see it. */
import { eventually, sh } from './shell.js';

/** Undefined: no such node. */
export async function read(path: string): Promise<string | undefined> {
  return sh('xenstore-read', path).then(
    (text) => text.replace(/\n$/, ''),
    () => undefined,
  );
}

export async function write(path: string, value: string): Promise<void> {
  await sh('xenstore-write', path, value);
}

/** Paths below `path`. */
export async function paths(path: string): Promise<string[]> {
  const text = await sh('xenstore-ls', '-f', path).catch(() => '');
  return text
    .split('\n')
    .map((line) => line.replace(/ = ".*$/, ''))
    .filter((line) => line.startsWith(path));
}

export function backendPath(domid: number, handle = 0, backend = 0): string {
  return `/local/domain/${backend}/backend/vif/${domid}/${handle}`;
}

export function frontendPath(domid: number, handle = 0): string {
  return `/local/domain/${domid}/device/vif/${handle}`;
}

/** Waits until the toolstack has taken the directory away. */
export async function gone(path: string, seconds = 240): Promise<void> {
  await eventually(`${path} is gone`, async () => (await read(path)) === undefined, seconds);
}
