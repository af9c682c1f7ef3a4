/** `xvif table show|set`: settings of one flow table. */
import type { TableSetting } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { type Column, formatTable } from './table.js';
import { formatJson } from './units.js';

const columns: readonly Column<TableSetting>[] = [
  { title: 'SETTING', cell: ({ name }) => name },
  { title: 'VALUE', cell: ({ value }) => value },
];

export interface TableSetOptions {
  readonly limit?: number;
  readonly overflowPolicy?: string;
  readonly groups?: string;
  readonly name?: string;
}

/** Without options shows what is in force. */
export async function tableSet(
  { api, json, print }: CommandContext,
  bridge: string,
  table: number,
  { limit, overflowPolicy, groups, name }: TableSetOptions,
): Promise<void> {
  const asked = { limit, 'overflow-policy': overflowPolicy, groups, name };
  const settings = Object.entries(asked).flatMap(([key, value]) =>
    value === undefined ? [] : [{ name: key, value: `${value}` }],
  );
  const reply = await api.call('setTable', { bridge, table, settings });
  print(json ? formatJson(reply.settings) : formatTable(columns, reply.settings, 'no settings'));
}
