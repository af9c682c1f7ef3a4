// Runs the scenarios of test/xen in a Xen that QEMU interprets. Needs QEMU and, to make the images, root and Debian's tools.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
need('qemu', 'mmdebstrap', 'mke2fs', 'cpio', 'depmod', 'xz');
run(process.execPath, ['scripts/setup.mjs']);
run(process.execPath, ['dist/test/xen/host/main.js', ...process.argv.slice(2)]);
