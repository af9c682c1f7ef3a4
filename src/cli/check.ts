/** `xvif check FILES`: mistakes, what is probably not meant, and the tests in the files. Exit code 0: fine; 1: mistakes. */
import { lint, PlaceholderPorts } from '../compiler/index.js';
import { runTests } from '../simulator/run-tests.js';
import { type CommandContext, CommandFailed } from './context.js';
import { compileSources, counted, type FileOptions, printReport } from './read-files.js';

export interface CheckOptions extends FileOptions {
  /** commander's way with --no-tests. */
  readonly tests: boolean;
  readonly strict: boolean;
}

export async function check(context: CommandContext, files: readonly string[], options: CheckOptions): Promise<void> {
  const ports: PlaceholderPorts[] = [];
  const { program, diagnostics } = compileSources(
    files,
    options,
    (known) => {
      ports.push(new PlaceholderPorts(known));
      return ports[0]!;
    },
    { localAgents: true },
  );
  // What is half right would be said to be wrong in a second way.
  if (diagnostics.errors === 0) lint(program, diagnostics);
  const tests = diagnostics.errors === 0 && options.tests ? runTests(program, diagnostics) : { run: 0, failed: 0 };
  printReport(context, diagnostics, context.json ? 'json' : options.format);
  const { errors, warnings } = diagnostics;
  if (errors > 0) throw new CommandFailed(`${counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
  if (options.format === 'text' && !context.json) {
    const { flows, groups, meters } = program;
    const made = ports[0]!.made;
    if (made.length > 0) context.print(`numbers were made up for ${counted(made.length, 'port')}: ${made.join(', ')}`);
    const what = [counted(flows.length, 'flow'), counted(groups.length, 'group'), counted(meters.length, 'meter')];
    context.print(`${what.join(', ')}; ${counted(tests.run, 'test')} passed; ${counted(warnings, 'warning')}`);
  }
  if (options.strict && warnings > 0) throw new CommandFailed(counted(warnings, 'warning'));
}
