/** For people: the place, the sentence, the line and a caret under what is meant. */
import type { Diagnostic, Related } from '../diagnostic.js';
import { EXCERPT_WIDTH_MAX } from '../limits.js';
import type { Range, SourceFile } from '../source.js';

export function placeText(file: SourceFile, range: Range): string {
  const { line, column } = file.place(range.start);
  return `${file.name}:${line}:${column}`;
}

/** The line, and `^~~~` below it. Tabs stay tabs, so that the caret stands right whatever their width. */
function excerpt(file: SourceFile, range: Range): string[] {
  const { line, column } = file.place(range.start);
  const whole = file.line(line);
  const from = Math.max(0, column - 1 - Math.floor(EXCERPT_WIDTH_MAX / 2));
  const text = whole.slice(from, from + EXCERPT_WIDTH_MAX);
  const before = text.slice(0, column - 1 - from).replace(/[^\t]/g, ' ');
  const width = Math.max(1, Math.min(range.end - range.start, text.length - (column - 1 - from)));
  const gutter = ' '.repeat(String(line).length);
  return [` ${line} | ${printable(text)}`, ` ${gutter} | ${before}^${'~'.repeat(width - 1)}`];
}

/** A file may hold what would move a terminal's cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const printable = (text: string): string => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');

const related = ({ file, range, message }: Related): string => `   ${placeText(file, range)}: ${message}`;

function one(diagnostic: Diagnostic): string {
  const { severity, code, message, file, range } = diagnostic;
  const head = `${placeText(file, range)}: ${severity}: ${printable(message)} [${code}]`;
  return [head, ...excerpt(file, range), ...(diagnostic.related ?? []).map(related)].join('\n');
}

export function textReport(found: readonly Diagnostic[], omitted: number): string {
  const lines = found.map(one);
  return [...lines, ...(omitted > 0 ? [`and ${omitted} more`] : [])].join('\n');
}
