/** `--table [BRIDGE/]TABLE=FLOWS[,evict]`: how many flows a table takes, and what becomes of more. */
import { InvalidArgumentError } from 'commander';
import { tables } from '../datapath/schema.gen.js';
import { FLOWS_PER_TABLE_MAX, type TableLimit } from '../ofproto/index.js';

export interface TableOption extends TableLimit {
  /** Undefined: every bridge. */
  readonly bridge: string | undefined;
}

export function tableOption(text: string): TableOption {
  const match = /^(?:([A-Za-z0-9_-]+)\/)?(\d{1,3}|all)=(\d{1,7})(,evict)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected [BRIDGE/]TABLE=FLOWS[,evict], TABLE a number or all.');
  const [, bridge, table, flows, evict] = match;
  const tableId = table === 'all' ? undefined : Number(table);
  if (tableId !== undefined && tableId >= tables) throw new InvalidArgumentError(`tables are 0 to ${tables - 1}.`);
  const maxEntries = Number(flows);
  if (maxEntries > FLOWS_PER_TABLE_MAX) {
    throw new InvalidArgumentError(`a table takes up to ${FLOWS_PER_TABLE_MAX} flows.`);
  }
  return { bridge, tableId, maxEntries, evicts: evict !== undefined };
}
