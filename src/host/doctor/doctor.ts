/** Every check, in the order in which one would mend things. */
import { messageOf } from '../../base/error.js';
import type { HostFile } from '../host-files.js';
import { type DaemonView, type Finding, fail, type Host, ok, warn, type XenstoreView } from './host.js';
import { checkDevices, checkHypervisor, placeOf } from './hypervisor.js';
import { checkNetback } from './netback.js';
import { checkInstalled, checkToolstack } from './toolstack.js';
import { checkVifs } from './vifs.js';

/** `engines` of package.json. */
const NODE_MIN = [20, 17] as const;

export interface DoctorOptions {
  /** Of this package. */
  readonly version: string;
  /** As install-host would write them. */
  readonly files: readonly HostFile[];
}

/** Where there is no Xen, the checks that need one are left out. */
export async function examine(host: Host, { version, files }: DoctorOptions): Promise<Finding[]> {
  const place = placeOf(host);
  const findings = checkHypervisor(host, place);
  findings.push(checkNode(host), checkAddon(host));
  if (place === 'none') return findings;
  findings.push(...checkDevices(host, place), checkNetback(host));
  findings.push(...checkInstalled(host, files), ...checkToolstack(host, place));
  const daemon = await attempt(host.daemon());
  findings.push(checkDaemon(daemon, version));
  const store = await attempt(host.xenstore());
  findings.push(checkXenstore(store));
  if (store instanceof Error) return findings;
  try {
    findings.push(...(await checkVifs(host, store, daemon instanceof Error ? undefined : daemon)));
  } catch (error) {
    findings.push(warn('vifs', `xenstore: ${messageOf(error)}`, 'run as root'));
  } finally {
    store.close();
  }
  return findings;
}

async function attempt<Value>(promise: Promise<Value>): Promise<Value | Error> {
  try {
    return await promise;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function checkNode({ nodeVersion }: Host): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  if (isNew) return ok('Node.js', nodeVersion);
  return fail('Node.js', `${nodeVersion} is too old`, `install ${NODE_MIN.join('.')} or later`);
}

function checkAddon(host: Host): Finding {
  const error = host.addonError();
  return error === undefined
    ? ok('native data plane', 'loads')
    : fail('native data plane', error, 'npm run build, with the Node.js that is to run it');
}

function checkDaemon(daemon: DaemonView | Error, version: string): Finding {
  if (daemon instanceof Error) {
    return fail('xvifd', daemon.message, 'systemctl start xvifd; why it ended: journalctl -u xvifd');
  }
  const words = `version ${daemon.version}, pid ${daemon.pid}, hypervisor ${daemon.hypervisor}`;
  if (daemon.hypervisor !== 'xen') {
    return fail('xvifd', words, 'start it with --hypervisor xen: this one serves no guest of this host');
  }
  if (daemon.version !== version) return warn('xvifd', words, `restart it: this is version ${version}`);
  return ok('xvifd', words);
}

function checkXenstore(store: XenstoreView | Error): Finding {
  if (store instanceof Error) {
    return fail(
      'xenstore',
      store.message,
      'systemctl start xenstored; run as root; in a domain, mount -t xenfs xenfs /proc/xen',
    );
  }
  return ok('xenstore', `answers on ${store.via}, domain ${store.domid}`);
}
