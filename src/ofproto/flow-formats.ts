/**
 * Flow_mods in the forms of OpenFlow 1.0 and of Nicira's extensions to it as those of all versions: a table in the upper
 * byte of the command (NXT_FLOW_MOD_TABLE_ID), and NXT_FLOW_MOD with its nx_match (nicira-ext.h of Open vSwitch).
 */
import {
  type Action,
  type FlowMod,
  type Match,
  type NxFlowMod,
  nicira,
  type OxmKnown,
  of10,
  of13,
} from 'node-openflow';
import { allTables, FlowCommand } from '../datapath/schema.gen.js';
import { flowModFailed, niciraError, type OfError } from './of-error.js';
import { numberOf } from './translate-match.js';
import { widePort } from './translate-nicira.js';
import { OF10 } from './versions.js';

/** What a connection of OpenFlow 1.0 asked for. */
export interface FlowFormat {
  /** NXT_SET_FLOW_FORMAT: flows are told of in Nicira's messages. */
  readonly nxm: boolean;
  /** NXT_FLOW_MOD_TABLE_ID */
  readonly tableIds: boolean;
}
export const plainFormat: FlowFormat = { nxm: false, tableIds: false };

/** A flow_mod, and what 1.0's has beyond those of later versions. */
export interface FlowChange extends FlowMod {
  /** The cookie that a modify gives to the flows it finds; absent: they keep theirs. */
  readonly newCookie?: bigint;
}

/** "Leave the cookie as it is", in a modify. */
const KEEP_COOKIE = 0xffffffffffffffffn;
const COMMAND_BITS = 0xff;
const TABLE_SHIFT = 8;
/** OFPFF_EMERG of 1.0 as it is on the wire. */
const EMERGENCY = 1 << 2;

const isModify = (command: number): boolean => command === FlowCommand.modify || command === FlowCommand.modifyStrict;

export function asFlowChange(message: FlowMod | NxFlowMod, format: FlowFormat): FlowChange | OfError {
  if (message.type === 'nx_flow_mod') return fromNicira(message, format);
  if (message.version !== OF10) return message;
  return withTable(message, message.command, message.cookie, format);
}

/** `command` as it came, with the table; `cookie`: the new one. */
function withTable(mod: FlowMod, command: number, cookie: bigint, format: FlowFormat): FlowChange {
  const asked = format.tableIds ? command & COMMAND_BITS : command;
  const named = format.tableIds ? command >>> TABLE_SHIFT : allTables;
  // Without a table: where an add goes is the switch's choice, and all others mean every table.
  const tableId = named === allTables && asked === FlowCommand.add ? 0 : named;
  const newCookie = isModify(asked) && cookie !== KEEP_COOKIE ? { newCookie: cookie } : {};
  return { ...mod, command: asked, tableId, ...newCookie };
}

function fromNicira(message: NxFlowMod, format: FlowFormat): FlowChange | OfError {
  const { version, xid, command, idleTimeout, hardTimeout, priority, bufferId, flags } = message;
  // Since 1.1 flow_mods name tables anyway.
  const form = version === OF10 ? format : { ...format, tableIds: true };
  const { match, cookie, cookieMask } = nicira.splitCookie(message.match);
  const adds = (form.tableIds ? command & COMMAND_BITS : command) === FlowCommand.add;
  if (adds && cookieMask !== 0n) return niciraError('NXBRC_NXM_INVALID');
  const newCookie = message.cookie;
  if (!adds && cookieMask !== 0n && isModify(command & COMMAND_BITS) && newCookie !== KEEP_COOKIE) {
    return flowModFailed(of13.OFPFMFC.UNKNOWN);
  }
  // Later versions have another flag there.
  const emergency = version === OF10 ? flags & EMERGENCY : 0;
  const mod: FlowMod = {
    version,
    xid,
    type: 'flow_mod',
    cookie: adds ? newCookie : cookie,
    cookieMask,
    tableId: 0,
    command,
    idleTimeout,
    hardTimeout,
    priority,
    bufferId,
    outPort: widePort(message.outPort),
    outGroup: of13.OFPG.ANY,
    flags: (flags & ~emergency) | (emergency === 0 ? 0 : of10.OFPFF.EMERG),
    match,
    instructions: version === OF10 ? asInstructions(match, message.actions) : (message.instructions ?? []),
  };
  return withTable(mod, command, newCookie, form);
}

const transports: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** Actions of 1.0; set_tp_src and set_tp_dst are about the protocol that the match names. */
function asInstructions(match: Match, actions: readonly Action[]): FlowMod['instructions'] {
  if (actions.length === 0) return [];
  const proto = match.find(({ field }) => field === 'ip_proto' || field === 'nxm_of_ip_proto');
  const transport = proto === undefined ? undefined : transports[numberOf((proto as OxmKnown).value)];
  const resolve = (action: Action): Action => {
    if (transport === undefined || (action.type !== 'set_tp_src' && action.type !== 'set_tp_dst')) return action;
    const field = `${transport}_${action.type === 'set_tp_src' ? 'src' : 'dst'}` as OxmKnown['field'];
    return { type: 'set_field', oxm: { field, value: Uint8Array.of(action.port >>> 8, action.port & 0xff) } };
  };
  return [{ type: 'apply_actions', actions: actions.map(resolve) }];
}
