/** `xvif import --from FORMAT FILE`: a chain of another format as a ServiceChain file. Exit code 1: mistakes. */
import { Diagnostics, type ImportFormat, importChains } from '../compiler/index.js';
import { type CommandContext, CommandFailed } from './context.js';
import { counted, printReport, readSource } from './read-files.js';

export async function importFile(context: CommandContext, path: string, from: ImportFormat): Promise<void> {
  const diagnostics = new Diagnostics();
  const text = importChains(from, readSource(path), diagnostics);
  if (text === undefined) {
    printReport(context, diagnostics, context.json ? 'json' : 'text');
    throw new CommandFailed(counted(diagnostics.errors, 'error'));
  }
  context.print(text.trimEnd());
}
