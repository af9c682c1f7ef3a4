/** The version of this package, from its package.json. */
import { readFileSync } from 'node:fs';

export function readVersion(): string {
  const path = import.meta.url.includes('/dist/') ? '../../../package.json' : '../../package.json';
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { readonly version: string };
  return version;
}
