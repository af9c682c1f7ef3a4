/** `xvif stats [BRIDGE]`: how busy the workers are, what went up to the controller, what was dropped where and why. */
import type { BridgeStats, Drop, Worker } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { type Column, formatFacts, formatTable } from './table.js';
import { formatJson, formatScaled } from './units.js';

interface NumberedWorker extends Worker {
  readonly index: number;
}

function busyShare({ busyNs, idleNs }: Worker): string {
  const total = busyNs + idleNs;
  return total === 0n ? '-' : `${(Number((busyNs * 10_000n) / total) / 100).toFixed(2)}%`;
}

const workerColumns: readonly Column<NumberedWorker>[] = [
  { title: 'WORKER', align: 'right', cell: ({ index }) => String(index) },
  { title: 'BUSY', align: 'right', cell: busyShare },
  { title: 'BATCHES', align: 'right', cell: ({ batches }) => String(batches) },
  { title: 'PACKETS', align: 'right', cell: ({ packets }) => String(packets) },
];

const dropColumns: readonly Column<Drop>[] = [
  { title: 'DROPPED', align: 'right', cell: ({ packets }) => String(packets) },
  { title: 'PORT', cell: ({ port }) => port },
  { title: 'DIRECTION', cell: ({ direction }) => direction },
  { title: 'REASON', cell: ({ reason }) => reason },
];

export function formatBridgeStats(stats: BridgeStats): string {
  const facts = formatFacts([
    ['rules', `${stats.rules} in ${stats.subtables} subtables, ${formatScaled(Number(stats.ruleMemoryBytes))}B`],
    ['version', String(stats.version)],
    ['upcalls', `${stats.upcalls}, ${stats.upcallsDropped} dropped`],
    ['learned', `${stats.learned} flows, ${stats.learnsDropped} dropped`],
  ]);
  const workers = stats.workers.map((worker, index) => ({ ...worker, index }));
  return [
    `bridge ${stats.bridge}`,
    facts,
    formatTable(workerColumns, workers, 'no workers'),
    formatTable(dropColumns, stats.drops, 'nothing dropped'),
  ].join('\n');
}

export async function stats({ api, json, print }: CommandContext, bridge: string): Promise<void> {
  const reply = await api.call('getStats', { bridge });
  print(json ? formatJson(reply.bridges) : reply.bridges.map(formatBridgeStats).join('\n\n'));
}
