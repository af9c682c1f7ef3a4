// Checks the format of every C++ file that git knows; --write mends it.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const found = need('clangFormat');
const listed = spawnSync('git', ['ls-files', '*.h', '*.cc'], { encoding: 'utf8' });
const files = listed.stdout.split('\n').filter((path) => path && !path.endsWith('.gen.h'));
if (files.length > 0) {
  run(found.clangFormat, process.argv.includes('--write') ? ['-i', ...files] : ['--dry-run', '--Werror', ...files]);
}
