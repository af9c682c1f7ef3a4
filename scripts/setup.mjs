// Brings a fresh clone to where everything runs: npm's packages, the native data plane, the compiled TypeScript, the commands.
// Does only what is out of date; says nothing when there is nothing to do. --force rebuilds from nothing.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const force = process.argv.includes('--force');
const found = need('npm', 'cxx', 'cmake', 'make', 'python3');

/** npm ci, when the lock file is not the one that was installed. */
function packages() {
  const stamp = 'node_modules/.xvif-installed';
  const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

/** CMake finds out by itself what is out of date. */
function native() {
  const build = join('build', 'native');
  if (force) rmSync(build, { recursive: true, force: true });
  mkdirSync(build, { recursive: true });
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  if (!existsSync(join(build, 'CMakeCache.txt'))) {
    run(
      found.cmake,
      [
        '-S',
        'native',
        '-B',
        build,
        '-DCMAKE_BUILD_TYPE=Release',
        `-DXVIF_NODE_API_HEADERS=${join(root, 'node_modules/node-api-headers/include')}`,
        `-DXVIF_NODE_ADDON_API=${join(root, 'node_modules/node-addon-api')}`,
        ...(process.env.XVIF_ARCH ? [`-DXVIF_ARCH=${process.env.XVIF_ARCH}`] : []),
      ],
      quiet,
    );
    console.error('building the native data plane (once, about a minute)');
  }
  run(found.cmake, ['--build', build, '--target', 'xvif_addon', '--parallel', process.env.XVIF_JOBS ?? '2'], quiet);
}

function typescript() {
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-b', ...(force ? ['--force'] : [])]);
}

packages();
native();
typescript();
// A package of npm's.
const { bundle } = await import('./bundle.mjs');
await bundle();
