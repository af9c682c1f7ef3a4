/** `xvif chain show` and `xvif chain trace`: service chains of flow files, on a switch and without one. */
import { type KnownPort, PlaceholderPorts, type Program, type ProgramInstance } from '../compiler/index.js';
import type { RemoteSwitch } from '../reconcile/index.js';
import { type ChainTrace, traceChains } from '../simulator/trace-chain.js';
import { programFor, type Target, withSwitch } from './apply.js';
import { type CommandContext, CommandFailed } from './context.js';
import { compileSources, counted, type FileOptions, printReport } from './read-files.js';
import { type Column, formatTable } from './table.js';
import { formatJson } from './units.js';

const FAILED = 2;

/** An instance of a hop, in one direction, and its packets. */
export interface InstanceCount {
  readonly chain: string;
  readonly hop: string;
  readonly direction: 'forward' | 'reverse';
  readonly mode: 'inline' | 'tap';
  readonly instance: string;
  readonly groups: readonly number[];
  readonly packetsIn: bigint;
  /** Absent of taps: nothing comes back. */
  readonly packetsOut?: bigint;
  /** In minus out. Those that are under way are among them; negative: it sends more than it gets. */
  readonly lost?: bigint;
}

type Buckets = ReadonlyMap<number, readonly bigint[]>;
const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);
const packetsOf = (buckets: ProgramInstance['buckets'], counts: Buckets): bigint =>
  sum(buckets.map(({ group, index }) => counts.get(group)?.[index] ?? 0n));

/** By flow and group counters of a switch; a hop that was skipped has a line for it. */
export function countInstances(
  { chains }: Program,
  flows: readonly { readonly cookie: bigint; readonly packetCount: bigint }[],
  counts: Buckets,
): InstanceCount[] {
  return chains.flatMap(({ document, hops }) =>
    hops.flatMap(({ name, direction, mode, instances, skips }) => {
      const hop = { chain: document, hop: name, direction, mode };
      const lines = instances.map(({ name: instance, buckets, returned }): InstanceCount => {
        const packetsIn = packetsOf(buckets, counts);
        const line = { ...hop, instance, groups: [...new Set(buckets.map(({ group }) => group))], packetsIn };
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

const columns: readonly Column<InstanceCount>[] = [
  { title: 'CHAIN', cell: ({ chain }) => chain },
  { title: 'HOP', cell: ({ hop }) => hop },
  { title: 'DIRECTION', cell: ({ direction }) => direction },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'INSTANCE', cell: ({ instance }) => instance },
  { title: 'IN', align: 'right', cell: ({ packetsIn }) => String(packetsIn) },
  { title: 'OUT', align: 'right', cell: ({ packetsOut }) => String(packetsOut ?? '-') },
  { title: 'LOST', align: 'right', cell: ({ lost }) => String(lost ?? '-') },
  { title: 'GROUPS', cell: ({ groups }) => groups.join(' ') },
];

async function readCounts(remote: RemoteSwitch, program: Program): Promise<InstanceCount[]> {
  const buckets = await remote.bucketPackets();
  const { flows } = await remote.state();
  return countInstances(program, flows, buckets);
}

export const chainShow = (
  context: CommandContext,
  files: readonly string[],
  options: FileOptions & Target,
): Promise<void> =>
  withSwitch(options, async (remote) => {
    const program = await programFor(context, remote, files, options);
    const lines = await readCounts(remote, program);
    if (context.json) context.print(formatJson(lines));
    else context.print(formatTable(columns, lines, 'no chains'));
  });

function traceText({ steps, outputs, controller, ended }: ChainTrace): string {
  const visits = steps.map(({ chain, hop, instance, mode, into, outOf, direction }, index) => {
    const back = direction === 'reverse' ? ', on the way back' : '';
    const how = mode === 'tap' ? `a copy to ${into}` : `in by ${into}, out by ${outOf}`;
    return `${index + 1}. ${chain}/${hop}: ${instance}, ${how}${back}`;
  });
  const left = outputs.length > 0 ? [`leaves by ${outputs.join(', ')}`] : [];
  const up = controller ? ['goes to the controller'] : [];
  const unseen = ended.some((rule) => /\/exit(-back)?\/all$/.test(rule)) ? '; its destination was seen at no port' : '';
  const end = ended.length === 0 ? '' : `: it met ${ended.join(', ')}${unseen}`;
  const nowhere = left.length + up.length === 0 ? [`goes nowhere${end}`] : [];
  return [...visits, ...left, ...up, ...nowhere].join('\n');
}

/** Offline; exit code 1: mistakes in the files, 2: the packet is none. */
export async function chainTrace(
  context: CommandContext,
  files: readonly string[],
  packet: string,
  options: FileOptions,
): Promise<void> {
  const { program, diagnostics } = compileSources(
    files,
    options,
    (known: readonly KnownPort[]) => new PlaceholderPorts(known),
    { localAgents: true },
  );
  if (diagnostics.errors > 0) {
    printReport(context, diagnostics, context.json ? 'json' : options.format);
    throw new CommandFailed(counted(diagnostics.errors, 'error'));
  }
  const trace = traceChains(program, packet, diagnostics);
  if (typeof trace === 'string') throw new CommandFailed(`the packet: ${trace}`, FAILED);
  context.print(context.json ? formatJson(trace) : traceText(trace));
}
