// Builds the fuzz targets and runs them. Arguments: names of targets (default all), --seconds=N each (default 60).
// libFuzzer's keep what they find in build/fuzz/corpus/TARGET, and begin with native/corpus/TARGET, which is kept for good;
// of those in TypeScript, openflow-decoder and openflow-channel, test/fuzz/main.ts says the same and more options;
// xenbus is test/unit/vif/xenbus-fuzz.test.ts for as long.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const seconds = Number(process.argv.find((arg) => arg.startsWith('--seconds='))?.split('=')[1] ?? 60);
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
const scripts = ['openflow-decoder', 'openflow-channel', 'xenbus'].filter(isWanted);
if (scripts.length > 0) run(process.execPath, ['scripts/setup.mjs']);
for (const name of scripts) {
  if (name === 'xenbus') {
    const env = { ...process.env, XVIF_FUZZ_SECONDS: `${seconds}` };
    run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/unit/vif/xenbus-fuzz.test.ts'], { env });
    console.log(`xenbus: ${seconds} s without a finding`);
    continue;
  }
  const options = process.argv.slice(2).filter((arg) => arg.startsWith('--'));
  run(process.execPath, ['--expose-gc', 'dist/test/fuzz/main.js', name, ...options]);
}
if (scripts.length > 0 && scripts.length === wanted.length) process.exit();

const found = need('clang', 'cmake', 'make');
const build = join('build', 'fuzz');
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
run(
  found.cmake,
  [
    '-S',
    'native',
    '-B',
    build,
    `-DCMAKE_CXX_COMPILER=${found.clang}`,
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
    '-DXVIF_ADDON=OFF',
    '-DXVIF_FUZZ=ON',
    '-DXVIF_SANITIZE=address,undefined',
  ],
  quiet,
);
run(found.cmake, ['--build', build, '--parallel', process.env.XVIF_JOBS ?? '2'], quiet);
const targets = readdirSync(build).filter((name) => name.endsWith('_fuzz') && isWanted(name));
if (targets.length === 0) {
  console.error(`no such fuzz target: ${wanted.join(' ')}`);
  process.exit(1);
}
for (const target of targets) {
  const corpus = join(build, 'corpus', target);
  const seeds = join('native', 'corpus', target);
  mkdirSync(corpus, { recursive: true });
  run(join(build, target), [
    `-max_total_time=${seconds}`,
    '-print_final_stats=0',
    '-verbosity=0',
    '-timeout=10',
    corpus,
    ...(existsSync(seeds) ? [seeds] : []),
  ]);
  console.log(`${target}: ${seconds} s without a finding`);
}
