/** What Xen, xenstore and the daemon hold: to be the same before and after. */
import { readdirSync, readFileSync } from 'node:fs';
import { sh, sleep } from './shell.js';
import { paths } from './xenstore.js';
import type { Xvifd } from './xvifd.js';

interface Counts {
  /** Entries of guests' grant tables that Dom0 has mapped, as Xen counts them. */
  readonly grants: number;
  /** Event channels of Dom0 that are bound to other domains. */
  readonly channels: number;
  /** Nodes below Dom0's backend directory. */
  readonly backendNodes: number;
  /** Watches of all clients, as xenstored's trace has them: set minus taken back. */
  readonly watches: number;
  readonly domains: number;
  readonly daemonFiles: number;
  readonly daemonMappings: number;
  readonly daemonKiB: number;
}
export interface Holdings extends Counts {
  /** Of each of the daemon's descriptors. */
  readonly fileNames: readonly string[];
}
const counted = ({ fileNames: _, ...counts }: Holdings) => Object.keys(counts) as (keyof Counts)[];

/** What Xen prints for a debug key. */
async function debugKey(key: string): Promise<string> {
  await sh('xl', 'dmesg', '-c');
  await sh('xl', 'debug-keys', key);
  await sleep(500);
  return sh('xl', 'dmesg', '-c');
}

/** Lines like "[0x008]      0 0x1f2a3 0x00000001          1 0x...": ref, domain that mapped it, frame, pin. */
export function mappedGrants(text: string): number {
  return [...text.matchAll(/\[0x[0-9a-f]+\]\s+(\d+) 0x[0-9a-f]+ 0x([0-9a-f]+)/g)].filter(
    ([, domain, pin]) => Number(domain) === 0 && /[^0]/.test(pin!),
  ).length;
}

/** Of the part about domain 0: lines of ports in state 3, bound to another domain. */
export function interdomainChannels(text: string): number {
  const start = text.search(/Event channel information for domain 0\b/);
  const rest = text.slice(start + 1);
  const end = rest.search(/Event channel information for domain/);
  return [...(end < 0 ? rest : rest.slice(0, end)).matchAll(/^.*\]: s=3 .*$/gm)].length;
}

/** Watches that are in force, by xenstored's trace of accesses, in which a connection's name is used once. */
function watchesHeld(): number {
  const folder = '/var/log/xen';
  const held = new Map<string, number>();
  const ended = new Set<string>();
  for (const name of readdirSync(folder).filter((file) => file.startsWith('xenstored-access.log'))) {
    for (const line of readFileSync(`${folder}/${name}`, 'latin1').split('\n')) {
      const [, connection, action] = /\] +(\S+) +(\S+)/.exec(line) ?? [];
      if (connection === undefined) continue;
      if (action === 'watch') held.set(connection, (held.get(connection) ?? 0) + 1);
      else if (action === 'unwatch') held.set(connection, (held.get(connection) ?? 0) - 1);
      else if (action === 'endconn') ended.add(connection);
    }
  }
  return [...held].reduce((sum, [connection, count]) => sum + (ended.has(connection) ? 0 : count), 0);
}

export async function holdings(xvifd: Xvifd): Promise<Holdings> {
  const fileNames = xvifd.openFiles();
  return {
    grants: mappedGrants(await debugKey('g')),
    channels: interdomainChannels(await debugKey('e')),
    backendNodes: (await paths('/local/domain/0/backend/vif/')).length,
    watches: watchesHeld(),
    domains: (await sh('xl', 'list')).trimEnd().split('\n').length - 1,
    daemonFiles: fileNames.length,
    daemonMappings: xvifd.grantMappings(),
    daemonKiB: xvifd.residentKiB(),
    fileNames,
  };
}

/** A line for each of `keys` that grew; the daemon's memory may grow by `memoryKiB`. */
export function grown(before: Holdings, after: Holdings, memoryKiB: number, keys = counted(before)): string[] {
  return keys
    .filter((key) => after[key] > before[key] + (key === 'daemonKiB' ? memoryKiB : 0))
    .map(
      (key) =>
        `${key}: ${before[key]} before, ${after[key]} after${key === 'daemonFiles' ? `: ${newFiles(before, after)}` : ''}`,
    );
}

function newFiles(before: Holdings, after: Holdings): string {
  const left = [...before.fileNames];
  const more = after.fileNames.filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return `${more.join(' ')} and not ${left.join(' ')}`;
}

/**
 * Throws a line for each holding that grew; the daemon's memory may grow by `memoryKiB`. Guests have to be connected:
 * a count of nothing would only say that the tools' output was not understood.
 */
export function sameHoldings(before: Holdings, after: Holdings, memoryKiB: number): string {
  const unseen = (['grants', 'channels', 'watches', 'daemonMappings', 'daemonFiles'] as const).filter(
    (key) => before[key] === 0,
  );
  if (unseen.length > 0) throw new Error(`not seen while guests are connected: ${unseen.join(', ')}`);
  const more = grown(before, after, memoryKiB);
  if (more.length > 0) throw new Error(more.join('\n'));
  return counted(before)
    .map((key) => `${key} ${before[key]} to ${after[key]}`)
    .join(', ');
}
