/** Actions that send the packet somewhere: ports, the controller, groups, queues, other tables. */

import { oxmFacts } from '../match/build.js';
import type { NxController2 } from '../nicira/action-types.js';
import { NX_PACKET_IN_REASON, OFPP10 } from '../nicira/constants.js';
import { OFPR } from '../of13/constants.js';
import type { Action } from '../types/action.js';
import type { ActionParser, ActionParsers } from './action-context.js';
import { TextFailure, unknownWord } from './error.js';
import { requireField, requirePacket } from './known.js';
import { type Names, port, table, toPort11, tryPort, u16, u32 } from './numbers.js';
import { parseSubfield, wireSubfield } from './subfields.js';
import { keyValues, lookUp, pieces, type Span, slice, words } from './tokens.js';

const toController = 0xffff;
const leastTruncation = 14;

export const outputTo = (number: number, maxLen = 0): Action => ({ type: 'output', port: toPort11(number), maxLen });

/** Ports that a packet can be sent to. */
function checkOutput(number: number, value: Span): void {
  if (number < OFPP10.MAX || (number >= OFPP10.IN_PORT && number <= OFPP10.LOCAL)) return;
  throw new TextFailure(`port ${value.text} is none to send to`, value.at);
}

function truncated(value: Span, names: Names): Action[] {
  let to: number | undefined;
  let maxLen: number | undefined;
  for (const { key, value: one } of keyValues(value)) {
    if (key.text === 'port') to = port(one, names);
    else if (key.text === 'max_len') maxLen = u32(one, 'max_len');
    else throw unknownWord('word', key.text, key.at, ['port', 'max_len']);
    if (maxLen !== undefined && maxLen < leastTruncation) {
      throw new TextFailure(`max_len is ${leastTruncation} at least`, one.at);
    }
  }
  if (to === undefined || maxLen === undefined) throw new TextFailure('output needs port and max_len', value.at);
  return [{ type: 'nx_output_trunc', port: to, maxLen }];
}

const output: ActionParser = ({ value }, { names, known }) => {
  if (value.text.includes('port') && value.text.includes('max_len')) return truncated(value, names);
  const number = tryPort(value.text, names);
  if (number !== undefined) {
    checkOutput(number, value);
    return [outputTo(number, number === OFPP10.CONTROLLER ? toController : 0)];
  }
  if (!value.text.includes('[') && !/^[A-Za-z_]+\d*$/.test(value.text)) port(value, names);
  const found = parseSubfield(value);
  requireField(known, found.field, value.at);
  const source = wireSubfield(found, value.at);
  const wide = oxmFacts(source.field).experimenter !== undefined;
  return [{ type: wide ? 'nx_output_reg2' : 'nx_output_reg', source, maxLen: toController }];
};

/** Reasons of a packet-in by name. */
export const packetInReasons: Readonly<Record<string, number>> = {
  no_match: OFPR.NO_MATCH,
  action: OFPR.ACTION,
  invalid_ttl: OFPR.INVALID_TTL,
  action_set: NX_PACKET_IN_REASON.ACTION_SET,
  group: NX_PACKET_IN_REASON.GROUP,
  packet_out: NX_PACKET_IN_REASON.PACKET_OUT,
};

/** Hexadecimal digits with or without dots between the bytes. */
export function hexBytes(value: Span): Uint8Array {
  const digits = value.text.replace(/[.\s]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new TextFailure(`"${value.text}" is no list of bytes`, value.at);
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

interface ControllerWords {
  reason?: number;
  maxLen?: number;
  controllerId?: number;
  userdata?: Uint8Array;
  pause?: true;
  meterId?: number;
}

const controllerWords = ['reason', 'max_len', 'id', 'userdata', 'pause', 'meter_id'];

function controllerArguments(text: Span): ControllerWords {
  const found: ControllerWords = {};
  for (const { key, value } of keyValues(text)) {
    if (key.text === 'reason') {
      const reason = lookUp(packetInReasons, value.text.toLowerCase());
      if (reason === undefined) throw unknownWord('reason', value.text, value.at, Object.keys(packetInReasons));
      found.reason = reason;
    } else if (key.text === 'max_len') found.maxLen = u16(value, 'max_len');
    else if (key.text === 'id') found.controllerId = u16(value, 'id');
    else if (key.text === 'userdata') found.userdata = hexBytes(value);
    else if (key.text === 'pause') found.pause = true;
    else if (key.text === 'meter_id') found.meterId = u32(value, 'meter_id');
    else throw unknownWord('word', key.text, key.at, controllerWords);
  }
  return found;
}

/** The plainest action that can say it. */
const controller: ActionParser = ({ value }) => {
  if (/^\d+$/.test(value.text)) return [outputTo(OFPP10.CONTROLLER, u16(value, 'max_len'))];
  const {
    reason = OFPR.ACTION,
    maxLen = toController,
    controllerId = 0,
    userdata,
    pause,
    meterId,
  } = controllerArguments(value);
  const second = userdata !== undefined || pause !== undefined || (meterId ?? 0) !== 0;
  if (!second) {
    if (reason === OFPR.ACTION && controllerId === 0) return [outputTo(OFPP10.CONTROLLER, maxLen)];
    return [{ type: 'nx_controller', maxLen, controllerId, reason }];
  }
  const action: NxController2 = {
    type: 'nx_controller2',
    ...(maxLen === toController ? {} : { maxLen }),
    ...(controllerId === 0 ? {} : { controllerId }),
    ...(reason === OFPR.ACTION ? {} : { reason }),
    ...(userdata === undefined || userdata.length === 0 ? {} : { userdata }),
    ...(pause === undefined ? {} : { pause }),
    ...(meterId === undefined || meterId === 0 ? {} : { meterId }),
  };
  return [action];
};

const enqueue: ActionParser = ({ value }, { names }) => {
  const parts = /^([^:q,]+)[:q,]+(.*)$/.exec(value.text);
  if (parts === null) throw new TextFailure('enqueue is written enqueue:port:queue', value.at);
  const to = port(slice(value, 0, parts[1]!.length), names);
  const queueId = u32(slice(value, value.text.length - parts[2]!.length), 'queue');
  // OpenFlow 1.3 has no action for both.
  return [{ type: 'set_queue', queueId }, outputTo(to, 0xffff), { type: 'nx_pop_queue' }];
};

const resubmit: ActionParser = ({ key, value, delimiter }, { names, known }) => {
  const [inPort, tableId, ct] = delimiter === '' ? [] : pieces(value, ',');
  const to = inPort === undefined || inPort.text === '' ? OFPP10.IN_PORT : port(inPort, names);
  const through = tableId === undefined || tableId.text === '' ? 0xff : table(tableId, names);
  if (ct !== undefined && ct.text !== '' && ct.text !== 'ct') throw unknownWord('word', ct.text, ct.at, ['ct']);
  if (to === OFPP10.IN_PORT && through === 0xff) throw new TextFailure('resubmit needs a port or a table', key.at);
  if (ct?.text === 'ct') {
    requirePacket(known, 'ct', 'resubmit(...,ct)', ct.at);
    return [{ type: 'nx_resubmit_table_ct', inPort: to, tableId: through }];
  }
  // ovs-ofctl writes the table's action also where the table is that of the flow.
  return [{ type: 'nx_resubmit_table', inPort: to, tableId: through }];
};

const gotoTable: ActionParser = ({ value }, { names, tableId }) => {
  const to = table(value, names);
  if (tableId !== undefined && tableId !== 0xff && to <= tableId) {
    throw new TextFailure(`goto_table goes to later tables only, and the flow is in ${tableId}`, value.at);
  }
  return { type: 'goto_table', tableId: to };
};

const hashFields = [
  'eth_src',
  'symmetric_l4',
  'symmetric_l3l4',
  'symmetric_l3l4+udp',
  'nw_src',
  'nw_dst',
  'symmetric_l3',
];
export const hashFieldNames: readonly string[] = hashFields;
export const multipathAlgorithms: readonly string[] = ['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'];
export const bundleAlgorithms: readonly string[] = ['active_backup', 'hrw'];

function choice(value: Span | undefined, names: readonly string[], what: string, end: number): number {
  if (value === undefined) throw new TextFailure(`${what} is missing`, end);
  const index = names.indexOf(value.text.toLowerCase());
  if (index < 0) throw unknownWord(what, value.text, value.at, names);
  return index;
}

const need = (value: Span | undefined, what: string, end: number): Span => {
  if (value === undefined) throw new TextFailure(`${what} is missing`, end);
  return value;
};

const multipath: ActionParser = ({ value }, { known }) => {
  const end = value.at + value.text.length;
  const [fields, basis, algorithm, links, argument, target] = words(value, ', ');
  const hash = choice(fields, hashFields, 'hash fields', end);
  const number = u32(need(links, 'number of links', end), 'number of links');
  const found = parseSubfield(need(target, 'destination', end));
  if (number < 1 || number > 65536) throw new TextFailure(`there are 1 to 65536 links, not ${number}`, links!.at);
  if (number > 2 ** found.bits) throw new TextFailure(`${number} links do not fit into ${found.bits} bits`, links!.at);
  requireField(known, found.field, target!.at);
  if (!found.field.writable) throw new TextFailure(`${found.field.name} cannot be written`, target!.at);
  return [
    {
      type: 'nx_multipath',
      fields: hash,
      basis: u16(need(basis, 'basis', end), 'basis'),
      algorithm: choice(algorithm, multipathAlgorithms, 'algorithm', end),
      maxLink: number - 1,
      argument: u32(need(argument, 'argument', end), 'argument'),
      destination: wireSubfield(found, target!.at),
    },
  ];
};

function bundle(load: boolean): ActionParser {
  return ({ value }, { names, known }) => {
    const end = value.at + value.text.length;
    const marker = /[, ](members|slaves):/i.exec(value.text);
    if (marker === null) throw new TextFailure('members: is missing', end);
    const [fields, basis, algorithm, type, target] = words(slice(value, 0, marker.index), ', ');
    const members = words(slice(value, marker.index + marker[0].length), ', []').map((member) => port(member, names));
    const head = {
      algorithm: choice(algorithm, bundleAlgorithms, 'algorithm', end),
      fields: choice(fields, hashFields, 'hash fields', end),
      basis: u16(need(basis, 'basis', end), 'basis'),
      members,
    };
    choice(type, ['ofport'], 'member type', end);
    if (!load) return [{ type: 'nx_bundle', ...head }];
    const found = parseSubfield(need(target, 'destination', end));
    requireField(known, found.field, target!.at);
    if (found.bits < 16) throw new TextFailure('a port needs 16 bits', target!.at);
    return [{ type: 'nx_bundle_load', ...head, destination: wireSubfield(found, target!.at) }];
  };
}

export const outputActions: ActionParsers = {
  output,
  controller,
  enqueue,
  resubmit,
  goto_table: gotoTable,
  group: ({ value }) => [{ type: 'group', groupId: u32(value, 'group') }],
  set_queue: ({ value }) => [{ type: 'set_queue', queueId: u32(value, 'queue') }],
  pop_queue: () => [{ type: 'nx_pop_queue' }],
  meter: ({ value }) => {
    const meterId = u32(value, 'meter');
    if (meterId === 0 || meterId > 0xffff0000) throw new TextFailure(`${value.text} is no number of a meter`, value.at);
    return { type: 'meter', meterId };
  },
  multipath,
  bundle: bundle(false),
  bundle_load: bundle(true),
};
