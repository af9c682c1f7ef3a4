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

/** A hop that can be skipped has a line for it. */
export function countInstances(
  { chains }: Program,
  flows: readonly { readonly cookie: bigint; readonly packetCount: bigint }[],
  counts: BucketPackets,
): ChainCount[] {
  return chains.flatMap(({ document, hops }) =>
    hops.flatMap(({ name, direction, mode, instances, skips }) => {
      const hop = { chain: document, hop: name, direction, mode };
      const lines = instances.map(({ name: instance, into, outOf, buckets, returned }): ChainCount => {
        const packetsIn = packetsOf(buckets, counts);
        const port = direction === 'forward' ? into : (outOf ?? into);
        const groups = [...new Set(buckets.map(({ group }) => group))];
        const line = { ...hop, instance, port, groups, packetsIn };
        if (returned === undefined) return line;
        const packetsOut = sum(flows.filter(({ cookie }) => cookie === returned).map((flow) => flow.packetCount));
        return { ...line, packetsOut, lost: packetsIn - packetsOut };
      });
      if (skips.length === 0) return lines;
      const groups = [...new Set(skips.map(({ group }) => group))];
      return [...lines, { ...hop, instance: '(skipped)', groups, packetsIn: packetsOf(skips, counts) }];
    }),
  );
}
