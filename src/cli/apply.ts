/** `xvif plan`, `diff`, `apply`, `delete`, `export`: flow files and a running switch. */
import { createInterface } from 'node:readline';
import { changeView } from '../api/changes.js';
import { messageOf } from '../base/error.js';
import { type Diagnostics, type KnownPort, PortList, type Program } from '../compiler/index.js';
import {
  ApplyError,
  type Atomicity,
  applyPlan,
  conflictText,
  connectTo,
  exportFlowSet,
  makePlan,
  type Plan,
  RemoteSwitch,
  type TlsFiles,
  undoPlan,
} from '../reconcile/index.js';
import { type CommandContext, CommandFailed, type Printer } from './context.js';
import { diffKept, forget, keep, planKept, TIMEOUT_MS } from './documents.js';
import { printPlan } from './plan-text.js';
import { compileSources, counted, type FileOptions, leftOut, printReport } from './read-files.js';

/** An OpenFlow switch, and with what TLS is spoken to it. */
export interface Target extends TlsFiles {
  readonly switch: string;
}
export interface SwitchOptions extends FileOptions, TlsFiles {
  /** Undefined: xvifd is asked. */
  readonly switch?: string;
  /** Of xvifd; '': its only one. */
  readonly bridge: string;
}
export interface PlanOptions extends SwitchOptions {
  readonly prune: boolean;
}
export interface ApplyOptions extends PlanOptions {
  /** Milliseconds. */
  readonly confirm?: number;
}
export interface ExportOptions extends TlsFiles {
  /** Undefined: xvifd is asked. */
  readonly switch?: string;
  /** Of xvifd; '': its only one. */
  readonly bridge: string;
  readonly name: string;
}

/** Like kubectl's: 1 says that there are differences, so a failure is 2. */
export const FAILED = 2;

export async function withSwitch<T>(target: Target, use: (remote: RemoteSwitch) => Promise<T>): Promise<T> {
  const remote = await open(target).catch((error: unknown) => {
    throw new CommandFailed(`no switch at ${target.switch}: ${messageOf(error)}`, FAILED);
  });
  try {
    return await use(remote);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    throw new CommandFailed(`${target.switch}: ${messageOf(error)}`, FAILED);
  } finally {
    await remote.close();
  }
}

async function open(target: Target): Promise<RemoteSwitch> {
  return RemoteSwitch.open(() => connectTo(target.switch, target));
}

/** With --switch that switch, else xvifd. */
async function either<Options extends SwitchOptions>(
  options: Options,
  outside: (target: Target) => Promise<void>,
  inside: () => Promise<void>,
): Promise<void> {
  const { switch: target, bridge, port, ports } = options;
  if (target === undefined) {
    if (port.length > 0 || ports !== undefined) {
      throw new CommandFailed('xvifd knows its ports: --port and --ports are for --switch', FAILED);
    }
    return inside().catch(orFailed);
  }
  if (bridge !== '') throw new CommandFailed('--bridge is one of xvifd, --switch is another switch', FAILED);
  return outside({ ...options, switch: target });
}

/** Whatever goes wrong is a failure, not a difference. */
const orFailed = (error: unknown): never => {
  throw error instanceof CommandFailed ? error : new CommandFailed(messageOf(error), FAILED);
};

/** The files, with the switch's ports. No agent of xvifd's is there. */
export async function programFor(
  context: Printer,
  remote: RemoteSwitch,
  files: readonly string[],
  options: FileOptions,
  warn: (diagnostics: Diagnostics) => void = () => {},
): Promise<Program> {
  const there = await remote.ports();
  const resolver = (known: readonly KnownPort[]) => new PortList([...known, ...there]);
  const { program, diagnostics } = compileSources(files, options, resolver);
  if (diagnostics.errors > 0) {
    printReport(context, diagnostics, context.json ? 'json' : options.format);
    throw new CommandFailed(counted(diagnostics.errors, 'error'), FAILED);
  }
  warn(diagnostics);
  return program;
}

const show = (context: CommandContext, { changes, unchanged, stale }: Plan): void =>
  printPlan(context, { changes: changes.map(changeView), unchanged, stale });

function refuseConflicts(found: Plan): void {
  const conflict = conflictText(found);
  if (conflict !== undefined) throw new CommandFailed(conflict, FAILED);
}

async function planned(context: CommandContext, remote: RemoteSwitch, files: readonly string[], options: PlanOptions) {
  const program = await programFor(context, remote, files, options, (found) => {
    if (!context.json) printReport(context, leftOut(found), 'text');
  });
  const plan = makePlan(program, await remote.state(), { prune: options.prune });
  refuseConflicts(plan);
  return plan;
}

export const plan = (context: CommandContext, files: readonly string[], options: PlanOptions): Promise<void> =>
  either(
    options,
    (target) => withSwitch(target, async (remote) => show(context, await planned(context, remote, files, options))),
    () => planKept(context, files, options),
  );

/** Exit code 1: there are differences. */
export const diff = (context: CommandContext, files: readonly string[], options: PlanOptions): Promise<void> =>
  either(
    options,
    (target) =>
      withSwitch(target, async (remote) => {
        const found = await planned(context, remote, files, options);
        show(context, found);
        if (found.changes.length > 0)
          throw new CommandFailed(`the switch differs in ${counted(found.changes.length, 'place')}`);
      }),
    () => diffKept(context, files, options),
  );

/** What is said of a switch that did not do all at once. */
const separately: Readonly<Record<Atomicity, string | undefined>> = {
  all: undefined,
  'without meters': 'the switch takes no meters in bundles: they were changed one by one',
  none: 'the switch has no bundles: changes were made one by one',
};

async function carryOut(context: CommandContext, remote: RemoteSwitch, found: Plan): Promise<void> {
  try {
    const oneByOne = separately[await applyPlan(remote, found)];
    if (oneByOne !== undefined && !context.json) context.print(oneByOne);
  } catch (error) {
    if (error instanceof ApplyError) throw new CommandFailed(error.message, FAILED);
    throw error;
  }
}

export const apply = (context: CommandContext, files: readonly string[], options: ApplyOptions): Promise<void> =>
  either(
    options,
    (target) => applyOutside(context, files, options, target),
    () => keep(context, files, options),
  );

const applyOutside = (context: CommandContext, files: readonly string[], options: ApplyOptions, target: Target) =>
  withSwitch(target, async (remote) => {
    const found = await planned(context, remote, files, options);
    await carryOut(context, remote, found);
    show(context, found);
    if (options.confirm === undefined || found.changes.length === 0) return;
    if (!context.json) context.print(`in force; press Enter within ${options.confirm / 1000} s to keep it`);
    if (await confirmed(options.confirm, context.untilInterrupted())) return;
    await undoPlan(remote, found);
    throw new CommandFailed('not confirmed: everything is as it was before', FAILED);
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
  either(
    options,
    (target) =>
      withSwitch(target, async (remote) => {
        const program = await programFor(context, remote, files, options);
        const found = makePlan(program, await remote.state(), { prune: false, remove: true });
        await carryOut(context, remote, found);
        show(context, found);
      }),
    () => forget(context, files, options),
  );

export const exportFlows = (context: CommandContext, options: ExportOptions): Promise<void> => {
  const { name } = options;
  return either(
    { ...options, port: [], format: 'text' },
    (target) =>
      withSwitch(target, async (remote) => context.print(exportFlowSet(await remote.state(), { name }).trimEnd())),
    async () =>
      context.print(
        (await context.api.call('exportFlows', { bridge: options.bridge, name }, TIMEOUT_MS)).text.trimEnd(),
      ),
  );
};
