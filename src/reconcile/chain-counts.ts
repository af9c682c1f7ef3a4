/** Packets of chains, by flow and group counters of a switch. */
import type { Program, ProgramInstance } from '../compiler/index.js';

/** An instance of a hop, in one direction, and its packets. */
export interface ChainCount {
  readonly chain: string;
  readonly hop: string;
  readonly direction: 'forward' | 'reverse';
  readonly mode: 'inline' | 'tap';
  readonly instance: string;
  /** Its ingress port; absent of the line that says how many packets skipped the hop. */
  readonly port?: number;
  readonly groups: readonly number[];
  readonly packetsIn: bigint;
  /** Absent of taps: nothing comes back. */
  readonly packetsOut?: bigint;
  /** In minus out. Those that are under way are among them; negative: it sends more than it gets. */
  readonly lost?: bigint;
}

/** By the number of the group. */
export type BucketPackets = ReadonlyMap<number, readonly bigint[]>;

const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);
const packetsOf = (buckets: ProgramInstance['buckets'], counts: BucketPackets): bigint =>
  sum(buckets.map(({ group, index }) => counts.get(group)?.[index] ?? 0n));

/** Packets of flows, by their cookie. */
export type CookiePackets = ReadonlyMap<bigint, bigint>;

/** Adds up: there may be many flows with the same cookie, and as many lines that ask for it. */
export function packetsByCookie(
  flows: Iterable<{ readonly cookie: bigint; readonly packetCount: bigint }>,
): Map<bigint, bigint> {
  const found = new Map<bigint, bigint>();
  for (const { cookie, packetCount } of flows) found.set(cookie, (found.get(cookie) ?? 0n) + packetCount);
  return found;
}

/** A hop that can be skipped has a line for it. */
export function countInstances({ chains }: Program, flows: CookiePackets, counts: BucketPackets): ChainCount[] {
  return chains.flatMap(({ document, hops }) =>
    hops.flatMap(({ name, direction, mode, instances, skips }) => {
      const hop = { chain: document, hop: name, direction, mode };
      const lines = instances.map(({ name: instance, into, outOf, buckets, returned }): ChainCount => {
        const packetsIn = packetsOf(buckets, counts);
        const port = direction === 'forward' ? into : (outOf ?? into);
        const groups = [...new Set(buckets.map(({ group }) => group))];
        const line = { ...hop, instance, port, groups, packetsIn };
        if (returned === undefined) return line;
        const packetsOut = flows.get(returned) ?? 0n;
        return { ...line, packetsOut, lost: packetsIn - packetsOut };
      });
      if (skips.length === 0) return lines;
      const groups = [...new Set(skips.map(({ group }) => group))];
      return [...lines, { ...hop, instance: '(skipped)', groups, packetsIn: packetsOf(skips, counts) }];
    }),
  );
}
