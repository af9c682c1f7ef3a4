/** Flows in the text form of ovs-ofctl, which is what people who run switches read. */
import { OFPFC, OFPFF, OFPG, OFPP } from '../of13/constants.js';
import type { Instruction } from '../types/action.js';
import type { Match } from '../types/oxm.js';
import { formatInstructions } from './format-actions.js';
import { formatMatch } from './format-match.js';
import { type NamesOf, port11Text, tableText } from './numbers.js';

export { formatAction, formatActions, formatInstructions } from './format-actions.js';
export { formatMatch } from './format-match.js';

/** 'LOCAL' for a reserved port, else its name or number. */
export function formatPort(port: number, names: NamesOf = {}): string {
  return port11Text(port, names);
}

const flagNames: readonly (readonly [number, string])[] = [
  [OFPFF.SEND_FLOW_REM, 'send_flow_rem'],
  [OFPFF.CHECK_OVERLAP, 'check_overlap'],
  [OFPFF.RESET_COUNTS, 'reset_counts'],
  [OFPFF.NO_PKT_COUNTS, 'no_packet_counts'],
  [OFPFF.NO_BYT_COUNTS, 'no_byte_counts'],
];

/** A flow, or a flow_mod. */
export interface FlowToFormat {
  readonly priority: number;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
  readonly command?: number;
  readonly tableId?: number;
  readonly cookie?: bigint;
  readonly cookieMask?: bigint;
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
  readonly importance?: number;
  readonly flags?: number;
  readonly outPort?: number;
  readonly outGroup?: number;
}

const isDeletion = (command: number | undefined): boolean =>
  command === OFPFC.DELETE || command === OFPFC.DELETE_STRICT;
const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** What is not said goes without saying: no cookie, table 0, no timeouts. */
function settings(flow: FlowToFormat, names: NamesOf): string[] {
  const { cookie = 0n, cookieMask = 0n, tableId = 0, outPort = OFPP.ANY, outGroup = OFPG.ANY } = flow;
  const anyTable = isDeletion(flow.command) ? 0xff : 0;
  const flags = flow.flags ?? 0;
  return [
    ...(cookieMask !== 0n
      ? [`cookie=${hex(cookie)}/${hex(cookieMask)}`]
      : cookie === 0n
        ? []
        : [`cookie=${hex(cookie)}`]),
    ...(tableId === anyTable ? [] : [`table=${tableText(tableId, names)}`]),
    ...(flow.idleTimeout ? [`idle_timeout=${flow.idleTimeout}`] : []),
    ...(flow.hardTimeout ? [`hard_timeout=${flow.hardTimeout}`] : []),
    ...flagNames.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name),
    ...(flow.importance ? [`importance=${flow.importance}`] : []),
    ...(outPort === OFPP.ANY ? [] : [`out_port=${port11Text(outPort, names)}`]),
    ...(outGroup === OFPG.ANY ? [] : [`out_group=${outGroup}`]),
  ];
}

const noNames: NamesOf = {};
/** Flows that do the same may share their instructions. */
const actionTexts = new WeakMap<readonly Instruction[], string>();

function actionsText(instructions: readonly Instruction[], names: NamesOf): string {
  if (names !== noNames) return formatInstructions(instructions, names);
  const text = actionTexts.get(instructions) ?? formatInstructions(instructions);
  actionTexts.set(instructions, text);
  return text;
}

/**
 * 'cookie=0x5,table=1,priority=10,ip,nw_dst=10.0.0.1 actions=output:2', which parseFlow reads again with the flow_mod's
 * command. The priority is always said, save where all are meant; a deletion has no actions.
 */
export function formatFlow(flow: FlowToFormat, names = noNames): string {
  const priority = flow.command === OFPFC.DELETE ? [] : [`priority=${flow.priority}`];
  const match = formatMatch(flow.match, names);
  const text = [...settings(flow, names), ...priority, ...(match === '' ? [] : [match])].join(',');
  return isDeletion(flow.command) ? text : `${text} actions=${actionsText(flow.instructions, names)}`;
}
