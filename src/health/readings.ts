/** What tables say about chains: counters, and which ports are down. */
import { of13 } from 'node-openflow';
import type { LocalTables } from '../bridge/local-tables.js';
import { COOKIE_MAGIC, type Program, type ProgramCheck } from '../compiler/index.js';
import type { Packets } from './counter.js';

const { OFPG, OFPP, OFPPS, OFPTT } = of13;
const ANY = { outPort: OFPP.ANY, outGroup: OFPG.ANY, match: [] } as const;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const MAGIC_SHIFT = 48n;

/** All flows of documents. */
export async function ownFlows(tables: LocalTables) {
  const [cookie, cookieMask] = [COOKIE_MAGIC << MAGIC_SHIFT, 0xffffn << MAGIC_SHIFT];
  const parts = await tables.ask({ type: 'flow', tableId: OFPTT.ALL, ...ANY, cookie, cookieMask });
  return parts.flatMap((part) => (part.type === 'flow' ? part.entries : []));
}

/** Packets of each bucket, by the number of the group. */
export async function bucketPackets(tables: LocalTables, groupId: number = OFPG.ALL) {
  const parts = await tables.ask({ type: 'group', groupId });
  const entries = parts.flatMap((part) => (part.type === 'group' ? part.entries : []));
  return new Map(entries.map(({ groupId: id, buckets }) => [id, buckets.map(({ packetCount }) => packetCount)]));
}

export async function portsDown(tables: LocalTables): Promise<ReadonlySet<number>> {
  const parts = await tables.ask({ type: 'port_desc' });
  const ports = parts.flatMap((part) => (part.type === 'port_desc' ? part.entries : []));
  return new Set(ports.flatMap(({ portNo, state }) => ((state & OFPPS.LINK_DOWN) === 0 ? [] : [portNo])));
}

/** Of an instance, in both directions. */
export async function instancePackets(tables: LocalTables, program: Program, check: ProgramCheck): Promise<Packets> {
  const places = program.chains
    .filter(({ document }) => document === check.document)
    .flatMap(({ hops }) => hops.filter(({ name }) => name === check.hop).flatMap(({ instances }) => instances))
    .filter(({ name }) => name === check.instance);
  const tableId = program.tables.find(({ document, name }) => document === check.document && name === 'arrive')!.id;
  let [into, outOf] = [0n, 0n];
  for (const { buckets, returned } of places) {
    for (const group of new Set(buckets.map((bucket) => bucket.group))) {
      const counts = (await bucketPackets(tables, group)).get(group) ?? [];
      for (const bucket of buckets) if (bucket.group === group) into += counts[bucket.index] ?? 0n;
    }
    if (returned === undefined) continue;
    const parts = await tables.ask({ type: 'flow', tableId, ...ANY, cookie: returned, cookieMask: ALL_ONES });
    for (const part of parts) if (part.type === 'flow') for (const flow of part.entries) outOf += flow.packetCount;
  }
  return { into, outOf };
}
