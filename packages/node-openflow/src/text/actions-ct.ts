/** ct(), its nat(), and clone(): actions with actions in them. */
import { Buffer } from 'node:buffer';
import type { NatRange, NxNat, Subfield } from '../nicira/action-types.js';
import { NX_CT_F, NX_CT_RECIRC_NONE, NX_NAT_F } from '../nicira/constants.js';
import type { Action } from '../types/action.js';
import type { ActionContext, ActionParser, ActionParsers } from './action-context.js';
import { parseIpv4, parseIpv6 } from './addresses.js';
import { TextFailure, unknownWord } from './error.js';
import { type Known, requireField, requirePacket } from './known.js';
import { parseInteger, table, u16 } from './numbers.js';
import { parseSubfield, wireSubfield } from './subfields.js';
import { keyValues, lookUp, type Span, slice } from './tokens.js';

const helpers: Readonly<Record<string, number>> = { ftp: 21, tftp: 69 };
export const helperNames: ReadonlyMap<number, string> = new Map(
  Object.entries(helpers).map(([name, port]) => [port, name]),
);

/** An address at the beginning of `text`, and what is behind it. */
function address(text: Span): { readonly bytes: Uint8Array; readonly rest: Span } | undefined {
  const v4 = /^\d+\.\d+\.\d+\.\d+/.exec(text.text)?.[0];
  const v6 = /^\[([^\]]*)\]/.exec(text.text) ?? /^([0-9a-f:.]+)/i.exec(text.text);
  const taken = v4 ?? v6?.[0] ?? '';
  const bytes = v4 === undefined ? parseIpv6(v6?.[1] ?? '') : parseIpv4(v4);
  return bytes === undefined ? undefined : { bytes, rest: slice(text, taken.length) };
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** '10.0.0.1-10.0.0.9:1000-2000', '[fe80::1]:80', or nothing. */
function natRange(value: Span): NatRange | undefined {
  if (value.text === '') return undefined;
  const first = address(value);
  if (first === undefined) throw new TextFailure(`"${value.text}" is no range of addresses`, value.at);
  let { rest } = first;
  let addressMax: Uint8Array | undefined;
  if (rest.text.startsWith('-')) {
    const last = address(slice(rest, 1));
    if (last === undefined || last.bytes.length !== first.bytes.length || Buffer.compare(last.bytes, first.bytes) < 0) {
      throw new TextFailure('the range of addresses does not end behind its beginning', rest.at + 1);
    }
    addressMax = last.bytes;
    rest = last.rest;
  }
  const ports = /^:(\d+)(?:-(\d+))?$/.exec(rest.text);
  if (ports === null && rest.text !== '')
    throw new TextFailure(`unexpected "${rest.text}" after the addresses`, rest.at);
  const at = (text: string): Span => ({ text, at: rest.at + 1 });
  const portMin = ports === null ? undefined : u16(at(ports[1]!), 'port');
  const portMax = ports?.[2] === undefined ? undefined : u16(at(ports[2]), 'port');
  if (portMax !== undefined && portMax < portMin!) throw new TextFailure('the range of ports runs backwards', rest.at);
  if (isZero(first.bytes)) throw new TextFailure('address zero is none to translate to', value.at);
  return {
    addressMin: first.bytes,
    ...(addressMax === undefined ? {} : { addressMax }),
    // Port zero says nothing.
    ...(portMin ? { portMin, ...(portMax === undefined ? {} : { portMax }) } : {}),
  };
}

const natFlags: Readonly<Record<string, number>> = {
  src: NX_NAT_F.SRC,
  dst: NX_NAT_F.DST,
  persistent: NX_NAT_F.PERSISTENT,
  hash: NX_NAT_F.PROTO_HASH,
  random: NX_NAT_F.PROTO_RANDOM,
};

function nat(text: Span, known: Known | undefined): NxNat {
  let flags = 0;
  let range: NatRange | undefined;
  for (const { key, value } of keyValues(text)) {
    const flag = lookUp(natFlags, key.text);
    if (flag === undefined) throw unknownWord('word', key.text, key.at, Object.keys(natFlags));
    flags |= flag;
    if (key.text === 'src' || key.text === 'dst') range = natRange(value);
  }
  const both = (a: number, b: number): boolean => (flags & a) !== 0 && (flags & b) !== 0;
  if (both(NX_NAT_F.SRC, NX_NAT_F.DST)) throw new TextFailure('nat translates src or dst, not both', text.at);
  if (both(NX_NAT_F.PROTO_HASH, NX_NAT_F.PROTO_RANDOM))
    throw new TextFailure('nat is hash or random, not both', text.at);
  if (flags !== 0 && (flags & (NX_NAT_F.SRC | NX_NAT_F.DST)) === 0) {
    throw new TextFailure('nat needs src or dst for the rest to have a meaning', text.at);
  }
  if (range !== undefined) requirePacket(known, range.addressMin.length === 4 ? 'ip4' : 'ip6', 'nat', text.at);
  return { type: 'nx_nat', flags, ...(range === undefined ? {} : { range }) };
}

const ctWords = ['commit', 'force', 'table', 'zone', 'alg', 'nat', 'exec'];

function zoneOf(value: Span, known: Known | undefined): number | Subfield {
  if (parseInteger(value.text) !== undefined) return u16(value, 'zone');
  const found = parseSubfield(value);
  requireField(known, found.field, value.at);
  const zone = wireSubfield(found, value.at);
  if (zone.bits !== 16) throw new TextFailure(`a zone has 16 bits, not ${zone.bits}`, value.at);
  return zone;
}

const ct: ActionParser = ({ key, value }, context) => {
  const { known, names } = context;
  requirePacket(known, 'ip', 'ct', key.at);
  let flags = 0;
  let zone: number | Subfield = 0;
  let recircTable = NX_CT_RECIRC_NONE;
  let alg = 0;
  const actions: Action[] = [];
  for (const word of keyValues(value)) {
    const { key: name, value: one } = word;
    if (name.text === 'commit') flags |= NX_CT_F.COMMIT;
    else if (name.text === 'force') flags |= NX_CT_F.FORCE;
    else if (name.text === 'table') {
      recircTable = table(one, names);
      if (recircTable === NX_CT_RECIRC_NONE) throw new TextFailure('there is no table 255 to go to', one.at);
    } else if (name.text === 'zone') zone = zoneOf(one, known);
    else if (name.text === 'alg') {
      const helper = lookUp(helpers, one.text);
      if (helper === undefined) throw unknownWord('helper', one.text, one.at, Object.keys(helpers));
      requirePacket(known, one.text === 'ftp' ? 'tcp' : 'udp', `alg=${one.text}`, one.at);
      alg = helper;
    } else if (name.text === 'nat') actions.push(nat(one, known));
    else if (name.text === 'exec') actions.push(...context.nested(one, 'ct', known));
    else throw unknownWord('word', name.text, name.at, ctWords);
  }
  checkCommit(flags, actions, key);
  return [{ type: 'nx_ct', flags, zone, recircTable, alg, actions }];
};

function checkCommit(flags: number, actions: readonly Action[], key: Span): void {
  const commit = (flags & NX_CT_F.COMMIT) !== 0;
  if ((flags & NX_CT_F.FORCE) !== 0 && !commit) throw new TextFailure('ct with force needs commit', key.at);
  const plain = actions.every((action) => action.type === 'nx_nat' && action.flags === 0);
  if (!commit && !plain) throw new TextFailure('ct with exec, or with nat and arguments, needs commit', key.at);
}

const clone: ActionParser = ({ value }, context: ActionContext) => [
  { type: 'nx_clone', actions: context.nested(value, 'clone', context.known?.copy()) },
];

const writeActions: ActionParser = ({ value }, context) => ({
  type: 'write_actions',
  actions: context.nested(value, 'write_actions', context.known?.copy()),
});

export const nestingActions: ActionParsers = {
  ct,
  clone,
  write_actions: writeActions,
  nat: ({ key }) => {
    throw new TextFailure('nat stands inside ct only', key.at);
  },
};
