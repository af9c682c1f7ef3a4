/** What tables say about chains: counters, and which ports can send. */
import { of13 } from 'node-openflow';
import type { LocalTables } from '../bridge/local-tables.js';
import { COOKIE_MAGIC, type Program, type ProgramCheck } from '../compiler/index.js';
import { packetsByCookie } from '../reconcile/index.js';
import type { Packets } from './counter.js';

const { OFPG, OFPP, OFPPS } = of13;
const ANY = { outPort: OFPP.ANY, outGroup: OFPG.ANY, match: [] } as const;
const MAGIC_SHIFT = 48n;

/** What came back to a chain, by the cookie of its flows: in one table of its own, so that no others are read. */
export async function returnedPackets(
  tables: LocalTables,
  program: Program,
  document: string,
): Promise<ReadonlyMap<bigint, bigint>> {
  const tableId = program.tables.find((table) => table.document === document && table.name === 'arrive')!.id;
  const [cookie, cookieMask] = [COOKIE_MAGIC << MAGIC_SHIFT, 0xffffn << MAGIC_SHIFT];
  const parts = await tables.ask({ type: 'flow', tableId, ...ANY, cookie, cookieMask });
  return packetsByCookie(parts.flatMap((part) => (part.type === 'flow' ? part.entries : [])));
}

/** Packets of each bucket, by the number of the group. */
export async function bucketPackets(tables: LocalTables, groupId: number = OFPG.ALL) {
  const parts = await tables.ask({ type: 'group', groupId });
  const entries = parts.flatMap((part) => (part.type === 'group' ? part.entries : []));
  return new Map(entries.map(({ groupId: id, buckets }) => [id, buckets.map(({ packetCount }) => packetCount)]));
}

/** Ports that are there, with a link. */
export async function portsUp(tables: LocalTables): Promise<ReadonlySet<number>> {
  const parts = await tables.ask({ type: 'port_desc' });
  const ports = parts.flatMap((part) => (part.type === 'port_desc' ? part.entries : []));
  return new Set(ports.flatMap(({ portNo, state }) => ((state & OFPPS.LINK_DOWN) === 0 ? [portNo] : [])));
}

/** Of all instances of a hop, by name, in both directions. */
export async function hopPackets(
  tables: LocalTables,
  program: Program,
  { document, hop }: Pick<ProgramCheck, 'document' | 'hop'>,
): Promise<ReadonlyMap<string, Packets>> {
  const places = program.chains
    .filter((chain) => chain.document === document)
    .flatMap(({ hops }) => hops.filter(({ name }) => name === hop).flatMap(({ instances }) => instances));
  const groups = new Set(places.flatMap(({ buckets }) => buckets.map(({ group }) => group)));
  const counts = new Map<number, readonly bigint[]>();
  for (const group of groups) counts.set(group, (await bucketPackets(tables, group)).get(group) ?? []);
  const returned = await returnedPackets(tables, program, document);
  const found = new Map<string, Packets>();
  for (const place of places) {
    let { into, outOf } = found.get(place.name) ?? { into: 0n, outOf: 0n };
    for (const { group, index } of place.buckets) into += counts.get(group)![index] ?? 0n;
    if (place.returned !== undefined) outOf += returned.get(place.returned) ?? 0n;
    found.set(place.name, { into, outOf });
  }
  return found;
}
