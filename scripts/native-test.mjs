// Builds and runs the C++ unit tests. Arguments: --sanitize=address,undefined | --sanitize=thread, then gtest flags.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const found = need('cxx', 'cmake', 'make');
const args = process.argv.slice(2);
const sanitize = args.find((arg) => arg.startsWith('--sanitize='))?.split('=')[1] ?? '';
const build = join('build', `test${sanitize ? `-${sanitize.replace(/,/g, '-')}` : ''}`);
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
run(
  found.cmake,
  [
    '-S',
    'native',
    '-B',
    build,
    `-DCMAKE_BUILD_TYPE=${sanitize ? 'RelWithDebInfo' : 'Release'}`,
    '-DXVIF_ADDON=OFF',
    '-DXVIF_TESTS=ON',
    `-DXVIF_SANITIZE=${sanitize}`,
  ],
  quiet,
);
run(found.cmake, ['--build', build, '--parallel', process.env.XVIF_JOBS ?? '2'], quiet);
run(
  join(build, 'xvif_test'),
  args.filter((arg) => !arg.startsWith('--sanitize=')),
  {
    env: { ...process.env, TSAN_OPTIONS: `halt_on_error=1 ${process.env.TSAN_OPTIONS ?? ''}` },
  },
);
