/** Is there a Xen below, which domain is this, and does the kernel give what xvifd needs? */
import { type Finding, fail, type Host, ok, warn } from './host.js';

export type Place = 'none' | 'dom0' | 'domain';

export function placeOf(host: Host): Place {
  const isXen = host.read('/sys/hypervisor/type')?.trim() === 'xen' || host.exists('/proc/xen');
  if (!isXen) return 'none';
  // xenfs may not be mounted; Linux 6.3 and later have the start flags.
  const isDom0 =
    host.read('/proc/xen/capabilities')?.includes('control_d') === true ||
    host.read('/sys/hypervisor/start_flags/initdomain')?.trim() === '1' ||
    host.exists('/run/xenstored/socket');
  return isDom0 ? 'dom0' : 'domain';
}

export function checkHypervisor(host: Host, place: Place): Finding[] {
  if (place === 'none') {
    const remedy = 'boot the machine with Xen, or use the emulated hypervisor: npm start, xvifd --hypervisor emulated';
    return [fail('hypervisor', 'no Xen here: neither /sys/hypervisor/type nor /proc/xen', remedy)];
  }
  return [xenVersion(host), domain(host, place), kernel(host)];
}

function xenVersion(host: Host): Finding {
  const part = (name: string) => host.read(`/sys/hypervisor/version/${name}`)?.trim();
  const [major, minor, extra] = [part('major'), part('minor'), part('extra')];
  if (major === undefined || minor === undefined) {
    return warn('hypervisor', 'Xen, version unknown', 'modprobe xen-sys-hypervisor, which fills /sys/hypervisor');
  }
  return ok('hypervisor', `Xen ${major}.${minor}${extra ?? ''}`);
}

function domain(host: Host, place: Place): Finding {
  const type = host.read('/sys/hypervisor/guest_type')?.trim();
  const words = place === 'dom0' ? 'Dom0' : 'a domain other than Dom0: good for a driver domain (backend=)';
  return ok('domain', type === undefined ? words : `${words}, ${type}`);
}

/** Linux 4.5 brought IOCTL_GNTDEV_GRANT_COPY. */
const KERNEL_MIN = [4, 5] as const;

function kernel(host: Host): Finding {
  const release = host.read('/proc/sys/kernel/osrelease')?.trim() ?? '';
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (match === null) return warn('kernel', 'version unknown', 'make sure it is Linux 4.5 or later');
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const isOld = major < KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor < KERNEL_MIN[1]);
  if (isOld) {
    return fail('kernel', `Linux ${release} has no grant copy in gntdev`, 'boot Linux 4.5 or later in this domain');
  }
  return ok('kernel', `Linux ${release}`);
}

interface Device {
  readonly path: string;
  /** As in /sys/module. */
  readonly module: string;
  readonly uses: string;
}

const devices: readonly Device[] = [
  { path: '/dev/xen/gntdev', module: 'xen_gntdev', uses: "guests' pages" },
  { path: '/dev/xen/evtchn', module: 'xen_evtchn', uses: 'event channels' },
];

export function checkDevices(host: Host, place: Place): Finding[] {
  const findings = devices.map((device) => checkDevice(host, device));
  const gntalloc = '/dev/xen/gntalloc';
  findings.push(
    host.exists(gntalloc)
      ? ok(gntalloc, 'there, for cheaper copies')
      : warn(gntalloc, 'is not there: each small copy costs more', 'modprobe xen-gntalloc, then start xvifd anew'),
  );
  const tun = '/dev/net/tun';
  findings.push(
    host.exists(tun)
      ? ok(tun, 'there, for LOCAL ports')
      : warn(tun, 'is not there: no TAP devices, so no LOCAL ports', 'modprobe tun, or start xvifd with --local null'),
  );
  if (place === 'domain') {
    // Dom0 has xenstored's socket, which is checked by asking.
    findings.push(checkDevice(host, { path: '/dev/xen/xenbus', module: 'xenfs', uses: 'xenstore' }));
  }
  return findings;
}

function checkDevice(host: Host, { path, module, uses }: Device): Finding {
  const isLoaded = host.exists(`/sys/module/${module}`);
  if (!host.exists(path)) {
    const name = module.replaceAll('_', '-');
    const found = `is not there${isLoaded ? `, though module ${name} is loaded` : `: module ${name} is not loaded`}`;
    return fail(path, found, isLoaded ? 'see that udev or devtmpfs makes /dev/xen' : `modprobe ${name}`);
  }
  const error = host.openError(path);
  if (error === undefined) return ok(path, `opens, for ${uses}`);
  const remedy = /EACCES|EPERM/.test(error)
    ? 'run as root; in a container or under systemd, allow the device'
    : `see what the kernel says: dmesg | grep -i xen`;
  return fail(path, `does not open: ${error}`, remedy);
}
