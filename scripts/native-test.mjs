// Builds and runs the C++ unit tests. Arguments: --sanitize=address,undefined | --sanitize=thread, then gtest flags.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const found = need('cxx', 'cmake', 'make');
const args = process.argv.slice(2);
const sanitize = args.find((arg) => arg.startsWith('--sanitize='))?.split('=')[1] ?? '';
// Without sanitizers the data plane is the addon's, which setup.mjs has built.
const build = join('build', sanitize ? `test-${sanitize.replace(/,/g, '-')}` : 'native');
const fresh = ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DXVIF_ADDON=OFF', `-DXVIF_SANITIZE=${sanitize}`];
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
run(found.cmake, ['-S', 'native', '-B', build, '-DXVIF_TESTS=ON', ...(sanitize ? fresh : [])], quiet);
const jobs = process.env.XVIF_JOBS ?? '2';
run(found.cmake, ['--build', build, '--target', 'xvif_test', '--parallel', jobs], quiet);
run(
  join(build, 'xvif_test'),
  args.filter((arg) => !arg.startsWith('--sanitize=')),
  {
    env: { ...process.env, TSAN_OPTIONS: `halt_on_error=1 ${process.env.TSAN_OPTIONS ?? ''}` },
  },
);
