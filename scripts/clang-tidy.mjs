// Static checks of the C++ sources (.clang-tidy), without tests and the addon. Arguments: paths, to check just these.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const found = need('cxx', 'cmake', 'make', 'clangTidy');
const build = join('build', 'tidy');
run(found.cmake, ['-S', 'native', '-B', build, '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON', '-DXVIF_ADDON=OFF'], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const known = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8')).map(({ file }) => file);
const wanted = process.argv.slice(2);
const files = wanted.length === 0 ? known : known.filter((file) => wanted.some((part) => file.includes(part)));
const { status } = spawnSync(
  'xargs',
  [
    '-P',
    `${cpus().length}`,
    '-n',
    '4',
    found.clangTidy,
    '-p',
    build,
    '--quiet',
    '--extra-arg=-Wno-unknown-warning-option',
  ],
  {
    input: files.join('\n'),
    stdio: ['pipe', 'inherit', 'ignore'],
  },
);
process.exitCode = status === 0 ? 0 : 1;
