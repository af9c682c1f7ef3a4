/** `xvif ports [BRIDGE]`: ports with counters and rates; with --watch again and again, and events between. */
import type { Port } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { type Column, formatTable } from './table.js';
import { formatJson, formatPortNumber, formatRate } from './units.js';

function origin({ kind, vif }: Port): string {
  return vif === null ? kind : `dom ${vif.domid} vif ${vif.handle}${vif.queues > 1 ? ` ×${vif.queues}` : ''}`;
}

const columns: readonly Column<Port>[] = [
  { title: 'BRIDGE', cell: ({ bridge }) => bridge },
  { title: 'PORT', align: 'right', cell: ({ number }) => formatPortNumber(number) },
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'KIND', cell: origin },
  { title: 'MAC', cell: ({ mac }) => mac },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'RX PACKETS', align: 'right', cell: ({ counters }) => String(counters.rxPackets) },
  { title: 'TX PACKETS', align: 'right', cell: ({ counters }) => String(counters.txPackets) },
  { title: 'RX BYTES', align: 'right', cell: ({ counters }) => String(counters.rxBytes) },
  { title: 'TX BYTES', align: 'right', cell: ({ counters }) => String(counters.txBytes) },
  { title: 'DROPPED', align: 'right', cell: ({ counters }) => String(counters.rxDropped + counters.txDropped) },
  { title: 'RX RATE', align: 'right', cell: ({ rates }) => formatRate(rates.rxPacketsPerSecond, 'pps') },
  { title: 'TX RATE', align: 'right', cell: ({ rates }) => formatRate(rates.txPacketsPerSecond, 'pps') },
];

export function formatPorts(ports: readonly Port[]): string {
  return formatTable(columns, ports, 'no ports');
}

export interface PortsOptions {
  readonly watch: boolean;
  readonly intervalMs: number;
}

export async function ports(context: CommandContext, bridge: string, options: PortsOptions): Promise<void> {
  const { api, json, print, untilInterrupted } = context;
  if (!options.watch) {
    const reply = await api.call('listPorts', { bridge });
    return print(json ? formatJson(reply.ports) : formatPorts(reply.ports));
  }
  await api.watch(
    { bridge, intervalMs: options.intervalMs },
    (event) => {
      if (json) print(formatJson(event));
      else if (event.event === 'ports') print(`${formatPorts(event.ports.ports)}\n`);
      else print(`${event.bridge.bridge}: ${event.bridge.text}`);
    },
    untilInterrupted(),
  );
}
