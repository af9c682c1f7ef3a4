/** Commands on flow files: check and compile need no switch, the others do. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type ImportFormat,
  importFormats,
  type KnownPort,
  ofctlForms,
  portOption,
  reportFormats,
} from '../compiler/index.js';
import {
  type ApplyOptions,
  apply,
  diff,
  type ExportOptions,
  exportFlows,
  type PlanOptions,
  plan,
  remove,
  type SwitchOptions,
} from './apply.js';
import { duration } from './arguments.js';
import { type ChainShowOptions, type ChainTraceOptions, chainShow, chainTrace } from './chain.js';
import { type CheckOptions, check } from './check.js';
import { type CompileOptions, compileFiles } from './compile.js';
import type { CommandContext } from './context.js';
import { confirm, documents } from './documents.js';
import { importFile } from './import.js';
import { type TraceOptions, trace } from './trace.js';

function port(text: string, before: readonly KnownPort[] = []): KnownPort[] {
  const found = portOption(text);
  if (found === undefined) throw new InvalidArgumentError('expected a name and a number, like web01/0=3.');
  return [...before, found];
}

/** Options of every command that compiles. */
function withPorts(command: Command): Command {
  return withPortOptions(command.argument('<files...>', 'flow files in YAML or JSON; - is the standard input'));
}

function withPortOptions(command: Command): Command {
  return command
    .option(
      '--port <name=number>',
      'number of a port, by VM/device, uuid, MAC address or name; may be repeated',
      port,
      [],
    )
    .option('--ports <file>', 'file with a list of ports')
    .addOption(new Option('--format <form>', 'of what is found').choices([...reportFormats]).default('text'));
}

export function addFlowFileCommands(
  program: Command,
  run: (command: (context: CommandContext) => Promise<void>) => Promise<void>,
): void {
  withPorts(program.command('check'))
    .description('look for mistakes in flow files and run the tests in them; needs no switch')
    .option('--no-tests', 'do not run the tests')
    .option('--strict', 'warnings are mistakes', false)
    .action((files: string[], options: CheckOptions) => run((context) => check(context, files, options)));
  withPorts(program.command('compile'))
    .description('print what flow files become, in the words of ovs-ofctl; needs no switch')
    .addOption(new Option('--as <form>', 'for which command of ovs-ofctl').choices([...ofctlForms]).default('bundle'))
    .action((files: string[], options: CompileOptions) => run((context) => compileFiles(context, files, options)));
  addTraceCommand(program, run);
  addSwitchCommands(program, run);
  addChainCommands(program, run);
}

function addTraceCommand(
  program: Command,
  run: (command: (context: CommandContext) => Promise<void>) => Promise<void>,
): void {
  withTarget(withPortOptions(program.command('trace')), 'the rules of the files; without files, xvifd')
    .description("say what would become of a packet, table by table: in xvifd's tables now, or with the rules of files")
    .option('--bridge <name>', 'of xvifd (default: its only one)', '')
    .option('--model', "the reference datapath with the tables of xvifd, instead of xvifd's own answer", false)
    .argument('<files...>', 'flow files, if any, and the packet: "tcp,in_port=1,tp_dst=80"')
    .action((words: string[], options: TraceOptions) =>
      run((context) => trace(context, words.slice(0, -1), words.at(-1)!, options)),
    );
}

function timeToConfirm(text: string): number {
  const ms = duration(text);
  if (ms === 0) throw new InvalidArgumentError('expected a time above 0.');
  return ms;
}

const SWITCH = '--switch <target>';
const SWITCH_HELP = 'an OpenFlow switch: tcp:HOST[:PORT], ssl:HOST[:PORT] or unix:PATH';
const PRUNE_HELP = "take away what is the files' owners' and in no file any more";

/** As ovs-ofctl has them. `without`: what is used without --switch; undefined: it is needed. */
function withTarget(command: Command, without?: string): Command {
  const target =
    without === undefined
      ? command.requiredOption(SWITCH, SWITCH_HELP)
      : command.option(SWITCH, `${SWITCH_HELP} (default: ${without})`);
  return target
    .option('-p, --private-key <file>', 'for ssl: our private key, PEM')
    .option('-c, --certificate <file>', 'for ssl: our certificate, PEM')
    .option('-C, --ca-cert <file>', "for ssl: certificate of the authority that the switch's is from, PEM");
}

function addSwitchCommands(
  program: Command,
  run: (command: (context: CommandContext) => Promise<void>) => Promise<void>,
): void {
  const command = (name: string, description: string) =>
    withTarget(withPorts(program.command(name)).description(description), 'xvifd, which keeps the files').option(
      '--bridge <name>',
      'of xvifd (default: its only one)',
      '',
    );
  command('plan', 'say what apply would change')
    .option('--prune', PRUNE_HELP, false)
    .action((files: string[], options: PlanOptions) => run((context) => plan(context, files, options)));
  command('diff', 'the same; exit code 1 says that there are differences')
    .option('--prune', PRUNE_HELP, false)
    .action((files: string[], options: PlanOptions) => run((context) => diff(context, files, options)));
  command('apply', 'make a switch have the flows of the files, all at once; unchanged flows keep their counters')
    .option('--prune', PRUNE_HELP, false)
    .option(
      '--confirm <time>',
      'undo it unless it is confirmed in time (xvif confirm; with --switch, Enter)',
      timeToConfirm,
    )
    .action((files: string[], options: ApplyOptions) => run((context) => apply(context, files, options)));
  command('delete', 'take the flows, groups and meters of the files off a switch').action(
    (files: string[], options: SwitchOptions) => run((context) => remove(context, files, options)),
  );
  program
    .command('confirm')
    .description('keep what was applied with --confirm')
    .argument('<token>', 'what apply printed')
    .argument('[bridge]', 'of xvifd (default: its only one)', '')
    .action((token: string, bridge: string) => run((context) => confirm(context, token, bridge)));
  program
    .command('documents')
    .description('documents that xvifd keeps, and what their rules wait for')
    .argument('[bridge]', 'only of this bridge', '')
    .action((bridge: string) => run((context) => documents(context, bridge)));
  withTarget(program.command('export'), 'xvifd')
    .description('print the flows, groups and meters of a switch as a flow file')
    .option('--bridge <name>', 'of xvifd (default: its only one)', '')
    .option('--name <name>', 'of the document', 'exported')
    .action((options: ExportOptions) => run((context) => exportFlows(context, options)));
}

function addChainCommands(
  program: Command,
  run: (command: (context: CommandContext) => Promise<void>) => Promise<void>,
): void {
  program
    .command('import')
    .description(
      'print a service chain of another format as a flow file; what could not be carried over is in comments',
    )
    .addOption(new Option('--from <format>', 'of the file').choices([...importFormats]).makeOptionMandatory())
    .argument('<file>', 'YAML or JSON; - is the standard input')
    .action((file: string, options: { from: ImportFormat }) =>
      run((context) => importFile(context, file, options.from)),
    );
  const chain = program.command('chain').description('service chains of flow files');
  const chosen = chain
    .command('show')
    .argument('[files...]', 'flow files whose chains are meant (default: all of xvifd)');
  withTarget(withPortOptions(chosen), 'xvifd')
    .description('packets of each hop of the chains, in, out and lost; of xvifd also whether instances work')
    .option('--bridge <name>', 'of xvifd (default: all)', '')
    .action((files: string[], options: ChainShowOptions) => run((context) => chainShow(context, files, options)));
  withPortOptions(chain.command('trace'))
    .description('which hops a packet would visit: in xvifd now, or with the rules of files')
    .option('--bridge <name>', 'of xvifd (default: its only one)', '')
    .argument('<files...>', 'flow files, if any, and the packet: "tcp,in_port=web01/0,tp_dst=80"')
    .action((words: string[], options: ChainTraceOptions) =>
      run((context) => chainTrace(context, words.slice(0, -1), words.at(-1)!, options)),
    );
}
