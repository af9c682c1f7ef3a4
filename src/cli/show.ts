/** `xvif show`: the daemon, its bridges and their controllers. */
import type { Bridge, Controller } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { formatFacts } from './table.js';
import { formatDatapathId, formatDuration, formatJson, formatVersion } from './units.js';

function controllerLine({ target, connected, role, version, lastError }: Controller): string {
  if (connected) return `${target} connected, ${formatVersion(version)}${role === '' ? '' : `, ${role}`}`;
  return `${target} not connected${lastError === '' ? '' : `: ${lastError}`}`;
}

export function formatBridge(bridge: Bridge): string {
  const controllers = bridge.controllers.map((controller) => ['controller', controllerLine(controller)] as const);
  const facts = formatFacts(
    [
      ['datapath id', formatDatapathId(bridge.datapathId)],
      ['fail-mode', bridge.failMode],
      ...(controllers.length > 0 ? controllers : [['controller', 'none'] as const]),
      ...bridge.listening.map((target) => ['listening', target] as const),
      ['ports', String(bridge.ports)],
      ['flows', String(bridge.flows)],
      ['management', `unix:${bridge.managementSocket}`],
    ],
    '  ',
  );
  return `bridge ${bridge.name}\n${facts}`;
}

export async function show({ api, json, print }: CommandContext): Promise<void> {
  const reply = await api.call('show', {});
  if (json) return print(formatJson(reply));
  const { version, hypervisor, workers, pid, uptimeMs, bridges } = reply;
  print(
    `xvifd ${version}, pid ${pid}, up ${formatDuration(uptimeMs)}, hypervisor ${hypervisor}, ` +
      `${workers} ${workers === 1 ? 'worker' : 'workers'}`,
  );
  for (const bridge of bridges) print(formatBridge(bridge));
}
