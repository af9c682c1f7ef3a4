import { describe, expect, it } from 'vitest';
import { formatFacts, formatTable } from '../../../src/cli/table.js';

describe('tables', () => {
  const columns = [
    { title: 'NAME', cell: (row: { name: string; count: number }) => row.name },
    { title: 'N', align: 'right' as const, cell: (row: { name: string; count: number }) => String(row.count) },
  ];

  it('columns are as wide as their widest cell', () => {
    const rows = [
      { name: 'a', count: 1 },
      { name: 'longer', count: 1000 },
    ];
    expect(formatTable(columns, rows, 'none')).toBe('NAME       N\na          1\nlonger  1000');
  });

  it('says that there is nothing', () => expect(formatTable(columns, [], 'no rows')).toBe('no rows'));

  it('facts stand below each other', () =>
    expect(
      formatFacts(
        [
          ['a', '1'],
          ['long', ''],
        ],
        '  ',
      ),
    ).toBe('  a     1\n  long'));
});
