/** The syntax of ovs-ofctl 3.1 both ways: flows, matches and actions; groups and meters. */
export type { TextError, TextResult } from './error.js';
export * from './format.js';
export { formatGroup } from './format-group.js';
export type { Names, NamesOf } from './numbers.js';
export { parseActions, parseInstructions } from './parse-actions.js';
export { type FlowCommand, type FlowOptions, type FlowText, parseFlow, parseFlows } from './parse-flow.js';
export { type GroupCommand, type GroupOptions, type GroupText, parseGroup, parseGroups } from './parse-group.js';
export { parseMatch } from './parse-match.js';
export { formatMeter, type MeterCommand, type MeterText, parseMeter } from './parse-meter.js';
