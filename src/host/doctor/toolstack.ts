/** What was installed for the toolstack, and the toolstack's own settings. */
import { type HostFile, SCRIPT_PATH, UNIT_PATH } from '../host-files.js';
import { type Finding, fail, type Host, ok, warn } from './host.js';
import type { Place } from './hypervisor.js';

const INSTALL = 'xvif install-host';
/** In the first comment of the script and the unit. */
const VERSION = /xvif-switch (\d+\.\d+\.\d+\S*?)[.\s]/;

export function checkInstalled(host: Host, files: readonly HostFile[]): Finding[] {
  const findings = [checkScript(host, content(files, SCRIPT_PATH))];
  // Elsewhere somebody else starts the daemon.
  if (host.exists('/run/systemd/system')) findings.push(checkUnit(host, content(files, UNIT_PATH)));
  return findings;
}

function content(files: readonly HostFile[], path: string): string {
  return files.find((file) => file.path === path)?.content ?? '';
}

function checkScript(host: Host, ours: string): Finding {
  const text = host.read(SCRIPT_PATH);
  if (text === undefined) return fail('hotplug script', `${SCRIPT_PATH} is not there`, INSTALL);
  if (!host.isExecutable(SCRIPT_PATH)) return fail('hotplug script', `${SCRIPT_PATH} is not executable`, INSTALL);
  return compare('hotplug script', SCRIPT_PATH, text, ours);
}

function checkUnit(host: Host, ours: string): Finding {
  const text = host.read(UNIT_PATH);
  if (text === undefined)
    return warn('systemd unit', `${UNIT_PATH} is not there`, `${INSTALL}; systemctl enable xvifd`);
  const finding = compare('systemd unit', UNIT_PATH, text, ours);
  const isEnabled = host
    .list('/etc/systemd/system')
    .some(
      (folder) => folder.endsWith('.wants') && host.list(`/etc/systemd/system/${folder}`).includes('xvifd.service'),
    );
  if (finding.status !== 'ok' || isEnabled) return finding;
  return warn('systemd unit', 'is there, but not started at boot', 'systemctl enable xvifd');
}

function compare(check: string, path: string, text: string, ours: string): Finding {
  const version = (of: string) => VERSION.exec(of)?.[1];
  if (text === ours) return ok(check, `${path}, version ${version(ours)}`);
  const [theirs, own] = [version(text), version(ours)];
  const found =
    theirs === own ? `${path} is not as this version has it` : `${path} is of version ${theirs}, this is ${own}`;
  return warn(check, found, `${INSTALL}; systemctl daemon-reload`);
}

/** A value of a configuration file of lines `key=value`, as xl.conf and xenopsd.conf are. */
function setting(text: string | undefined, key: string): string | undefined {
  const match = new RegExp(`^\\s*${key.replaceAll('.', '\\.')}\\s*=\\s*"?([^"#\\s]*)`, 'm').exec(text ?? '');
  return match?.[1];
}

export function checkToolstack(host: Host, place: Place): Finding[] {
  if (place === 'domain') return [checkDevd(host)];
  const findings: Finding[] = [];
  const xl = host.read('/etc/xen/xl.conf');
  if (xl !== undefined) findings.push(checkXl(xl));
  if (host.exists('/etc/xapi.d') || host.exists('/etc/xensource-inventory')) findings.push(checkXenopsd(host));
  return findings;
}

function checkXl(xl: string): Finding {
  if (setting(xl, 'run_hotplug_scripts') === '0') {
    const remedy =
      'take run_hotplug_scripts=0 out of /etc/xen/xl.conf: udev, which would run them, never sees our vifs';
    return fail('xl', 'does not run hotplug scripts', remedy);
  }
  const script = setting(xl, 'vif.default.script');
  if (script !== undefined && /(?:^|\/)vif-xvif$/.test(script)) return ok('xl', 'vifs get script vif-xvif by default');
  return warn(
    'xl',
    `vifs get script ${script ?? 'vif-bridge'} by default, which fails: there is no kernel interface`,
    'script=vif-xvif in each vif line, or vif.default.script="vif-xvif" in /etc/xen/xl.conf',
  );
}

function checkXenopsd(host: Host): Finding {
  const conf = host.read('/etc/xenopsd.conf');
  const script = setting(conf, 'vif-script');
  if (script === SCRIPT_PATH && setting(conf, 'run_hotplug_scripts') === 'true') {
    return ok('xenopsd', `runs ${SCRIPT_PATH}`);
  }
  const remedy = `in /etc/xenopsd.conf: vif-script=${SCRIPT_PATH} and run_hotplug_scripts=true; then restart xenopsd-xc`;
  return fail('xenopsd', 'leaves hotplug scripts to udev, which never sees our vifs', remedy);
}

/** In a driver domain `xl devd` runs the scripts. */
function checkDevd(host: Host): Finding {
  const pid = host.read('/run/xldevd.pid')?.trim() ?? host.read('/var/run/xldevd.pid')?.trim();
  if (pid !== undefined && /^\d+$/.test(pid) && host.exists(`/proc/${pid}`)) return ok('xl devd', `runs, pid ${pid}`);
  return warn(
    'xl devd',
    'does not run: if this is a driver domain, nobody runs its hotplug scripts',
    'systemctl enable --now xendriverdomain, or xl devd; the domain needs driver_domain=1 in its configuration',
  );
}
