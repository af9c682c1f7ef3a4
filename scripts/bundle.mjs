// The commands as few files each: Node.js starts one of those in less than half the time it takes for 600 modules.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const folder = 'dist/bin';
const stamp = `${folder}/inputs`;
/** What they are made of: tsc's records change with any source. */
const inputs = [
  'dist/tsconfig.tsbuildinfo',
  'packages/node-openflow/dist/tsconfig.tsbuildinfo',
  'package-lock.json',
  'scripts/bundle.mjs',
];

/** Makes dist/bin from what tsc made, when it is out of date. */
export async function bundle() {
  const hash = createHash('sha256');
  for (const path of inputs) hash.update(readFileSync(path));
  const now = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  rmSync(folder, { recursive: true, force: true });
  await build({
    entryPoints: { xvif: 'dist/src/cli/xvif.js', xvifd: 'dist/src/xvifd/xvifd.js' },
    outdir: folder,
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
  writeFileSync(stamp, now);
}
