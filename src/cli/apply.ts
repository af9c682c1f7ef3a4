/** `xvif plan`, `diff`, `apply`, `delete`, `export`: flow files and a running switch. */
import { createInterface } from 'node:readline';
import { messageOf } from '../base/error.js';
import { PortList, type Program } from '../compiler/index.js';
import {
  ApplyError,
  applyPlan,
  type Change,
  connectTo,
  exportFlowSet,
  makePlan,
  type Plan,
  RemoteSwitch,
  undoPlan,
} from '../reconcile/index.js';
import { type CommandContext, CommandFailed } from './context.js';
import { compileSources, counted, type FileOptions, printReport } from './read-files.js';
import { formatJson } from './units.js';

export interface SwitchOptions extends FileOptions {
  readonly switch: string;
}
export interface PlanOptions extends SwitchOptions {
  readonly prune: boolean;
}
export interface ApplyOptions extends PlanOptions {
  /** Milliseconds. */
  readonly confirm?: number;
}
export interface ExportOptions {
  readonly switch: string;
  readonly name: string;
}

/** Like kubectl's: 1 says that there are differences, so a failure is 2. */
export const FAILED = 2;

export async function withSwitch<T>(target: string, use: (remote: RemoteSwitch) => Promise<T>): Promise<T> {
  const socket = connectTo(target);
  if (socket === undefined) throw new CommandFailed(`${target} is no switch: tcp:HOST[:PORT] or unix:PATH`, FAILED);
  const remote = await RemoteSwitch.open(socket).catch((error: unknown) => {
    throw new CommandFailed(`no switch at ${target}: ${messageOf(error)}`, FAILED);
  });
  try {
    return await use(remote);
  } finally {
    await remote.close();
  }
}

/** The files, with the switch's ports. */
export async function programFor(
  context: CommandContext,
  remote: RemoteSwitch,
  files: readonly string[],
  options: FileOptions,
): Promise<Program> {
  const there = await remote.ports();
  const { program, diagnostics } = compileSources(files, options, (known) => new PortList([...known, ...there]));
  if (diagnostics.errors > 0) {
    printReport(context, diagnostics, context.json ? 'json' : options.format);
    throw new CommandFailed(counted(diagnostics.errors, 'error'), FAILED);
  }
  return program;
}

const signs = { add: '+', change: '~', delete: '-' } as const;

function changeText({ kind, what, text, before, origin }: Change): string {
  const from =
    origin === undefined
      ? ''
      : `  # ${origin.at.file.name}:${origin.at.place().line} ${origin.document}/${origin.name}`;
  const was = before === undefined ? '' : `\n    was ${before}`;
  return `${signs[kind]} ${what} ${text}${from}${was}`;
}

function summary({ changes, unchanged, stale }: Plan): string {
  const count = (kind: Change['kind']) => changes.filter((change) => change.kind === kind).length;
  const left = stale.length === 0 ? '' : `; ${counted(stale.length, 'own flow')} in no file, which --prune deletes`;
  return `${count('add')} to add, ${count('change')} to change, ${count('delete')} to delete, ${unchanged} unchanged${left}`;
}

function printPlan({ json, print }: CommandContext, plan: Plan): void {
  if (json) {
    const changes = plan.changes.map(({ kind, what, text, before, origin }) => ({
      kind,
      what,
      text,
      before,
      file: origin?.at.file.name,
      line: origin?.at.place().line,
      rule: origin === undefined ? undefined : `${origin.document}/${origin.name}`,
    }));
    print(formatJson({ changes, unchanged: plan.unchanged, stale: plan.stale }));
    return;
  }
  for (const change of plan.changes) print(changeText(change));
  print(summary(plan));
}

function refuseConflicts({ conflicts }: Plan): void {
  const [first] = conflicts;
  if (first === undefined) return;
  const { flow, other } = first;
  const more = conflicts.length === 1 ? '' : ` (and ${conflicts.length - 1} more)`;
  throw new CommandFailed(
    `${flow.origin.document}/${flow.origin.name} would take the place of somebody else's flow ${other}${more}`,
    FAILED,
  );
}

async function planned(context: CommandContext, remote: RemoteSwitch, files: readonly string[], options: PlanOptions) {
  const program = await programFor(context, remote, files, options);
  const plan = makePlan(program, await remote.state(), { prune: options.prune });
  refuseConflicts(plan);
  return plan;
}

export const plan = (context: CommandContext, files: readonly string[], options: PlanOptions): Promise<void> =>
  withSwitch(options.switch, async (remote) => printPlan(context, await planned(context, remote, files, options)));

/** Exit code 1: there are differences. */
export const diff = (context: CommandContext, files: readonly string[], options: PlanOptions): Promise<void> =>
  withSwitch(options.switch, async (remote) => {
    const found = await planned(context, remote, files, options);
    printPlan(context, found);
    if (found.changes.length > 0)
      throw new CommandFailed(`the switch differs in ${counted(found.changes.length, 'place')}`);
  });

async function carryOut(context: CommandContext, remote: RemoteSwitch, found: Plan): Promise<void> {
  try {
    const atomic = await applyPlan(remote, found);
    if (!atomic && !context.json) context.print('the switch has no bundles: changes were made one by one');
  } catch (error) {
    if (error instanceof ApplyError) throw new CommandFailed(error.message, FAILED);
    throw error;
  }
}

export const apply = (context: CommandContext, files: readonly string[], options: ApplyOptions): Promise<void> =>
  withSwitch(options.switch, async (remote) => {
    const found = await planned(context, remote, files, options);
    await carryOut(context, remote, found);
    printPlan(context, found);
    if (options.confirm === undefined || found.changes.length === 0) return;
    context.print(`in force; press Enter within ${options.confirm / 1000} s to keep it`);
    if (await confirmed(options.confirm, context.untilInterrupted())) return;
    await undoPlan(remote, found);
    throw new CommandFailed('not confirmed: everything is as it was before');
  });

/** A line on the standard input in time. */
function confirmed(ms: number, interrupted: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const input = createInterface({ input: process.stdin });
    const timer = setTimeout(() => end(false), ms);
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      interrupted.removeEventListener('abort', onAbort);
      input.close();
      process.stdin.unref?.();
      resolve(answer);
    };
    const onAbort = () => end(false);
    interrupted.addEventListener('abort', onAbort);
    input.once('line', () => end(true));
  });
}

export const remove = (context: CommandContext, files: readonly string[], options: SwitchOptions): Promise<void> =>
  withSwitch(options.switch, async (remote) => {
    const program = await programFor(context, remote, files, options);
    const found = makePlan(program, await remote.state(), { prune: false, remove: true });
    await carryOut(context, remote, found);
    printPlan(context, found);
  });

export const exportFlows = (context: CommandContext, options: ExportOptions): Promise<void> =>
  withSwitch(options.switch, async (remote) => {
    context.print(exportFlowSet(await remote.state(), { name: options.name }).trimEnd());
  });
