/** `xvif port show|set`: settings of one port. */
import { InvalidArgumentError } from 'commander';
import type { PortSetting } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { type Column, formatTable } from './table.js';
import { formatJson } from './units.js';

const columns: readonly Column<PortSetting>[] = [
  { title: 'SETTING', cell: ({ name }) => name },
  { title: 'VALUE', cell: ({ value }) => value },
];

/** For commander: NAME=VALUE, one after the other. */
export function setting(text: string, before: readonly PortSetting[] = []): readonly PortSetting[] {
  const match = /^([a-z-]+)=(.+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected NAME=VALUE, like rate=10Mb/s.');
  return [...before, { name: match[1]!, value: match[2]! }];
}

/** Without settings shows those in force. */
export async function portSet(
  { api, json, print }: CommandContext,
  port: string,
  settings: readonly PortSetting[],
): Promise<void> {
  const reply = await api.call('setPort', { port, settings });
  print(json ? formatJson(reply.settings) : formatTable(columns, reply.settings, 'no settings'));
}
