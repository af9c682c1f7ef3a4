/** `xvif doctor`: is this host fit for xvifd, and if not, what is to be done? */
import { readVersion } from '../api/version.js';
import { examine } from '../host/doctor/doctor.js';
import type { Finding } from '../host/doctor/host.js';
import { LocalHost } from '../host/doctor/local-host.js';
import { daemonCommand, hostFiles, toldCommand, UNIT_PATH } from '../host/host-files.js';
import { type CommandContext, CommandFailed } from './context.js';
import { formatTable } from './table.js';
import { formatJson } from './units.js';

export interface DoctorArguments {
  /** Where the host's files are; `/` for this host. */
  readonly root: string;
}

/** A line per check, and under each that is not in order what to do. */
export function formatFindings(findings: readonly Finding[]): string {
  const columns = [
    { title: '', cell: ({ status }: Finding) => (status === 'fail' ? 'FAIL' : status) },
    { title: 'CHECK', cell: ({ check }: Finding) => check },
    { title: 'FOUND', cell: ({ found }: Finding) => found },
  ];
  const [titles, ...lines] = formatTable(columns, findings, '').split('\n');
  const rows = lines.flatMap((line, index) => {
    const { remedy } = findings[index]!;
    return remedy === undefined ? [line] : [line, `      → ${remedy}`];
  });
  return [titles, ...rows].join('\n');
}

export async function doctor({ api, json, print }: CommandContext, { root }: DoctorArguments): Promise<void> {
  const version = readVersion();
  const host = new LocalHost(root, api);
  const command = toldCommand(host.read(UNIT_PATH) ?? '') ?? daemonCommand();
  const findings = await examine(host, { version, files: hostFiles(version, command) });
  print(json ? formatJson(findings) : formatFindings(findings));
  const failed = findings.filter(({ status }) => status === 'fail').length;
  if (failed > 0) throw new CommandFailed(failed === 1 ? 'one check failed' : `${failed} checks failed`);
}
