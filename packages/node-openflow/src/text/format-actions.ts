/**
 * Actions and instructions as ovs-ofctl prints them.
 *
 * What ovs-ofctl has no words for (copy_ttl_*, PBB) gets the specification's name.
 */
import { OFPP } from '../of13/constants.js';
import type { Action, Instruction } from '../types/action.js';
import type { OxmKnown, OxmTlv } from '../types/oxm.js';
import { bytesToBigint, formatHex } from './addresses.js';
import { fieldText, hexText } from './field-values.js';
import { otherText, otherValueText } from './format-match.js';
import { niciraText } from './format-nicira.js';
import { fromPort11, type NamesOf, port11Text, tableText } from './numbers.js';
import { fieldsByWire } from './ovs-fields.js';

const ethertype = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;

/** 'set_field:5->reg0' */
export function setFieldText(oxm: OxmTlv, names: NamesOf): string {
  if (oxm.field === 'raw' || oxm.field === 'experimenter') return `set_field:${otherText(oxm)}`;
  const { field, value, mask } = oxm as OxmKnown;
  const known = fieldsByWire.get(field);
  if (known === undefined) return `set_field:${otherValueText(oxm)}->${field}`;
  const text = fieldText(known, bytesToBigint(value), mask && bytesToBigint(mask), names);
  return `set_field:${text}->${known.name}`;
}

function outputText(port: number, maxLen: number, names: NamesOf): string {
  const short = fromPort11(port);
  const text = port11Text(port, names);
  if (port === OFPP.CONTROLLER) return `${text}:${maxLen}`;
  return short !== undefined && short >= 0xff00 ? text : `output:${text}`;
}

export function formatAction(action: Action, names: NamesOf = {}): string {
  switch (action.type) {
    case 'output':
      return outputText(action.port, action.maxLen, names);
    case 'group':
      return `group:${action.groupId}`;
    case 'set_queue':
      return `set_queue:${action.queueId}`;
    case 'set_mpls_ttl':
      return `set_mpls_ttl(${action.ttl})`;
    case 'set_nw_ttl':
      return `mod_nw_ttl:${action.ttl}`;
    case 'dec_nw_ttl':
      return 'dec_ttl';
    case 'push_vlan':
    case 'push_mpls':
    case 'push_pbb':
    case 'pop_mpls':
      return `${action.type}:${ethertype(action.ethertype)}`;
    case 'set_field':
      return setFieldText(action.oxm, names);
    case 'experimenter':
      return `experimenter:${hexText(action.experimenter)}:${formatHex(action.data)}`;
    case 'unknown':
      return `unknown:${action.code}:${formatHex(action.data)}`;
    case 'copy_ttl_out':
    case 'copy_ttl_in':
    case 'dec_mpls_ttl':
    case 'pop_vlan':
    case 'pop_pbb':
      return action.type;
    default:
      return niciraText(action, names, formatActions, setFieldText);
  }
}

/** 'output:2,CONTROLLER:128'; 'drop' when there is none. */
export function formatActions(actions: readonly Action[], names: NamesOf = {}): string {
  return actions.length === 0 ? 'drop' : actions.map((action) => formatAction(action, names)).join(',');
}

/** The order instructions are carried out in, whatever their order in the message (OpenFlow 1.3.5 §5.9). */
const instructionOrder: readonly Instruction['type'][] = [
  'meter',
  'apply_actions',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'experimenter',
  'unknown',
  'goto_table',
];

function formatInstruction(instruction: Instruction, names: NamesOf): string | undefined {
  switch (instruction.type) {
    case 'meter':
      return `meter:${instruction.meterId}`;
    case 'apply_actions':
      return instruction.actions.length === 0 ? undefined : formatActions(instruction.actions, names);
    case 'clear_actions':
      return 'clear_actions';
    case 'write_actions':
      return `write_actions(${formatActions(instruction.actions, names)})`;
    case 'write_metadata': {
      const whole = instruction.metadataMask === 0xffff_ffff_ffff_ffffn;
      return `write_metadata:${hexText(instruction.metadata)}${whole ? '' : `/${hexText(instruction.metadataMask)}`}`;
    }
    case 'goto_table':
      return `goto_table:${tableText(instruction.tableId, names)}`;
    case 'experimenter':
      return `experimenter:${hexText(instruction.experimenter)}:${formatHex(instruction.data)}`;
    case 'unknown':
      return `unknown:${instruction.code}:${formatHex(instruction.data)}`;
  }
}

/** What ovs-ofctl prints after 'actions=': 'output:2,goto_table:3', or 'drop'. */
export function formatInstructions(instructions: readonly Instruction[], names: NamesOf = {}): string {
  const said = instructionOrder.flatMap((type) =>
    instructions
      .filter((instruction) => instruction.type === type)
      .map((instruction) => formatInstruction(instruction, names))
      .filter((part) => part !== undefined),
  );
  return said.length === 0 ? 'drop' : said.join(',');
}
