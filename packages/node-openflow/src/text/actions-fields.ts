/** Actions that write fields: set_field, load, move, push, pop, the mod_ words, VLAN tags and MPLS labels. */
import type { Action, CopyFieldAction, EthertypeAction } from '../types/action.js';
import type { OxmId } from '../types/oxm.js';
import type { ActionContext, ActionParser, ActionParsers } from './action-context.js';
import { bytesToBigint, parseIpv4, parseMac } from './addresses.js';
import { TextFailure } from './error.js';
import { allOnes, parseField } from './field-values.js';
import { requireField, requirePacket } from './known.js';
import { loads, setField } from './load-actions.js';
import { parseInteger, u8, u16, u32, u64 } from './numbers.js';
import { fieldsByName, type OvsField, setFieldField } from './ovs-fields.js';
import { tagPresent } from './slots.js';
import {
  type FieldBits,
  parseFieldName,
  parseSubfield,
  parseSubfieldHead,
  wireStart,
  wireSubfield,
} from './subfields.js';
import { type KeyValue, type Span, slice } from './tokens.js';
import { OF13, OF15 } from './versions.js';

const fieldOf = (name: string): OvsField => fieldsByName.get(name)!;

/** 'value->field' */
export function arrow(value: Span): { readonly source: Span; readonly target: Span } {
  const at = value.text.indexOf('->');
  if (at < 0) throw new TextFailure('there must be -> and a field', value.at + value.text.length);
  if (at + 2 === value.text.length) throw new TextFailure('a field must follow ->', value.at + at + 2);
  return { source: slice(value, 0, at), target: slice(value, at + 2) };
}

export function requireWritable(field: OvsField, at: number): void {
  if (!field.writable) throw new TextFailure(`${field.name} cannot be written`, at);
}

/** Conntrack's own fields are written inside ct(exec(...)) only, and nothing else is there. */
function checkPlace(field: OvsField, context: ActionContext, at: number): void {
  const ofConnection = field.name === 'ct_mark' || field.name === 'ct_label';
  if (ofConnection && context.outer !== 'ct')
    throw new TextFailure(`${field.name} is written inside ct(exec(...)) only`, at);
  if (!ofConnection && context.outer === 'ct')
    throw new TextFailure(`ct(exec(...)) writes ct_mark and ct_label only`, at);
}

function checkTarget(field: OvsField, context: ActionContext, at: number): void {
  requireWritable(field, at);
  checkPlace(field, context, at);
  requireField(context.known, field, at);
  if (field.name === 'vlan_vid') requirePacket(context.known, 'vlan', field.name, at);
}

/** Writing the whole tag puts one on or takes it off. */
function noteTag(field: OvsField, value: bigint, context: ActionContext): void {
  if (field.name === 'vlan_tci' && context.known !== undefined)
    context.known.tags = (value & tagPresent) === 0n ? 0 : 1;
}

const set: ActionParser = ({ value }, context) => {
  const { source, target } = arrow(value);
  const field = fieldsByName.get(target.text);
  if (field === undefined) parseFieldName(target);
  if (field === undefined) throw new TextFailure(`set_field wants the field's name, not its symbol`, target.at);
  checkTarget(field, context, target.at);
  const parsed = parseField(source, field, context.names);
  if (parsed.value >> BigInt(field.name === 'vlan_vid' ? 13 : field.bits) !== 0n) {
    throw new TextFailure(`${source.text} does not fit into ${field.name}, which has ${field.bits} bits`, source.at);
  }
  if (field.name === 'vlan_vid' && parsed.mask === allOnes(16) && (parsed.value & tagPresent) === 0n) {
    const vid = parsed.value | tagPresent;
    throw new TextFailure(`a VLAN id is set with bit 12, which says that there is a tag: ${vid}`, source.at, `${vid}`);
  }
  noteTag(field, parsed.value, context);
  const mask = parsed.mask & allOnes(field.bits);
  return setField(field, parsed.value & parsed.mask, mask, target.at, context.names.version);
};

const load: ActionParser = ({ value }, context) => {
  const { source, target } = arrow(value);
  const { field, offset, bits } = parseSubfield(target);
  checkTarget(field, context, target.at);
  const number = parseInteger(source.text);
  if (number === undefined) throw new TextFailure(`"${source.text}" is no number`, source.at);
  if (number >> BigInt(bits) !== 0n) throw new TextFailure(`${source.text} does not fit into ${bits} bits`, source.at);
  const shift = BigInt(offset);
  noteTag(field, number << shift, context);
  return loads(field, number << shift, allOnes(bits) << shift, target.at, context.names.version);
};

/** 'field[..]->field[..]', of the same number of bits. */
export function parseMove(value: Span): {
  readonly source: FieldBits;
  readonly target: FieldBits;
  readonly targetAt: number;
} {
  const { rest, ...source } = parseSubfieldHead(value);
  if (!rest.text.startsWith('->')) throw new TextFailure('there must be -> after the source', rest.at);
  const to = slice(rest, 2);
  const target = parseSubfield(to);
  if (source.bits !== target.bits) {
    throw new TextFailure(`the source has ${source.bits} bits and the destination ${target.bits}`, value.at);
  }
  return { source, target, targetAt: to.at };
}

/** What a move is from 1.5 on. */
function copyField(source: FieldBits, target: FieldBits, sourceAt: number, targetAt: number): CopyFieldAction {
  const idOf = (field: OvsField, at: number): OxmId => {
    const wire = setFieldField(field);
    if (wire === undefined) throw new TextFailure(`${field.name} has no number of its own and cannot be copied`, at);
    return { field: wire, hasMask: false };
  };
  return {
    type: 'copy_field',
    nBits: source.bits,
    srcOffset: source.offset,
    dstOffset: target.offset,
    src: idOf(source.field, sourceAt),
    dst: idOf(target.field, targetAt),
  };
}

const move: ActionParser = ({ value }, context) => {
  const { source, target, targetAt } = parseMove(value);
  requireField(context.known, source.field, value.at);
  checkTarget(target.field, context, targetAt);
  if ((context.names.version ?? OF13) >= OF15) return [copyField(source, target, value.at, targetAt)];
  return [
    {
      type: 'nx_reg_move',
      bits: source.bits,
      source: wireStart(source, value.at),
      destination: wireStart(target, targetAt),
    },
  ];
};

function stack(type: 'nx_stack_push' | 'nx_stack_pop'): ActionParser {
  return ({ value }, { known }) => {
    const found = parseSubfield(value);
    if (type === 'nx_stack_pop') requireWritable(found.field, value.at);
    requireField(known, found.field, value.at);
    return [{ type, subfield: wireSubfield(found, value.at) }];
  };
}

/** A whole field from an argument; the match must have what `needs` says. */
function mod(name: string, number: (value: Span) => bigint, needs = fieldOf(name).needs): ActionParser {
  return ({ key, value }, { known }) => {
    requirePacket(known, needs, key.text, key.at);
    return setField(fieldOf(name), number(value), allOnes(fieldOf(name).bits), key.at);
  };
}

const mac = (value: Span): bigint => {
  const bytes = parseMac(value.text);
  if (bytes === undefined) throw new TextFailure(`"${value.text}" is no MAC address`, value.at);
  return bytesToBigint(bytes);
};
const ipv4 = (value: Span): bigint => {
  const bytes = parseIpv4(value.text);
  if (bytes === undefined) throw new TextFailure(`"${value.text}" is no IPv4 address`, value.at);
  return bytesToBigint(bytes);
};
/** A number below `limit`. */
const below =
  (limit: number, what: string) =>
  (value: Span): bigint => {
    const number = u32(value, what);
    if (number >= limit) throw new TextFailure(`${what} ${value.text} is not below ${limit}`, value.at);
    return BigInt(number);
  };
const tos = (value: Span): bigint => {
  const number = u8(value, 'TOS');
  if ((number & 3) !== 0) throw new TextFailure(`TOS ${value.text} has bits below the DSCP`, value.at);
  return BigInt(number >> 2);
};

function transportPort(side: 'src' | 'dst'): ActionParser {
  return ({ key, value }, { known }) => {
    const protocol = (['tcp', 'udp', 'sctp'] as const).find((name) => known?.has(name));
    if (protocol === undefined) throw new TextFailure(`${key.text} needs a match on tcp, udp or sctp`, key.at);
    return setField(fieldOf(`${protocol}_${side}`), BigInt(u16(value, 'port')), 0xffffn, key.at);
  };
}

const vlanEthertype = 0x8100;
const vlanEthertypes = [vlanEthertype, 0x88a8];

/** With `push` a tag is put on if there is none; without one there must be one. */
function vlan(name: 'vlan_vid' | 'vlan_pcp', limit: number, push: boolean): ActionParser {
  return ({ key, value }, { known }) => {
    const number = below(limit, name === 'vlan_vid' ? 'VLAN id' : 'VLAN priority')(value);
    const tagged = known !== undefined && known.tags > 0;
    if (!push) requirePacket(known, 'vlan', key.text, key.at);
    if (known !== undefined && !tagged) known.pushTag(key.at);
    const full = name === 'vlan_vid' ? number | tagPresent : number;
    const field = setField(fieldOf(name), full, allOnes(fieldOf(name).bits), key.at);
    return push && !tagged ? [{ type: 'push_vlan', ethertype: vlanEthertype }, ...field] : field;
  };
}

const pushVlan: ActionParser = ({ key, value }, { known }) => {
  const ethertype = u16(value, 'ethertype');
  if (!vlanEthertypes.includes(ethertype))
    throw new TextFailure(`${value.text} is no ethertype of a VLAN tag`, value.at);
  known?.pushTag(key.at);
  return [{ type: 'push_vlan', ethertype }];
};

const popVlan: ActionParser = ({ key }, { known }) => {
  requirePacket(known, 'vlan', key.text, key.at);
  if (known !== undefined) known.tags--;
  return [{ type: 'pop_vlan' }];
};

function mplsTag(type: 'push_mpls' | 'pop_mpls'): ActionParser {
  return ({ key, value }, { known }) => {
    const ethertype = u16(value, 'ethertype');
    if (type === 'push_mpls' && ethertype !== 0x8847 && ethertype !== 0x8848) {
      throw new TextFailure(`${value.text} is no ethertype of MPLS`, value.at);
    }
    if (type === 'pop_mpls') requirePacket(known, 'mpls', key.text, key.at);
    if (known !== undefined) known.ethertype = ethertype;
    if (known !== undefined && type === 'push_mpls') known.protocol = 0;
    return [{ type, ethertype } satisfies EthertypeAction];
  };
}

/** An action, where the packet is of a kind. */
const on =
  (needs: OvsField['needs'], make: (word: KeyValue) => Action): ActionParser =>
  (word, { known }) => {
    requirePacket(known, needs, word.key.text, word.key.at);
    return [make(word)];
  };

const setNwTtl = on('ip', ({ value }) => ({ type: 'set_nw_ttl', ttl: u8(value, 'TTL') }));

const decTtl: ActionParser = (word, context) => {
  const { value } = word;
  if (value.text.trim() === '') return on('ip', () => ({ type: 'dec_nw_ttl' }))(word, context);
  const ids = [...value.text.matchAll(/[^, ]+/g)].map(({ 0: text, index }) =>
    u16({ text, at: value.at + index }, 'controller id'),
  );
  return on('ip', () => ({ type: 'nx_dec_ttl_cnt_ids', controllers: ids }))(word, context);
};

const writeMetadata: ActionParser = ({ value }) => {
  const slash = value.text.indexOf('/');
  const metadata = u64(slash < 0 ? value : slice(value, 0, slash), 'metadata');
  const metadataMask = slash < 0 ? allOnes(64) : u64(slice(value, slash + 1), 'mask');
  return { type: 'write_metadata', metadata, metadataMask };
};

const tunnelId: ActionParser = ({ key, value }) =>
  setField(fieldOf('tun_id'), u64(value, 'tunnel id'), allOnes(64), key.at);

export const fieldActions: ActionParsers = {
  set_field: set,
  load,
  move,
  push: stack('nx_stack_push'),
  pop: stack('nx_stack_pop'),
  mod_dl_src: mod('eth_src', mac),
  mod_dl_dst: mod('eth_dst', mac),
  mod_nw_src: mod('ip_src', ipv4),
  mod_nw_dst: mod('ip_dst', ipv4),
  mod_nw_tos: mod('ip_dscp', tos),
  mod_nw_ecn: mod('nw_ecn', below(4, 'ECN')),
  mod_nw_ttl: setNwTtl,
  set_nw_ttl: setNwTtl,
  mod_tp_src: transportPort('src'),
  mod_tp_dst: transportPort('dst'),
  mod_vlan_vid: vlan('vlan_vid', 4096, true),
  mod_vlan_pcp: vlan('vlan_pcp', 8, true),
  set_vlan_vid: vlan('vlan_vid', 4096, false),
  set_vlan_pcp: vlan('vlan_pcp', 8, false),
  push_vlan: pushVlan,
  pop_vlan: popVlan,
  strip_vlan: popVlan,
  push_mpls: mplsTag('push_mpls'),
  pop_mpls: mplsTag('pop_mpls'),
  set_mpls_label: mod('mpls_label', below(2 ** 20, 'MPLS label')),
  set_mpls_tc: mod('mpls_tc', below(8, 'MPLS traffic class')),
  set_mpls_ttl: on('mpls', ({ value }) => ({ type: 'set_mpls_ttl', ttl: u8(value, 'MPLS TTL') })),
  dec_mpls_ttl: on('mpls', () => ({ type: 'dec_mpls_ttl' })),
  dec_nsh_ttl: on('nsh', () => ({ type: 'nx_dec_nsh_ttl' })),
  dec_ttl: decTtl,
  set_tunnel: tunnelId,
  set_tunnel64: tunnelId,
  write_metadata: writeMetadata,
};
