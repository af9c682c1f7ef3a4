// Builds and runs the C++ micro-benchmarks. Arguments: names of programs (default all), then flags of Google Benchmark.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const found = need('cxx', 'cmake', 'make');
const build = join('build', 'bench');
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
run(
  found.cmake,
  ['-S', 'native', '-B', build, '-DCMAKE_BUILD_TYPE=Release', '-DXVIF_ADDON=OFF', '-DXVIF_BENCH=ON'],
  quiet,
);
run(found.cmake, ['--build', build, '--parallel', process.env.XVIF_JOBS ?? '2'], quiet);
const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('--'));
const names = args.filter((arg) => !arg.startsWith('--'));
for (const name of readdirSync(build).filter((file) => file.endsWith('_bench'))) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`== ${name}`);
  run(join(build, name), flags);
}
