// The commands as few files each: Node.js starts one of those in less than half the time it takes for 600 modules.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const folder = 'dist/bin';
/** Beside it, as bundles say by their own place where the rest is. */
const [made, before] = [`${folder}.new`, `${folder}.old`];
const stampOf = (of) => `${of}/inputs`;
/** What they are made of: tsc's records change with any source. */
const inputs = [
  'dist/tsconfig.tsbuildinfo',
  'packages/node-openflow/dist/tsconfig.tsbuildinfo',
  'package-lock.json',
  'scripts/bundle.mjs',
];

/** Makes dist/bin from what tsc made, when it is out of date. Until all is made, and when that fails, it stays as it is. */
export async function bundle() {
  const hash = createHash('sha256');
  for (const path of inputs) hash.update(readFileSync(path));
  const now = hash.digest('hex');
  if (existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === now) return;
  // One that was cut short may have left something.
  for (const left of [made, before]) rmSync(left, { recursive: true, force: true });
  await build({
    entryPoints: { xvif: 'dist/src/cli/xvif.js', xvifd: 'dist/src/xvifd/xvifd.js' },
    outdir: made,
    bundle: true,
    // What a command does not need at once stays in files of its own.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.17',
    sourcemap: true,
    logLevel: 'warning',
    // CommonJS packages ask for Node.js' own modules so.
    banner: {
      js: "import { createRequire as ofBundle } from 'node:module'; const require = ofBundle(import.meta.url);",
    },
  });
  writeFileSync(stampOf(made), now);
  if (existsSync(folder)) renameSync(folder, before);
  renameSync(made, folder);
  rmSync(before, { recursive: true, force: true });
}
