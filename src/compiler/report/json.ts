/** For programs: one JSON document. */
import type { Diagnostic } from '../diagnostic.js';
import type { Range, SourceFile } from '../source.js';

const place = (file: SourceFile, range: Range) => {
  const [start, end] = [file.place(range.start), file.place(range.end)];
  return { file: file.name, line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
};

export function jsonReport(found: readonly Diagnostic[], omitted: number): string {
  const diagnostics = found.map(({ severity, code, message, file, range, suggestion, related }) => ({
    severity,
    code,
    message,
    ...place(file, range),
    excerpt: file.line(file.place(range.start).line),
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(related === undefined
      ? {}
      : { related: related.map((other) => ({ message: other.message, ...place(other.file, other.range) })) }),
  }));
  return JSON.stringify({ diagnostics, omitted }, null, 2);
}
