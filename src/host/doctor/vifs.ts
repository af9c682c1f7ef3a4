/** The vifs that xenstore knows: who serves each, and will its hotplug script succeed? */
import { VERDICT_KEY, vifName } from '../../vif/index.js';
import { type DaemonView, type Finding, fail, type Host, ok, warn, type XenstoreView } from './host.js';

/** Vifs looked at; on a host with more the rest is counted. */
const VIFS_MAX = 256;
/** Troubles told one by one. */
const TROUBLES_MAX = 16;

interface Vif {
  readonly domid: string;
  readonly handle: string;
  readonly path: string;
}

/** `daemon` is undefined when it does not answer, which is a finding of its own. */
export async function checkVifs(host: Host, store: XenstoreView, daemon: DaemonView | undefined): Promise<Finding[]> {
  const vifs = await listVifs(store);
  const findings: Finding[] = [];
  for (const vif of vifs.slice(0, VIFS_MAX)) {
    const finding = await checkVif(host, store, daemon, vif);
    if (finding !== undefined) findings.push(finding);
  }
  const fine = Math.min(vifs.length, VIFS_MAX) - findings.length;
  const told = findings.slice(0, TROUBLES_MAX);
  if (findings.length > told.length) {
    told.push(warn('vifs', `${findings.length - told.length} more with troubles`, 'mend those above first'));
  }
  if (vifs.length > VIFS_MAX)
    told.push(warn('vifs', `${vifs.length - VIFS_MAX} more were not looked at`, 'xvif ports'));
  const all = vifs.length === 0 ? 'none in xenstore' : `${fine} of ${vifs.length} in xenstore are in order`;
  return [ok('vifs', all), ...told];
}

async function listVifs(store: XenstoreView): Promise<Vif[]> {
  const root = `/local/domain/${store.domid}/backend/vif`;
  const isNumber = (text: string) => /^\d+$/.test(text);
  const vifs: Vif[] = [];
  for (const domid of (await store.list(root)).filter(isNumber)) {
    for (const handle of (await store.list(`${root}/${domid}`)).filter(isNumber)) {
      vifs.push({ domid, handle, path: `${root}/${domid}/${handle}` });
    }
  }
  return vifs;
}

async function checkVif(
  host: Host,
  store: XenstoreView,
  daemon: DaemonView | undefined,
  { domid, handle, path }: Vif,
): Promise<Finding | undefined> {
  const name = `vif ${vifName({ domid: Number(domid), handle: Number(handle) })}`;
  const keys = ['state', VERDICT_KEY, 'script', 'hotplug-error', 'error'] as const;
  const [state, verdict, script, hotplugError, error] = await Promise.all(
    keys.map((key) => store.read(`${path}/${key}`)),
  );
  const driver = host.linkName(`/sys/bus/xen-backend/devices/vif-${domid}-${handle}/driver`);
  if (driver === 'vif') {
    return fail(name, 'is served by the kernel: xen-netback took it', 'see xen-netback above; then replug the vif');
  }
  if (state === '1') {
    return fail(name, 'is served by nobody: state Initialising', 'start xvifd --hypervisor xen');
  }
  if (verdict === undefined) {
    return fail(name, 'is served by another backend than xvifd', 'find who serves it, end that, and replug the vif');
  }
  if (verdict.startsWith('refused ')) {
    return warn(name, verdict.slice('refused '.length), "mend the guest's vif line and replug the vif");
  }
  if (state === '4' && daemon !== undefined && !daemon.vifs.includes(`${domid}/${handle}`)) {
    return fail(name, 'is connected in xenstore, but not a port of xvifd', 'see the log of xvifd; replug the vif');
  }
  // A vif that runs got over it.
  if (error !== undefined && (state === '5' || state === '6'))
    return warn(name, `was closed: ${error}`, 'see the log of xvifd; reload the driver in the guest');
  if (hotplugError !== undefined)
    return warn(name, `its script failed: ${hotplugError}`, 'mend that and replug the vif');
  if (script !== undefined && !/(?:^|\/)vif-xvif$/.test(script)) {
    return warn(name, `has script ${script}, which wants a kernel interface`, 'script=vif-xvif in its vif line');
  }
  return undefined;
}
