/** Hosts made up of files, as the doctor sees them. */
import type { DaemonView, Host, XenstoreView } from '../../../src/host/doctor/host.js';
import { hostFiles } from '../../../src/host/host-files.js';

export const VERSION = '1.2.3';
export const files = hostFiles(VERSION, { text: '/usr/bin/node /opt/xvif/xvifd.js', isTold: false });

export type Files = Readonly<Record<string, string>>;

export interface FakeHostOptions {
  readonly files: Files;
  /** Devices that are there but do not open, and why. */
  readonly closed?: Files;
  /** Symbolic links. */
  readonly links?: Files;
  /** Undefined: no daemon answers. */
  readonly daemon?: DaemonView | undefined;
  /** Undefined: no xenstored answers. */
  readonly nodes?: Files | undefined;
  readonly domid?: number;
  readonly nodeVersion?: string;
  readonly addonError?: string;
  /** Files that are not executable. */
  readonly plain?: readonly string[];
}

export class FakeHost implements Host {
  readonly nodeVersion: string;
  readonly #options: FakeHostOptions;
  storesOpen = 0;

  constructor(options: FakeHostOptions) {
    this.#options = options;
    this.nodeVersion = options.nodeVersion ?? '20.17.0';
  }

  read(path: string): string | undefined {
    return this.#options.files[path];
  }

  exists(path: string): boolean {
    const { files: all, closed = {}, links = {} } = this.#options;
    return [...Object.keys(all), ...Object.keys(closed), ...Object.keys(links)].some(
      (name) => name === path || name.startsWith(`${path}/`),
    );
  }

  list(path: string): readonly string[] {
    return children(this.#options.files, path);
  }

  linkName(path: string): string | undefined {
    return this.#options.links?.[path]?.split('/').at(-1);
  }

  isExecutable(path: string): boolean {
    return this.exists(path) && !(this.#options.plain ?? []).includes(path);
  }

  openError(path: string): string | undefined {
    return this.#options.closed?.[path];
  }

  addonError(): string | undefined {
    return this.#options.addonError;
  }

  async daemon(): Promise<DaemonView> {
    if (this.#options.daemon === undefined) throw new Error('cannot reach xvifd: is it running?');
    return this.#options.daemon;
  }

  async xenstore(): Promise<XenstoreView> {
    const { nodes, domid = 0 } = this.#options;
    if (nodes === undefined) throw new Error('xenstored does not answer');
    this.storesOpen++;
    return {
      via: '/run/xenstored/socket',
      domid,
      read: async (path) => nodes[path],
      list: async (path) => children(nodes, path),
      close: () => {
        this.storesOpen--;
      },
    };
  }
}

function children(all: Files, path: string): string[] {
  const below = Object.keys(all).filter((name) => name.startsWith(`${path}/`));
  return [...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0]!))].sort();
}

const xen: Files = {
  '/sys/hypervisor/type': 'xen\n',
  '/sys/hypervisor/version/major': '4\n',
  '/sys/hypervisor/version/minor': '17\n',
  '/sys/hypervisor/version/extra': '.5\n',
  '/proc/xen/capabilities': '',
  '/dev/xen/gntdev': '',
  '/dev/xen/gntalloc': '',
  '/dev/xen/evtchn': '',
  '/dev/xen/xenbus': '',
  '/dev/net/tun': '',
  '/sys/module/xen_gntdev/initstate': 'live\n',
  '/sys/module/xen_evtchn/initstate': 'live\n',
};

const kernel = (release: string): Files => ({
  '/proc/sys/kernel/osrelease': `${release}\n`,
  [`/lib/modules/${release}/modules.dep`]: 'kernel/drivers/net/xen-netback/xen-netback.ko:\n',
  [`/lib/modules/${release}/modules.builtin`]: 'kernel/drivers/xen/xen-evtchn.ko\n',
});

const installed: Files = Object.fromEntries(files.map(({ path, content }) => [path, content]));

export const daemon: DaemonView = { version: VERSION, hypervisor: 'xen', pid: 42, vifs: ['3/0'] };

/** A vif in the words of xenstore. */
export function vifNodes(domid: number, keys: Files, backend = 0): Files {
  const path = `/local/domain/${backend}/backend/vif/${domid}/0`;
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${path}/${key}`, value]));
}

export const served = { state: '4', script: '/etc/xen/scripts/vif-xvif', 'hotplug-status': 'connected' };

/** Debian with Xen, everything as it should be. */
export const goodDom0: FakeHostOptions = {
  files: {
    ...xen,
    ...kernel('6.1.0-18-amd64'),
    ...installed,
    '/proc/xen/capabilities': 'control_d\n',
    '/sys/hypervisor/guest_type': 'PV\n',
    '/run/systemd/system/x': '',
    '/etc/systemd/system/multi-user.target.wants/xvifd.service': '',
    '/etc/xen/xl.conf': '#run_hotplug_scripts=0\nvif.default.script="vif-xvif"\n',
  },
  daemon,
  nodes: vifNodes(3, { ...served, xvif: 'port xvif3i0' }),
};

/** Debian with Xen as it comes, a guest running on the kernel's backend. */
export const debianWithNetback: FakeHostOptions = {
  files: {
    ...xen,
    ...kernel('6.1.0-18-amd64'),
    '/proc/xen/capabilities': 'control_d\n',
    '/run/systemd/system/x': '',
    '/sys/module/xen_netback/initstate': 'live\n',
    '/sys/bus/xen-backend/drivers/vif/bind': '',
    '/etc/xen/xl.conf': '#vif.default.script="vif-bridge"\n',
  },
  links: { '/sys/bus/xen-backend/devices/vif-3-0/driver': '../../../bus/xen-backend/drivers/vif' },
  nodes: vifNodes(3, { state: '4', script: '/etc/xen/scripts/vif-bridge', 'hotplug-status': 'connected' }),
};

/** XCP-ng as it comes: netback in the kernel, xenopsd, udev's scripts. */
export const xcpNg: FakeHostOptions = {
  files: {
    ...xen,
    ...kernel('4.19.0+1'),
    '/lib/modules/4.19.0+1/modules.builtin': 'kernel/drivers/net/xen-netback/xen-netback.ko\n',
    '/proc/xen/capabilities': 'control_d\n',
    '/run/systemd/system/x': '',
    '/sys/module/xen_netback/parameters/max_queues': '8\n',
    '/sys/bus/xen-backend/drivers/vif/bind': '',
    '/etc/xapi.d/x': '',
    '/etc/xenopsd.conf': '# run_hotplug_scripts=true\nvif-script = /usr/libexec/xenopsd/vif\n',
  },
  nodes: {},
};

/** No Xen. */
export const laptop: FakeHostOptions = {
  files: { '/proc/sys/kernel/osrelease': '6.8.0\n', '/dev/net/tun': '' },
};

/** A domain whose kernel has no netback, with `xl devd`. */
export const driverDomain: FakeHostOptions = {
  files: {
    ...xen,
    ...installed,
    '/proc/sys/kernel/osrelease': '6.6.30\n',
    '/lib/modules/6.6.30/modules.dep': '',
    '/sys/hypervisor/guest_type': 'PVH\n',
    '/run/systemd/system/x': '',
    '/etc/systemd/system/multi-user.target.wants/xvifd.service': '',
    '/run/xldevd.pid': '77\n',
    '/proc/77/cmdline': 'xl',
  },
  daemon,
  nodes: vifNodes(3, { ...served, xvif: 'port xvif3i0' }, 5),
  domid: 5,
};
