/** `xvif trace FILES PACKET`: what would become of a packet, with the rules of files or of a switch. */
import { PlaceholderPorts, PortList } from '../compiler/index.js';
import type { TlsFiles } from '../reconcile/index.js';
import { PacketError } from '../simulator/frame.js';
import { inputOfProgram, inputOfSwitch, type TraceInput, tracePacket } from '../simulator/trace.js';
import type { LearnWord, NearestRule, RuleWords, TraceLine, TraceReport } from '../simulator/trace-report.js';
import { FAILED, programFor, type Target, withSwitch } from './apply.js';
import { type CommandContext, CommandFailed, type Printer } from './context.js';
import { compileSources, counted, type FileOptions, printReport } from './read-files.js';
import { formatJson } from './units.js';

/** Nothing here goes on for ever. */
type Asking = Pick<CommandContext, 'api'> & Printer;

export interface TraceOptions extends FileOptions, TlsFiles {
  readonly switch?: string;
  /** Of xvifd; '': its only one. */
  readonly bridge: string;
  /** The reference datapath, with what xvifd has in its tables. */
  readonly model: boolean;
}

function fromFiles(context: Printer, files: readonly string[], options: TraceOptions): TraceInput {
  const { program, diagnostics } = compileSources(files, options, (known) => new PlaceholderPorts(known), {
    localAgents: true,
  });
  if (diagnostics.errors > 0) {
    printReport(context, diagnostics, context.json ? 'json' : options.format);
    throw new CommandFailed(counted(diagnostics.errors, 'error'), FAILED);
  }
  return inputOfProgram(program);
}

const fromSwitch = (
  context: Printer,
  target: Target,
  files: readonly string[],
  options: TraceOptions,
): Promise<TraceInput> =>
  withSwitch(target, async (remote) => {
    const ports = await remote.ports();
    const program = files.length === 0 ? undefined : await programFor(context, remote, files, options);
    const resolver = program?.ports ?? new PortList([...options.port, ...ports]);
    return inputOfSwitch(await remote.state(), ports, resolver, program);
  });

const failed = (error: Error): never => {
  throw new CommandFailed(error.message, FAILED);
};

/** Where the tables of one of xvifd's bridges can be read. */
async function tablesOf({ api }: Asking, name: string): Promise<string> {
  const { bridges } = await api.call('show', {}).catch(failed);
  const found = name === '' ? bridges : bridges.filter((bridge) => bridge.name === name);
  if (found.length === 1) return `unix:${found[0]!.managementSocket}`;
  throw new CommandFailed(name === '' ? 'which bridge? name it with --bridge' : `there is no bridge "${name}"`, FAILED);
}

/** xvifd's own tables answer. */
async function live({ api }: Asking, packet: string, { bridge }: TraceOptions): Promise<TraceReport> {
  const { report } = await api.call('trace', { bridge, packet }).catch(failed);
  return JSON.parse(report) as TraceReport;
}

/** `files` with a switch: where the names of its rules are; without: the rules. */
async function reportOf(
  context: Asking,
  files: readonly string[],
  packet: string,
  options: TraceOptions,
): Promise<TraceReport> {
  const { model, bridge } = options;
  if (options.switch === undefined && files.length === 0 && !model) return live(context, packet, options);
  const target = options.switch ?? (model ? await tablesOf(context, bridge) : undefined);
  if (target === undefined) return tracePacket(fromFiles(context, files, options), packet);
  return tracePacket(await fromSwitch(context, { ...options, switch: target }, files, options), packet);
}

export async function trace(
  context: Asking,
  files: readonly string[],
  packet: string,
  options: TraceOptions,
): Promise<void> {
  try {
    const report = await reportOf(context, files, packet, options);
    context.print(context.json ? formatJson(report) : traceText(report));
  } catch (error) {
    if (error instanceof PacketError) throw new CommandFailed(error.message, FAILED);
    throw error;
  }
}

function ruleText({ name, owner, file, line, cookie, text }: RuleWords): string {
  const place = file === undefined ? [] : [`${file}:${line}`];
  const whose = owner === undefined ? [] : [`owner ${owner}`];
  const number = name === undefined && cookie !== undefined ? [`cookie ${cookie}`] : [];
  const known = [...place, ...whose, ...number];
  return `${name ?? text}${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
}

function nearestText({ rule, differences }: NearestRule): string {
  const lacks = differences.map(({ field, packet, wanted }) => `${field} is ${packet}, it wants ${wanted}`);
  return `nearest: ${ruleText(rule)}: ${lacks.join('; ')}`;
}

const learnWords: Readonly<Record<LearnWord, string>> = {
  asked: 'would learn',
  there: 'has learned already',
  full: 'does not learn, for its limit is reached',
};

/** Lines below a table stand further in than it. */
function linesOf(line: TraceLine): string[] {
  switch (line.step) {
    case 'table': {
      const { table, name, egress, rule, nearest } = line;
      const called = `${egress ? 'egress table' : 'table'} ${name === undefined ? table : `${name} (${table})`}`;
      return [
        `${called}: ${rule === undefined ? 'no rule matches' : ruleText(rule)}`,
        ...(rule?.name === undefined ? [] : [`    ${rule.text}`]),
        ...(nearest === undefined ? [] : [`    ${nearestText(nearest)}`]),
      ];
    }
    case 'action':
      return [
        `  ${line.text}`,
        ...line.changes.map(({ field, before, after }) => `    ${field}: ${before} -> ${after}`),
      ];
    case 'action_set':
      return ['  the action set:'];
    case 'group': {
      const buckets = line.buckets.map(({ live, chosen }, i) => `${i}${chosen ? ' chosen' : live ? '' : ' not live'}`);
      return [`    group ${line.group} (${line.type}): buckets ${buckets.join(', ')}`];
    }
    case 'bucket':
      return [`bucket ${line.bucket} of ${line.group}:`];
    case 'meter':
      return [`    meter ${line.meter}: ${line.band === undefined ? 'passes' : `exceeded, ${line.band}`}`];
    case 'normal':
      return [
        `    ${line.to === undefined ? 'the destination is not known: to all ports' : `known to be at ${line.to}`}`,
      ];
    case 'output':
      return [`    leaves by ${line.name ?? line.port}`];
    case 'learn':
      return [`    ${learnWords[line.verdict]}: ${line.text}`];
    case 'cut':
      return ['    and more, which was too much to tell'];
    case 'controller':
      return [`    to the controller: ${line.reason}`];
    case 'drop':
      return [`    dropped: ${line.reason}`];
  }
}

function resultText({ delivered, controller, dropped }: TraceReport['outcome']): string[] {
  const ports = delivered.map(({ port, name }) => name ?? String(port));
  return [
    ...(ports.length === 0 ? [] : [`result: delivered to ${ports.join(', ')}`]),
    ...controller.map(({ reason, table }) => `result: to the controller from table ${table}: ${reason}`),
    ...dropped.map(({ reason, table, rule, port }) => {
      const where = table === undefined ? '' : ` in table ${table}`;
      const by = rule === undefined ? '' : ` by ${ruleText(rule)}`;
      const out = port === undefined ? '' : ` on its way out of ${port}`;
      const what = delivered.length + controller.length > 0 ? 'a copy dropped' : 'dropped';
      return `result: ${what}${out}${where}${by}: ${reason}`;
    }),
  ];
}

export function traceText({ packet, steps, outcome, left }: TraceReport): string {
  const lines = steps.flatMap((line) => linesOf(line).map((text) => `${'  '.repeat(line.depth)}${text}`));
  const ignored = left.map(({ what, reason }) => `left out: ${what}: ${reason}`);
  return [packet.text, ...ignored, ...lines, ...resultText(outcome)].join('\n');
}
