/** Names of nodes: which are valid, what relative ones mean, who stands above and below. */
import { ABSOLUTE_PATH_MAX, RELATIVE_PATH_MAX } from '../wire.js';
import { StoreFailure } from './failure.js';

const VALID = /^[A-Za-z0-9\-/_@]*$/;

export function homeOf(domid: number): string {
  return `/local/domain/${domid}`;
}

/**
 * The absolute name of `path` for a connection of `domid`. Fails with EINVAL when the name is malformed or longer
 * than `lengthMax` below a domain's home. Names with `@` in front are allowed on request only.
 */
export function canonical(path: string, domid: number, lengthMax: number, allowSpecial = false): string {
  const special = path.startsWith('@');
  if (path === '' || (special && !allowSpecial)) throw new StoreFailure('EINVAL');
  const absolute = path.startsWith('/') || special ? path : `${homeOf(domid)}/${path}`;
  if (absolute === '/') return absolute;
  const valid = VALID.test(absolute) && !absolute.endsWith('/') && !absolute.includes('//');
  const local = absolute.replace(/^\/local\/domain\/\d+\//, '');
  const tooLong = absolute.length >= ABSOLUTE_PATH_MAX || local.length > Math.min(lengthMax, RELATIVE_PATH_MAX);
  if (!valid || tooLong) throw new StoreFailure('EINVAL');
  return absolute;
}

/** The node above; undefined for the root and for special names. */
export function parentOf(path: string): string | undefined {
  if (path === '/' || path.startsWith('@')) return undefined;
  const slash = path.lastIndexOf('/');
  return slash === 0 ? '/' : path.slice(0, slash);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function childOf(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** Whether `path` is `top` or stands below it. */
export function isWithin(path: string, top: string): boolean {
  if (top === '/' && path.startsWith('/')) return true;
  return path === top || path.startsWith(`${top}/`);
}
