/** Flow files that xvifd keeps: `xvif plan`, `diff`, `apply`, `delete` without --switch, `xvif confirm`, `xvif documents`. */
import type { Document, DocumentsReply } from '../api/messages.js';
import { Diagnostics, documentsOf, type ReportFormat } from '../compiler/index.js';
import { type CommandContext, CommandFailed, type Printer } from './context.js';
import { printPlan } from './plan-text.js';
import { counted, printReport, readSource } from './read-files.js';
import { type Column, formatTable } from './table.js';
import { formatJson } from './units.js';

export interface KeepOptions {
  readonly bridge: string;
  readonly prune?: boolean;
  /** Milliseconds. */
  readonly confirm?: number;
  readonly format: ReportFormat;
}

/** Like kubectl's: 1 says that there are differences, so a failure is 2. */
const FAILED = 2;
/** Many thousand rules take their time. */
export const TIMEOUT_MS = 10 * 60_000;

async function ask(
  context: CommandContext,
  call: 'planDocuments' | 'applyDocuments',
  paths: readonly string[],
  { bridge, prune = false, confirm: confirmMs = 0, format }: KeepOptions,
): Promise<DocumentsReply> {
  const files = paths.map(readSource).map(({ name, text }) => ({ name, text }));
  const request = { bridge, files, prune, confirmMs, format: context.json ? 'json' : format };
  const reply = await context.api.call(call, request, TIMEOUT_MS).catch(failed);
  if (reply.errors === 0) return reply;
  context.print(reply.report);
  throw new CommandFailed(counted(reply.errors, 'error'), FAILED);
}

const failed = (error: Error): never => {
  throw new CommandFailed(error.message, FAILED);
};

export async function planKept(context: CommandContext, paths: readonly string[], options: KeepOptions): Promise<void> {
  printPlan(context, await ask(context, 'planDocuments', paths, options));
}

export async function diffKept(context: CommandContext, paths: readonly string[], options: KeepOptions): Promise<void> {
  const plan = await ask(context, 'planDocuments', paths, options);
  printPlan(context, plan);
  const { length } = plan.changes;
  if (length > 0) throw new CommandFailed(`the switch differs in ${counted(length, 'place')}`);
}

export async function keep(context: CommandContext, paths: readonly string[], options: KeepOptions): Promise<void> {
  const reply = await ask(context, 'applyDocuments', paths, options);
  printPlan(context, reply, reply.token === '' ? undefined : reply.token);
  if (reply.token === '' || options.confirm === undefined || context.json) return;
  context.print(`in force for ${options.confirm / 1000} s; xvif confirm ${reply.token} keeps it`);
}

/** `token`: what apply printed. */
export async function confirm({ api }: CommandContext, token: string, bridge: string): Promise<void> {
  await api.call('confirmDocuments', { bridge, token }).catch(failed);
}

/** Names that files have for their documents. */
export function namesIn(context: Printer, paths: readonly string[], options: Pick<KeepOptions, 'format'>): string[] {
  const diagnostics = new Diagnostics();
  const names = documentsOf(paths.map(readSource), diagnostics).map(({ name }) => name);
  if (diagnostics.errors > 0) {
    printReport(context, diagnostics, context.json ? 'json' : options.format);
    throw new CommandFailed(counted(diagnostics.errors, 'error'), FAILED);
  }
  return names;
}

export async function forget(context: CommandContext, paths: readonly string[], options: KeepOptions): Promise<void> {
  const names = namesIn(context, paths, options);
  const { bridge } = options;
  printPlan(context, await context.api.call('deleteDocuments', { bridge, names }, TIMEOUT_MS).catch(failed));
}

const time = (ms: bigint): string => new Date(Number(ms)).toISOString().replace(/\.\d+Z$/, 'Z');

function state({ unconfirmed, waitingFlows, waitingPorts, problem }: Document): string {
  if (problem !== '') return problem;
  const parts = [
    ...(unconfirmed ? ['to be confirmed'] : []),
    ...(waitingPorts.length === 0 ? [] : [`${waitingFlows} waiting for ${waitingPorts.join(', ')}`]),
  ];
  return parts.length === 0 ? 'in force' : parts.join('; ');
}

const columns: readonly Column<Document>[] = [
  { title: 'BRIDGE', cell: ({ bridge }) => bridge },
  { title: 'OWNER', cell: ({ owner }) => owner },
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'KIND', cell: ({ kind }) => kind },
  { title: 'FLOWS', align: 'right', cell: ({ flows }) => String(flows) },
  { title: 'APPLIED', cell: ({ appliedMs }) => time(appliedMs) },
  { title: 'FILE', cell: ({ file }) => file },
  { title: 'STATE', cell: state },
];

export async function documents({ api, json, print }: CommandContext, bridge: string): Promise<void> {
  const reply = await api.call('listDocuments', { bridge }).catch(failed);
  print(json ? formatJson(reply.documents) : formatTable(columns, reply.documents, 'no documents'));
}
