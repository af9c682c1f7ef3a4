/** Linux' own backend takes every vif once it is loaded: is it, and could it be? */
import { MODPROBE_PATH } from '../host-files.js';
import { type Finding, fail, type Host, ok, warn } from './host.js';

const CHECK = 'xen-netback';
const MODULE = 'xen[-_]netback';
/** As modprobe.d(5) has them. */
const configurationFolders = [
  '/etc/modprobe.d',
  '/run/modprobe.d',
  '/usr/local/lib/modprobe.d',
  '/usr/lib/modprobe.d',
  '/lib/modprobe.d',
];
const install = new RegExp(`^\\s*install\\s+${MODULE}\\s+(?:/\\S*/)?(?:false|true)\\s*$`, 'm');
const blacklist = new RegExp(`^\\s*blacklist\\s+${MODULE}\\s*$`, 'm');

const useDriverDomain = 'or run xvifd in a driver domain whose kernel has none (backend= in the vif line)';

export function checkNetback(host: Host): Finding {
  const module = '/sys/module/xen_netback';
  const isActive = host.exists(module) || host.exists('/sys/bus/xen-backend/drivers/vif');
  const release = host.read('/proc/sys/kernel/osrelease')?.trim() ?? '';
  const inModules = (file: string) =>
    new RegExp(`/${MODULE}\\.ko`, 'm').test(host.read(`/lib/modules/${release}/${file}`) ?? '');
  const isBuiltIn = inModules('modules.builtin') || (isActive && !host.exists(`${module}/initstate`));
  if (isBuiltIn) return builtIn(host);
  if (isActive) {
    return fail(
      CHECK,
      'is loaded: it takes every vif',
      'xvif install-host keeps it away from the next boot on; now: shut guests down, modprobe -r xen-netback',
    );
  }
  return loadable(host, inModules('modules.dep'));
}

function builtIn(host: Host): Finding {
  const isOff = /(?:^|\s)initcall_blacklist=\S*\bnetback_init\b/.test(host.read('/proc/cmdline') ?? '');
  const isActive = host.exists('/sys/bus/xen-backend/drivers/vif');
  if (isOff && !isActive) return ok(CHECK, 'is built into the kernel and turned off (initcall_blacklist)');
  const remedy = `boot this kernel with initcall_blacklist=netback_init, ${useDriverDomain}`;
  return fail(CHECK, 'is built into the kernel: it takes every vif', remedy);
}

function loadable(host: Host, isThere: boolean): Finding {
  const files = configurationFolders.flatMap((folder) =>
    host
      .list(folder)
      .filter((name) => name.endsWith('.conf'))
      .map((name) => `${folder}/${name}`),
  );
  const matching = (pattern: RegExp) => files.find((path) => pattern.test(host.read(path) ?? ''));
  const kept = matching(install);
  if (kept !== undefined) return ok(CHECK, `is not loaded, and ${kept} keeps it away`);
  if (!isThere) return ok(CHECK, 'is not loaded, and this kernel has no such module');
  const half = matching(blacklist);
  const remedy = `xvif install-host, which writes ${MODPROBE_PATH}`;
  if (half === undefined) return fail(CHECK, 'is not loaded, but the next vif loads it (udev)', remedy);
  return warn(CHECK, `is not loaded; ${half} stops udev, but not who asks for it by name, as Xen's scripts do`, remedy);
}
