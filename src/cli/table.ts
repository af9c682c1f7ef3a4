/** Tables for people: columns as wide as their widest cell, two blanks between. */

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly cell: (row: Row) => string;
}

/** One line per row below the titles; no trailing blanks. Says `empty` when there are no rows. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: string): string {
  if (rows.length === 0) return empty;
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)));
  const pad = (text: string, index: number) =>
    columns[index]!.align === 'right' ? text.padStart(widths[index]!) : text.padEnd(widths[index]!);
  return cells.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** Two columns without titles, for single values. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[], indent = ''): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}
