/** `xvif chain show` and `xvif chain trace`: service chains of flow files, on a switch and without one. */
import type { ChainInstance } from '../api/messages.js';
import { type KnownPort, PlaceholderPorts, type Program } from '../compiler/index.js';
import {
  type ChainCount,
  countInstances,
  packetsByCookie,
  type RemoteSwitch,
  type TlsFiles,
} from '../reconcile/index.js';
import { type ChainTrace, traceChains } from '../simulator/trace-chain.js';
import { programFor, withSwitch } from './apply.js';
import { type CommandContext, CommandFailed } from './context.js';
import { namesIn } from './documents.js';
import { compileSources, counted, type FileOptions, printReport } from './read-files.js';
import { type Column, formatTable } from './table.js';
import { formatJson } from './units.js';

const FAILED = 2;
const NONE = '-';

export interface ChainShowOptions extends FileOptions, TlsFiles {
  /** Undefined: xvifd is asked. */
  readonly switch?: string;
  /** Of xvifd; '': all. */
  readonly bridge: string;
}

const counters: readonly Column<ChainCount>[] = [
  { title: 'CHAIN', cell: ({ chain }) => chain },
  { title: 'HOP', cell: ({ hop }) => hop },
  { title: 'DIRECTION', cell: ({ direction }) => direction },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'INSTANCE', cell: ({ instance }) => instance },
  { title: 'IN', align: 'right', cell: ({ packetsIn }) => String(packetsIn) },
  { title: 'OUT', align: 'right', cell: ({ packetsOut }) => String(packetsOut ?? NONE) },
  { title: 'LOST', align: 'right', cell: ({ lost }) => String(lost ?? NONE) },
  { title: 'GROUPS', cell: ({ groups }) => groups.join(' ') },
];

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
const time = (at: bigint): string => (at === 0n ? NONE : new Date(Number(at)).toISOString().replace(/\.\d+Z$/, 'Z'));
const columns: readonly Column<ChainInstance>[] = [
  { title: 'BRIDGE', cell: ({ bridge }) => bridge },
  { title: 'CHAIN', cell: ({ chain }) => chain },
  { title: 'HOP', cell: ({ hop }) => hop },
  { title: 'DIRECTION', cell: ({ direction }) => direction },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'INSTANCE', cell: ({ instance }) => instance },
  { title: 'IN', align: 'right', cell: ({ packetsIn }) => String(packetsIn) },
  { title: 'OUT', align: 'right', cell: ({ returned }) => String(returned?.packetsOut ?? NONE) },
  { title: 'LOST', align: 'right', cell: ({ returned }) => String(returned?.lost ?? NONE) },
  { title: 'STATE', cell: ({ state }) => state || NONE },
  { title: 'SINCE', cell: ({ sinceMs }) => time(sinceMs) },
  { title: 'MIN/AVG MS', cell: ({ latency: l }) => (l === null ? NONE : `${ms(l.minMs)}/${ms(l.averageMs)}`) },
  { title: 'LAST FAILURE', cell: ({ reason }) => reason || NONE },
];

async function readCounts(remote: RemoteSwitch, program: Program): Promise<ChainCount[]> {
  const buckets = await remote.bucketPackets();
  const { flows } = await remote.state();
  return countInstances(program, packetsByCookie(flows), buckets);
}

/** With --switch the chains of the files on that switch, else those that xvifd keeps, or those of them that are in files. */
export async function chainShow(
  context: CommandContext,
  files: readonly string[],
  options: ChainShowOptions,
): Promise<void> {
  const { switch: target, bridge } = options;
  const show = <Line>(titles: readonly Column<Line>[], lines: readonly Line[]): void =>
    context.print(context.json ? formatJson(lines) : formatTable(titles, lines, 'no chains'));
  if (target !== undefined) {
    if (files.length === 0) throw new CommandFailed('give the files whose chains they are', FAILED);
    const lines = await withSwitch({ ...options, switch: target }, async (remote) =>
      readCounts(remote, await programFor(context, remote, files, options)),
    );
    return show(counters, lines);
  }
  const { instances } = await context.api.call('listChains', { bridge }).catch((error: Error) => {
    throw new CommandFailed(error.message, FAILED);
  });
  const names = files.length === 0 ? undefined : new Set(namesIn(context, files, options));
  const shown = instances.filter(({ chain }) => names?.has(chain) ?? true);
  return show(columns, shown);
}

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

export interface ChainTraceOptions extends FileOptions {
  /** Of xvifd; '': its only one. */
  readonly bridge: string;
}

/** With files offline, else in xvifd's tables. Exit code 1: mistakes in the files, 2: the packet is none. */
export async function chainTrace(
  context: CommandContext,
  files: readonly string[],
  packet: string,
  options: ChainTraceOptions,
): Promise<void> {
  const trace =
    files.length === 0 ? await liveTrace(context, packet, options) : traceOfFiles(context, files, packet, options);
  context.print(context.json ? formatJson(trace) : traceText(trace));
}

async function liveTrace({ api }: CommandContext, packet: string, { bridge }: ChainTraceOptions): Promise<ChainTrace> {
  const { report } = await api.call('traceChains', { bridge, packet }).catch((error: Error) => {
    throw new CommandFailed(error.message, FAILED);
  });
  return JSON.parse(report) as ChainTrace;
}

function traceOfFiles(
  context: CommandContext,
  files: readonly string[],
  packet: string,
  options: FileOptions,
): ChainTrace {
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
  return trace;
}
