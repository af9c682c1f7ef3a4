/** The syntax of ovs-ofctl 3.1 both ways: flows, matches and actions; groups and meters. */
export { nearest, type TextError, type TextResult } from './error.js';
export * from './format.js';
export { formatGroup } from './format-group.js';
export { canonicalMatch } from './match-wire.js';
export { type Names, type NamesOf, parseInteger } from './numbers.js';
export { type FieldFormat, fieldsByName, type OvsField, type Prerequisite } from './ovs-fields.js';
export { parseActions, parseInstructions } from './parse-actions.js';
export {
  ActionMemory,
  type FlowCommand,
  type FlowOptions,
  type FlowText,
  type PacketKind,
  parseActionsFor,
  parseFlow,
  parseFlows,
} from './parse-flow.js';
export { type GroupCommand, type GroupOptions, type GroupText, parseGroup, parseGroups } from './parse-group.js';
export { parseMatch, protocolWords } from './parse-match.js';
export { formatMeter, type MeterCommand, type MeterText, parseMeter } from './parse-meter.js';
export { parseSubfields, subfieldText } from './subfields.js';
