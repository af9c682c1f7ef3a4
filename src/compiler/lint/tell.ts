/** Warnings of lints: said, unless the document says that it is meant so. */
import { say, seen } from '../at.js';
import type { DiagnosticCode, Diagnostics } from '../diagnostic.js';
import type { Origin, Program } from '../program.js';

export function tell(
  program: Program,
  diagnostics: Diagnostics,
  origin: Origin,
  code: DiagnosticCode,
  message: string,
  others: readonly Origin[] = [],
): void {
  if (program.allowed.get(origin.document)?.has(code)) return;
  const related = others.map(({ at, name }) => seen(at, name));
  say(diagnostics, origin.at, code, message, { severity: 'warning', related });
}
