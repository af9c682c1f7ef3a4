export type { AsyncEvent, LocalPacketIn } from './async-events.js';
export type { Change, Refused } from './commit.js';
export type { ControllerView } from './controller-view.js';
export { FLOWS_PER_TABLE_MAX } from './limits.js';
export { Ofproto, type OfprotoOptions } from './ofproto.js';
export type { PortInfo } from './port-table.js';
export { STANDALONE_COOKIE } from './standalone.js';
export type { Description } from './statistics.js';
export type { TableChange, TableLimit, TableState } from './table-settings.js';
