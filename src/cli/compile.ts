/** `xvif compile FILES`: what flow files become, in the words of ovs-ofctl. */
import { readVersion } from '../api/version.js';
import { type OfctlForm, ofctlText, PortList, report } from '../compiler/index.js';
import { type CommandContext, CommandFailed } from './context.js';
import { compileSources, counted, type FileOptions, leftOut, printReport } from './read-files.js';
import { formatJson } from './units.js';

export interface CompileOptions extends FileOptions {
  readonly as: OfctlForm;
}

export async function compileFiles(
  context: CommandContext,
  files: readonly string[],
  options: CompileOptions,
): Promise<void> {
  const { program, diagnostics } = compileSources(files, options, (known) => new PortList(known));
  if (diagnostics.errors > 0) {
    printReport(context, diagnostics, context.json ? 'json' : options.format);
    throw new CommandFailed(counted(diagnostics.errors, 'error'));
  }
  const notes = context.json ? '' : report(leftOut(diagnostics), 'text', readVersion());
  if (notes !== '') context.print(notes.replace(/^/gm, '# '));
  const lines = ofctlText(program, options.as);
  context.print(context.json ? formatJson(lines) : lines.join('\n'));
}
