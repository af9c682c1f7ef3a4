/**
 * Flows: 'table=1,priority=10,tcp,tp_dst=80 actions=output:2' (ovs-ofctl(8), "Flow Syntax").
 *
 * What comes out is a flow_mod without version and xid, of OpenFlow 1.3 if no version is given.
 */
import { OFP_NO_BUFFER, OFPFC, OFPFF, OFPG, OFPP } from '../of13/constants.js';
import type { Instruction } from '../types/action.js';
import type { FlowMod } from '../types/message.js';
import { parsing, TextFailure, type TextResult, unknownWord } from './error.js';
import { Known } from './known.js';
import { parseLines } from './lines.js';
import { matchOf, PROTOCOL } from './match-wire.js';
import { type Names, port, table, toPort11, u16, u32, u64 } from './numbers.js';
import { fieldsByName } from './ovs-fields.js';
import { instructionsOf } from './parse-actions.js';
import { matchWords, takeMatch, warnIgnored } from './parse-match.js';
import { Slots, tagPresent } from './slots.js';
import { type KeyValue, keyValues, lookUp, type Span, slice, span } from './tokens.js';
import { OF13, OF14 } from './versions.js';

export interface FlowText extends Omit<FlowMod, 'version' | 'xid'> {
  /** For OpenFlow 1.4 and later; for earlier versions it is left out, with a warning. */
  readonly importance?: number;
}

export type FlowCommand = 'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict';

/** Actions that were read before, for many flows that do the same on the same kind of packets. Of one set of names. */
export class ActionMemory {
  readonly #read = new Map<string, readonly Instruction[]>();

  /** The same objects again where they were read before. */
  take(text: Span, slots: Slots, tableId: number, read: () => readonly Instruction[]): readonly Instruction[] {
    const kind = packetKind(slots);
    if (kind === undefined) return read();
    const key = `${tableId} ${kind} ${text.text}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const found = read();
    if (this.#read.size < MEMORY_MAX) this.#read.set(key, found);
    return found;
  }
}

const MEMORY_MAX = 65_536;

/** All that actions may ask of a match (known.ts); undefined: they may ask more. */
function packetKind(slots: Slots): string | undefined {
  if (slots.mask('nw_frag') !== 0n || slots.mask('ct_state') !== 0n) return undefined;
  const { ethertype, protocol } = slots;
  const neighbours = protocol === PROTOCOL.icmp6 ? `${slots.value('tp_src')}/${slots.mask('tp_src')}` : '';
  return `${ethertype} ${protocol} ${slots.value('vlan_tci') & tagPresent} ${neighbours}`;
}

export interface FlowOptions extends Names {
  readonly memory?: ActionMemory;
  /** What is done with the flow; 'file', the default of parseFlows: what its first word says, or it is added. */
  readonly command?: FlowCommand | 'file';
}

const commands: Readonly<Record<FlowCommand, number>> = {
  add: OFPFC.ADD,
  modify: OFPFC.MODIFY,
  modify_strict: OFPFC.MODIFY_STRICT,
  delete: OFPFC.DELETE,
  delete_strict: OFPFC.DELETE_STRICT,
};

const defaultPriority = 32768;
const allTables = 0xff;

const flags: Readonly<Record<string, number>> = {
  send_flow_rem: OFPFF.SEND_FLOW_REM,
  check_overlap: OFPFF.CHECK_OVERLAP,
  reset_counts: OFPFF.RESET_COUNTS,
  no_packet_counts: OFPFF.NO_PKT_COUNTS,
  no_byte_counts: OFPFF.NO_BYT_COUNTS,
};
/** What dump-flows prints and add-flow has no use for. */
const ignored = [
  'duration',
  'n_packets',
  'n_bytes',
  'idle_age',
  'hard_age',
  'no_readonly_table',
  'allow_hidden_fields',
];

interface Draft {
  readonly command: FlowCommand;
  readonly slots: Slots;
  readonly names: Names;
  tableId: number;
  priority: number;
  idleTimeout: number;
  hardTimeout: number;
  importance: number;
  flags: number;
  outPort: number;
  outGroup: number;
  cookie?: bigint;
  cookieMatch?: { readonly value: bigint; readonly mask: bigint };
}

const isDelete = (command: FlowCommand): boolean => command.startsWith('delete');
/** Words that only some commands take. */
function allowed(word: string, command: FlowCommand): boolean {
  if (word === 'out_port' || word === 'out_group') return isDelete(command);
  if (word === 'priority') return command !== 'delete';
  if (word === 'importance') return command === 'add';
  return (
    !isDelete(command) || (word !== 'idle_timeout' && word !== 'hard_timeout' && lookUp(flags, word) === undefined)
  );
}

const settings = [
  'table',
  'priority',
  'idle_timeout',
  'hard_timeout',
  'importance',
  'cookie',
  'out_port',
  'out_group',
  ...Object.keys(flags),
];

function cookie(value: Span, draft: Draft): void {
  const slash = value.text.indexOf('/');
  if (slash < 0) {
    if (isDelete(draft.command)) {
      throw new TextFailure(`a cookie to look for has a mask: cookie=${value.text}/-1`, value.at);
    }
    draft.cookie = u64(value, 'cookie');
    return;
  }
  if (draft.command === 'add') throw new TextFailure('a flow is added with a cookie without mask', value.at);
  draft.cookieMatch = {
    value: u64(slice(value, 0, slash), 'cookie'),
    mask: u64(slice(value, slash + 1), 'cookie mask'),
  };
}

function group(value: Span): number {
  const named: Readonly<Record<string, number>> = { any: OFPG.ANY, all: OFPG.ALL };
  return lookUp(named, value.text.toLowerCase()) ?? u32(value, 'group');
}

function takeSetting({ key, value }: KeyValue, draft: Draft): boolean {
  const name = key.text;
  if (!settings.includes(name)) return false;
  if (!allowed(name, draft.command))
    throw new TextFailure(`${name} has no meaning when flows are to ${draft.command}`, key.at);
  const flag = lookUp(flags, name);
  if (flag !== undefined) {
    draft.flags |= flag;
    return true;
  }
  if (value.text === '') throw new TextFailure(`${name} needs a value`, value.at);
  if (name === 'table') draft.tableId = table(value, draft.names);
  else if (name === 'priority') draft.priority = u16(value, name);
  else if (name === 'idle_timeout') draft.idleTimeout = u16(value, name);
  else if (name === 'hard_timeout') draft.hardTimeout = u16(value, name);
  else if (name === 'importance') draft.importance = u16(value, name);
  else if (name === 'out_port') draft.outPort = toPort11(port(value, draft.names));
  else if (name === 'out_group') draft.outGroup = group(value);
  else cookie(value, draft);
  return true;
}

/** The part before `actions=` and the part behind it. */
function splitActions(text: Span): { readonly match: Span; readonly actions: Span } {
  const at = text.text.indexOf('action');
  const equals = at < 0 ? -1 : text.text.indexOf('=', at);
  if (equals < 0) throw new TextFailure('there must be actions=', text.at + text.text.length);
  return { match: slice(text, 0, at), actions: slice(text, equals + 1) };
}

/** A flow in a file may begin with what is to be done with it. */
function leadingCommand(text: Span): { readonly command: FlowCommand; readonly rest: Span } {
  const [whole, word] = /^\s*([^,\s]*)/.exec(text.text)!;
  if (!Object.hasOwn(commands, word!)) return { command: 'add', rest: text };
  return { command: word as FlowCommand, rest: slice(text, whole.length) };
}

/** OpenFlow 1.3 has one cookie: that of a flow that is added, or the one of flows that are looked for. */
function cookies({ command, cookie: set, cookieMatch }: Draft): Pick<FlowMod, 'cookie' | 'cookieMask'> {
  if (command === 'add') return { cookie: set ?? 0n, cookieMask: 0n };
  const { value, mask } = cookieMatch ?? { value: 0n, mask: 0n };
  return { cookie: value, cookieMask: mask };
}

/** Throws TextFailure. */
export function flowOf(text: Span, options: FlowOptions, warn: (text: string) => void): FlowText {
  const leading = options.command === 'file' ? leadingCommand(text) : undefined;
  const command = leading?.command ?? (options.command as FlowCommand | undefined) ?? 'add';
  const whole = leading?.rest ?? text;
  const parts = isDelete(command) ? { match: whole, actions: undefined } : splitActions(whole);
  const draft: Draft = {
    command,
    slots: new Slots(),
    names: options,
    tableId: allTables,
    priority: defaultPriority,
    idleTimeout: 0,
    hardTimeout: 0,
    importance: 0,
    flags: 0,
    outPort: OFPP.ANY,
    outGroup: OFPG.ANY,
  };
  for (const word of keyValues(parts.match)) {
    if (takeSetting(word, draft) || takeMatch(word, draft.slots, options) || ignored.includes(word.key.text)) continue;
    throw unknownWord('word', word.key.text, word.key.at, [...matchWords, ...settings]);
  }
  const match = matchOf(draft.slots);
  warnIgnored(draft.slots, match, warn);
  if (draft.cookie !== undefined && command !== 'add')
    warn('cookie is ignored: OpenFlow 1.3 cannot change that of a flow');
  const hasImportance = (options.version ?? OF13) >= OF14;
  if (draft.importance !== 0 && !hasImportance) warn('importance is ignored: OpenFlow has it from 1.4 on');
  const { slots, tableId } = draft;
  const read = (actions: Span) => () => instructionsOf(actions, options, new Known(slots), tableId);
  const instructions =
    parts.actions === undefined
      ? []
      : (options.memory?.take(parts.actions, slots, tableId, read(parts.actions)) ?? read(parts.actions)());
  return {
    type: 'flow_mod',
    command: commands[command],
    ...cookies(draft),
    // In OpenFlow 1.3 a flow is added to one table and, without a word, to the first.
    tableId: draft.tableId === allTables && !isDelete(command) ? 0 : draft.tableId,
    priority: draft.priority,
    idleTimeout: draft.idleTimeout,
    hardTimeout: draft.hardTimeout,
    flags: draft.flags,
    bufferId: OFP_NO_BUFFER,
    outPort: draft.outPort,
    outGroup: draft.outGroup,
    match,
    instructions,
    ...(draft.importance === 0 || !hasImportance ? {} : { importance: draft.importance }),
  };
}

/** Packets that a flow matches on, as far as its actions ask. */
export interface PacketKind {
  readonly ethertype?: number | undefined;
  readonly protocol?: number | undefined;
  /** They have a VLAN tag. */
  readonly tagged?: boolean;
}

/** What stands behind `actions=` in a flow of this table that matches on packets of a kind, but for parts of IP and ICMPv6. */
export function parseActionsFor(
  text: string,
  { ethertype, protocol, tagged = false }: PacketKind,
  tableId: number,
  options: FlowOptions = {},
): TextResult<readonly Instruction[]> {
  return parsing(() => {
    const slots = new Slots();
    if (ethertype !== undefined) slots.setEthertype(ethertype);
    if (protocol !== undefined) slots.setProtocol(protocol);
    if (tagged) slots.set(fieldsByName.get('dl_vlan')!, { value: 0n, mask: 0xffffn });
    return instructionsOf(span(text), options, new Known(slots), tableId);
  });
}

/** One flow, as add-flow takes it; `command` for what mod-flows and del-flows take. */
export function parseFlow(text: string, options: FlowOptions = {}): TextResult<FlowText> {
  return parsing((warn) => flowOf(span(text), options, warn));
}

/** A file of flows, as add-flows and `bundle` take it. */
export function parseFlows(text: string, options: FlowOptions = {}): TextResult<readonly FlowText[]> {
  return parseLines(text, (line, warn) => flowOf(line, { command: 'file', ...options }, warn));
}
