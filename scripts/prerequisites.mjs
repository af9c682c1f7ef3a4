// What a fresh machine must have before npm's packages are there. Plain Node, no dependency.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Looks a program up in PATH. */
export function which(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return join(folder, program);
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/** [what it is for, programs any one of which will do, Debian package] */
export const tools = {
  npm: ['package installation', ['npm'], 'npm'],
  cxx: ['the native data plane (C++20)', [process.env.CXX ?? 'g++', 'c++', 'clang++'], 'g++'],
  cmake: ['the native build', ['cmake'], 'cmake'],
  make: ['the native build', ['make', 'ninja'], 'make'],
  python3: ['interoperability programs', ['python3'], 'python3'],
  clangFormat: ['formatting of C++', ['clang-format-14', 'clang-format'], 'clang-format'],
  clangTidy: ['static checks of C++', ['clang-tidy-14', 'clang-tidy'], 'clang-tidy'],
  ovs: ['interoperability tests', ['ovs-ofctl'], 'openvswitch-switch'],
  ovsController: ['interoperability tests', ['ovs-testcontroller'], 'openvswitch-testcontroller'],
  osken: ['interoperability tests', ['osken-manager'], 'python3-os-ken'],
  mininet: ['interoperability tests', ['mnexec'], 'mininet'],
  xenstore: ['interoperability tests', ['xenstore-ls'], 'xenstore-utils'],
  openssl: ['interoperability tests', ['openssl'], 'openssl'],
  shellcheck: ['interoperability tests', ['shellcheck'], 'shellcheck'],
  systemd: ['interoperability tests', ['systemd-analyze'], 'systemd'],
  iperf3: ['interoperability tests', ['iperf3'], 'iperf3'],
  ip: ['network namespaces', ['ip'], 'iproute2'],
  ping: ['interoperability tests', ['ping'], 'iputils-ping'],
  qemu: ['the Xen lab', ['qemu-system-x86_64'], 'qemu-system-x86'],
  mmdebstrap: ['the images of the Xen lab', ['mmdebstrap'], 'mmdebstrap'],
  mke2fs: ['the images of the Xen lab', ['mke2fs'], 'e2fsprogs'],
  cpio: ['the images of the Xen lab', ['cpio'], 'cpio'],
  depmod: ['the images of the Xen lab', ['depmod'], 'kmod'],
  xz: ['the images of the Xen lab', ['xz'], 'xz-utils'],
  clang: ['fuzz targets', ['clang++-14', 'clang++'], 'clang libclang-rt-14-dev'],
};

/** Ends the process with one line per missing tool; returns the paths of those asked for. */
export function need(...names) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const missing = [];
  if (major < 20 || (major === 20 && minor < 17))
    missing.push(`Node.js 20.17 or newer (this is ${process.versions.node})`);
  const found = {};
  for (const name of names) {
    const [purpose, programs, debian] = tools[name];
    found[name] = programs.map(which).find((path) => path !== undefined);
    if (!found[name]) missing.push(`${programs[0]} for ${purpose}: apt-get install ${debian}`);
  }
  if (missing.length > 0) {
    for (const line of missing) console.error(`missing: ${line}`);
    process.exit(1);
  }
  return found;
}

/** Runs a program with inherited output; ends the process with its status when it fails. */
export function run(program, args, options = {}) {
  const { status, signal, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (error) console.error(`${program}: ${error.message}`);
  if (status !== 0) {
    console.error(`failed (${signal ?? status}): ${program} ${args.join(' ')}`);
    process.exit(status ?? 1);
  }
}
