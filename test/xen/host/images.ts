/** The lab's images in a cache outside the checkout: made when missing or when what they are made of changed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Images {
  readonly xen: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
}

/** XVIF_XENLAB_CACHE, else `xvif-xenlab` in the user's cache directory. */
export function defaultCache(env: NodeJS.ProcessEnv = process.env): string {
  return env.XVIF_XENLAB_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'xvif-xenlab');
}

function imagesIn(cache: string): Images {
  return {
    xen: join(cache, 'xen'),
    kernel: join(cache, 'vmlinuz'),
    initrd: join(cache, 'dom0-initrd'),
    root: join(cache, 'root.ext4'),
  };
}

/** Digest of the build's sources and of the Node.js that goes into the disk. */
function ingredients(sources: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(join(sources, name)));
  return hash.update(process.version).update(realpathSync(process.execPath)).digest('hex');
}

/** Gives images that fit `sources`, building them (as root, some minutes) when the cache has none. Throws a sentence. */
export function readyImages(sources: string, cache: string, say: (line: string) => void): Images {
  const images = imagesIn(cache);
  const stamp = join(cache, 'ingredients');
  const wanted = ingredients(sources);
  const complete = Object.values(images).every((path) => existsSync(path));
  if (complete && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return images;
  if (process.getuid?.() !== 0) {
    throw new Error(`the images in ${cache} are ${complete ? 'out of date' : 'missing'}: making them needs root`);
  }
  say(`building the images of the Xen lab in ${cache}`);
  mkdirSync(cache, { recursive: true });
  const started = Date.now();
  const { status, error } = spawnSync('bash', [join(sources, 'build.sh'), cache], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`the images could not be built (${error?.message ?? `status ${status}`})`);
  writeFileSync(stamp, wanted);
  say(`images built in ${Math.round((Date.now() - started) / 1000)} s`);
  return images;
}
