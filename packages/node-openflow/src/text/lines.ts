/** Files of flows and groups: one a line, `#` begins a comment, empty lines are left out. */
import { parsing, type TextResult } from './error.js';
import { type Span, span } from './tokens.js';

/** The first line that is wrong ends it: either all lines are taken or none. */
export function parseLines<Value>(
  text: string,
  parse: (line: Span, warn: (text: string) => void) => Value,
): TextResult<readonly Value[]> {
  const values: Value[] = [];
  const warnings: string[] = [];
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = whole.replace(/#.*$/, '').trimEnd();
    if (line.trim() === '') continue;
    const result = parsing((warn) => parse(span(line), warn));
    if (!result.ok) return { ok: false, error: { ...result.error, line: index + 1 } };
    values.push(result.value);
    warnings.push(...result.warnings.map((warning) => `line ${index + 1}: ${warning}`));
  }
  return { ok: true, value: values, warnings };
}
