/** Commands on flow files that need no switch: check and compile. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type KnownPort, ofctlForms, portOption, reportFormats } from '../compiler/index.js';
import { type CheckOptions, check } from './check.js';
import { type CompileOptions, compileFiles } from './compile.js';
import type { CommandContext } from './context.js';

function port(text: string, before: readonly KnownPort[] = []): KnownPort[] {
  const found = portOption(text);
  if (found === undefined) throw new InvalidArgumentError('expected a name and a number, like web01/0=3.');
  return [...before, found];
}

/** Options of every command that compiles. */
function withPorts(command: Command): Command {
  return command
    .argument('<files...>', 'flow files in YAML or JSON; - is the standard input')
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
}
