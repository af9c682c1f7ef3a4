/** `xvif install-host`: what a Xen host needs beside the daemon. Asks no daemon. */
import { readVersion } from '../api/version.js';
import { daemonCommand, hostFiles } from '../host/host-files.js';
import { type InstallStep, install, uninstall } from '../host/install.js';
import type { CommandContext } from './context.js';
import { formatTable } from './table.js';
import { formatJson } from './units.js';

export interface InstallHostOptions {
  readonly root: string;
  readonly dryRun: boolean;
  readonly uninstall: boolean;
  /** Undefined: this installation's daemon. */
  readonly exec?: string;
}

function nextSteps(
  { root, dryRun, uninstall: isUninstall }: InstallHostOptions,
  steps: readonly InstallStep[],
): string {
  if (root !== '/') return '';
  const verb = dryRun ? 'Nothing was changed. ' : '';
  if (isUninstall) {
    if (dryRun) return `\n${verb}First: systemctl disable --now xvifd`;
    // systemctl disables no unit whose file is gone.
    return (
      '\nThen, unless it was disabled before: systemctl stop xvifd; ' +
      'rm -f /etc/systemd/system/multi-user.target.wants/xvifd.service\n' +
      'And: systemctl daemon-reload; modprobe xen-netback'
    );
  }
  const changed = steps.some(({ action }) => action === 'created' || action === 'updated');
  if (!changed) return '\nNothing to do. See: xvif doctor';
  return (
    `\n${verb}Then: xvif doctor; systemctl daemon-reload; systemctl enable --now xvifd; xvif doctor\n` +
    'Guests use it with script=vif-xvif in their vif lines, or all of them with vif.default.script="vif-xvif" in /etc/xen/xl.conf.'
  );
}

export async function installHost({ json, print }: CommandContext, options: InstallHostOptions): Promise<void> {
  const command = options.exec === undefined ? daemonCommand() : { text: options.exec, isTold: true };
  const files = hostFiles(readVersion(), command);
  const steps = (options.uninstall ? uninstall : install)(files, options);
  if (json) return print(formatJson(steps));
  const columns = [
    { title: 'ACTION', cell: ({ action }: InstallStep) => action },
    { title: 'FILE', cell: ({ path }: InstallStep) => path },
    { title: 'WHAT', cell: ({ what }: InstallStep) => what },
  ];
  print(formatTable(columns, steps, '') + nextSteps(options, steps));
}
