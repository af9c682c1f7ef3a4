// Runs the tests against other people's programs: needs root, Debian's openvswitch, os-ken, mininet, iperf3, xenstore-utils.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, run } from './prerequisites.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
if (process.getuid?.() !== 0) {
  console.error('the interoperability tests make network namespaces and TAP devices: run them as root');
  process.exit(1);
}
need(
  'ovs',
  'ovsController',
  'osken',
  'mininet',
  'xenstore',
  'openssl',
  'shellcheck',
  'systemd',
  'iperf3',
  'ip',
  'ping',
);
run(process.execPath, ['scripts/setup.mjs']);
run(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', 'interop/', ...process.argv.slice(2)],
  {
    env: { ...process.env, XVIF_INTEROP: '1' },
  },
);
