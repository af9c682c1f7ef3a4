/** Workflow commands of GitHub Actions, which become annotations of the lines. */
import type { Diagnostic } from '../diagnostic.js';

const levels = { error: 'error', warning: 'warning', note: 'notice' } as const;

const escaped = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

export function githubReport(found: readonly Diagnostic[]): string {
  return found
    .map(({ severity, code, message, file, range }) => {
      const [start, end] = [file.place(range.start), file.place(range.end)];
      const where = `file=${property(file.name)},line=${start.line},col=${start.column},endLine=${end.line},endColumn=${end.column}`;
      return `::${levels[severity]} ${where},title=${property(code)}::${escaped(message)}`;
    })
    .join('\n');
}
