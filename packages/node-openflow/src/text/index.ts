/** The syntax of ovs-ofctl 3.1 both ways: flows, matches and actions; groups and meters. */
export type { TextError, TextResult } from './error.js';
export * from './format.js';
export type { Names, NamesOf } from './numbers.js';
export { parseActions, parseInstructions } from './parse-actions.js';
export { type FlowCommand, type FlowOptions, type FlowText, parseFlow, parseFlows } from './parse-flow.js';
export { parseMatch } from './parse-match.js';
