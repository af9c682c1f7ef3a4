/**
 * Nicira's actions between node-openflow's values and records. What the data plane does not carry out is refused with
 * OFPBAC_BAD_EXP_TYPE: connection tracking.
 */
import type {
  Action,
  CopyFieldAction,
  NiciraAction,
  OxmId,
  OxmKnown,
  OxmTlv,
  Subfield,
  SubfieldStart,
} from 'node-openflow';
import { of13 } from 'node-openflow';
import { type ActionRecord, type NiciraActionRecord, readBig, type SubfieldRecord } from '../datapath/records.js';
import {
  allTables,
  controllerMaxLenNoBuffer,
  fields,
  noMeter,
  PacketInReason,
  portsMax,
  ReservedPort,
  tables,
} from '../datapath/schema.gen.js';
import type { HeadersKnown } from './headers-known.js';
import { badAction, type OfError } from './of-error.js';
import { type EncapAction, encapRecord } from './translate-encap.js';
import { fromLearn, type LearnAction, learnRecord } from './translate-learn.js';
import { maskedRecord, readMasked } from './translate-masked.js';
import { fieldIds, oxmName, oxmWidth } from './translate-match.js';
import { OF15 } from './versions.js';

const { OFPBAC, OFPG } = of13;
const MPLS_TYPES: readonly number[] = [0x8847, 0x8848];

/** Nicira's actions, and copy_field, which is one of theirs by another name. */
export type ExtendedAction = NiciraAction | CopyFieldAction;

/** Ports in Nicira's actions have 16 bits, the reserved ones from 0xff00. */
const RESERVED_16 = 0xff00;
const RESERVED_BITS = 0xffff0000;
/** A set_queue that takes the queue away again: OFPQ_ALL, which no queue is. */
export const NO_QUEUE = 0xffffffff;
/** Bits that nx_reg_load can write. */
const REG_LOAD_BITS_MAX = 64;
/** Where the VLAN priority begins in a TCI; the bit below is the drop-eligible one, or that a tag is there. */
const TCI_PCP_SHIFT = 13;
const TCI_VID_BITS = 12;
/** Where DSCP begins in IPv4's type of service. */
const TOS_DSCP_SHIFT = 2;

export function widePort(port: number): number {
  return port >= RESERVED_16 ? (port | RESERVED_BITS) >>> 0 : port;
}
export const narrowPort = (port: number): number => port & 0xffff;

/** Bits of a field of the data plane; undefined: there are none that the subfield could be. */
export function toSubfield({ field, offset }: SubfieldStart, bits: number): SubfieldRecord | undefined {
  const within = (name: string, shift: number): SubfieldRecord => ({
    field: fieldIds.get(name)!,
    offset: offset - shift,
    bits,
  });
  if (field === 'vlan_tci') {
    if (offset >= TCI_PCP_SHIFT) return within('vlan_pcp', TCI_PCP_SHIFT);
    return offset + bits <= TCI_VID_BITS ? within('vlan_vid', 0) : undefined;
  }
  if (field === 'ip_tos') return offset >= TOS_DSCP_SHIFT ? within('ip_dscp', TOS_DSCP_SHIFT) : undefined;
  const id = fieldIds.get(field);
  return id === undefined ? undefined : { field: id, offset, bits };
}

function fromSubfield({ field, offset, bits }: SubfieldRecord): Subfield {
  return { field: oxmName(field), offset, bits };
}
const startOf = (subfield: SubfieldRecord): SubfieldStart => {
  const { field, offset } = fromSubfield(subfield);
  return { field, offset };
};

/** Runs of ones in a mask: the lowest bit and the length of each. */
function runsOf(mask: bigint): { readonly offset: number; readonly bits: number }[] {
  const runs: { offset: number; bits: number }[] = [];
  for (let at = 0, rest = mask; rest !== 0n; ) {
    let bits = 0;
    for (; (rest & 1n) === 0n; rest >>= 1n) at++;
    for (; (rest & 1n) === 1n; rest >>= 1n) bits++;
    runs.push({ offset: at, bits });
    at += bits;
  }
  return runs;
}

class Refused extends Error {
  constructor(readonly error: OfError) {
    super();
  }
}

function refuse(code: number): never {
  throw new Refused(badAction(code));
}

/** What the actions say is translated in turn, each with what is known of the packet then. */
class Translation {
  constructor(
    readonly known: HeadersKnown,
    readonly nested: (actions: readonly Action[]) => readonly ActionRecord[] | OfError,
  ) {}

  subfield(subfield: SubfieldStart, bits: number): SubfieldRecord {
    const found = toSubfield(subfield, bits) ?? refuse(OFPBAC.BAD_SET_TYPE);
    if (bits === 0 || found.offset < 0 || found.offset + bits > fields[found.field]!.bits) refuse(OFPBAC.BAD_SET_LEN);
    if (!this.known.allows(fields[found.field]!.name)) refuse(OFPBAC.MATCH_INCONSISTENT);
    return found;
  }

  end(id: OxmId, offset: number, bits: number): SubfieldRecord {
    if (id.field === 'raw' || id.field === 'experimenter') refuse(OFPBAC.BAD_SET_TYPE);
    return this.subfield({ field: id.field, offset }, bits);
  }

  whole(subfield: Subfield): SubfieldRecord {
    return this.subfield(subfield, subfield.bits);
  }

  setField(name: string, value: number): ActionRecord {
    if (!this.known.allows(name)) refuse(OFPBAC.MATCH_INCONSISTENT);
    const field = fieldIds.get(name)!;
    if (value >= 2 ** fields[field]!.bits) refuse(OFPBAC.BAD_ARGUMENT);
    return { kind: 'set_field', field, value: BigInt(value) };
  }

  load(to: Subfield, value: bigint): NiciraActionRecord {
    // Zero is no port in either width.
    if (to.field === 'nxm_of_in_port' && to.offset === 0 && to.bits === 16) {
      const port = { field: fieldIds.get('in_port')!, offset: 0, bits: 32 };
      return { kind: 'load', to: port, value: BigInt(widePort(Number(value))) };
    }
    return { kind: 'load', to: this.whole(to), value };
  }

  /** One load for each run of ones in the mask. */
  masked(field: OxmKnown['field'], value: bigint, mask: bigint): NiciraActionRecord[] {
    return runsOf(mask).map(({ offset, bits }) => {
      const part = (value >> BigInt(offset)) & ((1n << BigInt(bits)) - 1n);
      return this.load({ field, offset, bits }, part);
    });
  }

  loadField(oxm: OxmTlv): ActionRecord[] {
    const id = fieldIds.get(oxm.field) ?? refuse(OFPBAC.BAD_SET_TYPE);
    const { field, value } = oxm as OxmKnown;
    const { bits, name } = fields[id]!;
    const masked = maskedRecord(oxm as OxmKnown);
    if (masked === undefined) return [this.load({ field, offset: 0, bits }, bigOf(value))];
    if (!this.known.allows(name)) refuse(OFPBAC.MATCH_INCONSISTENT);
    return [masked];
  }

  clone(actions: readonly Action[]): NiciraActionRecord {
    const records = this.nested(actions);
    if ('code' in records) throw new Refused(records);
    return { kind: 'clone', actions: records };
  }

  records(action: ExtendedAction): readonly ActionRecord[] {
    switch (action.type) {
      case 'nx_resubmit':
        return [{ kind: 'resubmit', port: widePort(action.inPort), table: allTables }];
      case 'nx_resubmit_table':
        return [{ kind: 'resubmit', port: widePort(action.inPort), table: action.tableId }];
      case 'nx_set_tunnel':
      case 'nx_set_tunnel64':
        return [{ kind: 'set_field', field: fieldIds.get('tunnel_id')!, value: BigInt(action.tunnelId) }];
      case 'nx_reg_move': {
        const { bits, source, destination } = action;
        return [{ kind: 'move', from: this.subfield(source, bits), to: this.subfield(destination, bits) }];
      }
      case 'copy_field': {
        const { nBits, src, srcOffset, dst, dstOffset } = action;
        return [{ kind: 'move', from: this.end(src, srcOffset, nBits), to: this.end(dst, dstOffset, nBits) }];
      }
      case 'nx_reg_load':
        return [this.load(action.destination, action.value)];
      case 'nx_reg_load2':
        return this.loadField(action.oxm);
      case 'nx_write_metadata':
        return this.masked('metadata', action.metadata, action.metadataMask);
      case 'nx_output_reg':
      case 'nx_output_reg2':
        return [{ kind: 'output_reg', from: this.whole(action.source), maxLen: action.maxLen }];
      case 'nx_stack_push':
        return [{ kind: 'stack_push', from: this.whole(action.subfield) }];
      case 'nx_stack_pop':
        return [{ kind: 'stack_pop', to: this.whole(action.subfield) }];
      case 'nx_dec_ttl':
        if (!this.known.isIp) refuse(OFPBAC.MATCH_INCONSISTENT);
        return [{ kind: 'dec_nw_ttl' }];
      case 'nx_dec_mpls_ttl':
        if (!this.known.isMpls) refuse(OFPBAC.MATCH_INCONSISTENT);
        return [{ kind: 'dec_mpls_ttl' }];
      case 'nx_set_mpls_ttl':
        if (!this.known.isMpls) refuse(OFPBAC.MATCH_INCONSISTENT);
        return [{ kind: 'set_mpls_ttl', ttl: action.value }];
      case 'nx_set_mpls_label':
        return [this.setField('mpls_label', action.value)];
      case 'nx_set_mpls_tc':
        return [this.setField('mpls_tc', action.value)];
      case 'nx_set_queue':
        return [{ kind: 'set_queue', queue: action.queueId }];
      case 'nx_group':
        if (action.groupId > OFPG.MAX) refuse(OFPBAC.BAD_OUT_GROUP);
        return [{ kind: 'group', group: action.groupId }];
      case 'nx_push_mpls':
        if (!MPLS_TYPES.includes(action.ethertype)) refuse(OFPBAC.BAD_ARGUMENT);
        this.known.setEthertype(action.ethertype);
        return [{ kind: 'push_mpls', ethertype: action.ethertype }];
      case 'nx_pop_mpls':
        if (!this.known.isMpls) refuse(OFPBAC.MATCH_INCONSISTENT);
        this.known.setEthertype(action.ethertype);
        return [{ kind: 'pop_mpls', ethertype: action.ethertype }];
      case 'nx_exit':
        return [{ kind: 'exit' }];
      case 'nx_note':
        return [{ kind: 'note', note: action.note }];
      case 'nx_clone':
        return [this.clone(action.actions)];
      case 'nx_conjunction':
        return [{ kind: 'conjunction', id: action.id, clause: action.clause, clauses: action.clauses }];
      case 'nx_check_pkt_larger':
        return [{ kind: 'check_pkt_larger', bytes: action.packetLength, to: this.subfield(action.destination, 1) }];
      case 'nx_dec_ttl_cnt_ids':
        if (!this.known.isIp) refuse(OFPBAC.MATCH_INCONSISTENT);
        return [{ kind: 'dec_nw_ttl_ids', ids: action.controllers }];
      case 'nx_controller': {
        const { maxLen, controllerId, reason } = action;
        return [{ kind: 'controller', maxLen, id: controllerId, reason, userdata: new Uint8Array(0), meter: noMeter }];
      }
      case 'nx_controller2':
        return [controller(action)];
      case 'nx_multipath': {
        const { fields: hashFields, basis, algorithm, maxLink, argument, destination } = action;
        return [{ kind: 'multipath', hashFields, basis, algorithm, maxLink, argument, to: this.whole(destination) }];
      }
      case 'nx_bundle':
      case 'nx_bundle_load': {
        const { fields: hashFields, basis, algorithm, members } = action;
        const to = action.type === 'nx_bundle' ? undefined : this.whole(action.destination);
        return [{ kind: 'bundle', hashFields, basis, algorithm, members: members.map(widePort), to }];
      }
      case 'nx_output_trunc':
        return [outputTrunc(widePort(action.port), action.maxLen)];
      case 'nx_pop_queue':
        return [{ kind: 'set_queue', queue: NO_QUEUE }];
      case 'nx_fin_timeout':
        if (!this.known.isTcp) refuse(OFPBAC.MATCH_INCONSISTENT);
        return [{ kind: 'fin_timeout', idle: action.idleTimeout, hard: action.hardTimeout }];
      case 'nx_sample':
      case 'nx_sample2':
      case 'nx_sample3':
        return [sample(action)];
      case 'nx_learn':
      case 'nx_learn2':
        return [this.learn(action)];
      case 'nx_encap':
      case 'nx_decap':
        return [this.encap(action)];
      case 'nx_dec_nsh_ttl':
        return [this.encap({ type: action.type })];
      case 'nx_delete_field':
        // Those that can be deleted are options of tunnels, which no packet has here.
        return refuse(action.field.startsWith('tun_metadata') ? OFPBAC.BAD_SET_TYPE : OFPBAC.BAD_ARGUMENT);
      default:
        return refuse(OFPBAC.BAD_EXP_TYPE);
    }
  }

  encap(action: EncapAction): ActionRecord {
    const record = encapRecord(action, this.known);
    if ('code' in record) throw new Refused(record);
    return record;
  }

  learn(action: LearnAction): NiciraActionRecord {
    if (action.tableId >= tables) refuse(OFPBAC.BAD_ARGUMENT);
    return learnRecord(action, this.known, (start, bits, known) => {
      const found = toSubfield(start, bits) ?? refuse(OFPBAC.BAD_SET_TYPE);
      const { name } = fields[found.field]!;
      // A packet without a tag has 0 there, and a flow may match that.
      if (name !== 'vlan_vid' && name !== 'vlan_pcp' && !known.allows(name)) refuse(OFPBAC.MATCH_INCONSISTENT);
      return found;
    });
  }
}

/** Bytes that a truncated packet keeps at least. */
const TRUNCATED_BYTES_MIN = 14;

function outputTrunc(port: number, bytes: number): NiciraActionRecord {
  const legal = (port > 0 && port < portsMax) || port === ReservedPort.inPort || port === ReservedPort.local;
  if (!legal) refuse(OFPBAC.BAD_OUT_PORT);
  if (bytes < TRUNCATED_BYTES_MIN) refuse(OFPBAC.BAD_ARGUMENT);
  return { kind: 'output_trunc', port, bytes };
}

const NO_PORT_16 = 0xffff;
const sampleForms = ['nx_sample', 'nx_sample2', 'nx_sample3'] as const;
type SampleAction = Extract<NiciraAction, { readonly type: (typeof sampleForms)[number] }>;

function sample(action: SampleAction): NiciraActionRecord {
  const { probability, collectorSetId: collectorSet, obsDomainId: obsDomain, obsPointId: obsPoint } = action;
  const samplingPort = action.type === 'nx_sample' ? NO_PORT_16 : action.samplingPort;
  const direction = action.type === 'nx_sample' ? 0 : (action.direction ?? 0);
  const form = sampleForms.indexOf(action.type) + 1;
  return { kind: 'sample', probability, collectorSet, obsDomain, obsPoint, samplingPort, direction, form };
}

function fromSample(record: Extract<NiciraActionRecord, { readonly kind: 'sample' }>): Action {
  const { probability, collectorSet: collectorSetId, obsDomain: obsDomainId, obsPoint: obsPointId } = record;
  const head = { probability, collectorSetId, obsDomainId, obsPointId };
  const { samplingPort, direction } = record;
  if (record.form === 3) return { type: 'nx_sample3', ...head, samplingPort, direction };
  return record.form === 2 ? { type: 'nx_sample2', ...head, samplingPort } : { type: 'nx_sample', ...head };
}

function bigOf(bytes: Uint8Array): bigint {
  return readBig(bytes, 0, bytes.length);
}

function controller(action: Extract<NiciraAction, { readonly type: 'nx_controller2' }>): NiciraActionRecord {
  return {
    kind: 'controller',
    maxLen: action.maxLen ?? controllerMaxLenNoBuffer,
    id: action.controllerId ?? 0,
    reason: action.reason ?? PacketInReason.action,
    userdata: action.userdata ?? new Uint8Array(0),
    meter: action.meterId ?? noMeter,
    ...(action.pause === true ? { pauses: true } : {}),
  };
}

/**
 * The records of an action; an error where it cannot be. `nested`: translates the actions of a clone, which change what
 * is known of its copy alone.
 */
export function niciraRecords(
  action: ExtendedAction,
  known: HeadersKnown,
  nested: (actions: readonly Action[]) => readonly ActionRecord[] | OfError,
): readonly ActionRecord[] | OfError {
  try {
    return new Translation(known, nested).records(action);
  } catch (error) {
    if (error instanceof Refused) return error.error;
    throw error;
  }
}

/** Set-field of a register: a load of all its bits. */
export function loadRegister({ field, value }: OxmKnown): NiciraActionRecord {
  const id = fieldIds.get(field)!;
  return { kind: 'load', to: { field: id, offset: 0, bits: fields[id]!.bits }, value: bigOf(value) };
}

function bytesOf(value: bigint, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * (width - 1 - i))) & 0xffn));
}

/**
 * Set-field where all of a field is written, which OpenFlow has since 1.2; else, or without `hasSetField`, Nicira's load
 * that is wide enough.
 */
export function loadAction(to: SubfieldRecord, value: bigint, hasSetField = true): Action {
  const { bits, name } = fields[to.field]!;
  const field = oxmName(to.field);
  const width = oxmWidth(to.field);
  if (hasSetField && to.offset === 0 && to.bits === bits && name !== 'in_port' && name !== 'metadata') {
    return { type: 'set_field', oxm: { field, value: bytesOf(value, width) } };
  }
  if (to.bits <= REG_LOAD_BITS_MAX) return { type: 'nx_reg_load', destination: fromSubfield(to), value };
  const mask = ((1n << BigInt(to.bits)) - 1n) << BigInt(to.offset);
  const placed = bytesOf(value << BigInt(to.offset), width);
  return { type: 'nx_reg_load2', oxm: { field, value: placed, mask: bytesOf(mask, width) } };
}

/** In 1.5 set-field writes parts of fields, and Nicira's loads are gone. */
function load15({ field, offset, bits }: SubfieldRecord, value: bigint): Action {
  if (bits === fields[field]!.bits) return loadAction({ field, offset, bits }, value);
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(offset);
  return readMasked({ kind: 'set_masked', field, value: value << BigInt(offset), mask }, OF15);
}

/** Nicira's reg_move by 1.5's name, as Open vSwitch says it. */
function copyField(from: SubfieldRecord, to: SubfieldRecord): Action {
  const end = ({ field }: SubfieldRecord): OxmId => ({ field: oxmName(field), hasMask: false });
  const [srcOffset, dstOffset] = [from.offset, to.offset];
  return { type: 'copy_field', nBits: from.bits, srcOffset, dstOffset, src: end(from), dst: end(to) };
}

/** A record as an action of the version that does the same, be it that another one was sent. */
export function fromNicira(
  record: NiciraActionRecord,
  fromNested: (actions: readonly ActionRecord[]) => readonly Action[],
  version: number,
): Action {
  switch (record.kind) {
    case 'load':
      return version >= OF15 ? load15(record.to, record.value) : loadAction(record.to, record.value);
    case 'move': {
      const { bits } = record.from;
      if (version >= OF15) return copyField(record.from, record.to);
      return { type: 'nx_reg_move', bits, source: startOf(record.from), destination: startOf(record.to) };
    }
    case 'output_trunc':
      return { type: 'nx_output_trunc', port: narrowPort(record.port), maxLen: record.bytes };
    case 'fin_timeout':
      return { type: 'nx_fin_timeout', idleTimeout: record.idle, hardTimeout: record.hard };
    case 'sample':
      return fromSample(record);
    case 'learn':
      return fromLearn(record);
    case 'output_reg':
      return { type: 'nx_output_reg', source: fromSubfield(record.from), maxLen: record.maxLen };
    case 'resubmit': {
      const inPort = narrowPort(record.port);
      if (record.table === allTables) return { type: 'nx_resubmit', inPort };
      return { type: 'nx_resubmit_table', inPort, tableId: record.table };
    }
    case 'stack_push':
      return { type: 'nx_stack_push', subfield: fromSubfield(record.from) };
    case 'stack_pop':
      return { type: 'nx_stack_pop', subfield: fromSubfield(record.to) };
    case 'clone':
      return { type: 'nx_clone', actions: fromNested(record.actions) };
    case 'exit':
      return { type: 'nx_exit' };
    case 'controller': {
      const { maxLen, id: controllerId, reason, userdata, meter } = record;
      const pauses = record.pauses === true;
      const plain = userdata.length === 0 && meter === noMeter && !pauses;
      if (plain) return { type: 'nx_controller', maxLen, controllerId, reason };
      const more = {
        ...(userdata.length > 0 ? { userdata } : {}),
        ...(pauses ? { pause: true as const } : {}),
        ...(meter === noMeter ? {} : { meterId: meter }),
      };
      return { type: 'nx_controller2', maxLen, controllerId, reason, ...more };
    }
    case 'dec_nw_ttl_ids':
      return { type: 'nx_dec_ttl_cnt_ids', controllers: record.ids };
    case 'note':
      return { type: 'nx_note', note: record.note };
    case 'check_pkt_larger':
      return { type: 'nx_check_pkt_larger', packetLength: record.bytes, destination: startOf(record.to) };
    case 'conjunction':
      return { type: 'nx_conjunction', id: record.id, clause: record.clause, clauses: record.clauses };
    case 'multipath': {
      const { hashFields, basis, algorithm, maxLink, argument, to } = record;
      const destination = fromSubfield(to);
      return { type: 'nx_multipath', fields: hashFields, basis, algorithm, maxLink, argument, destination };
    }
    case 'bundle': {
      const { hashFields, basis, algorithm, members, to } = record;
      const common = { fields: hashFields, basis, algorithm, members: members.map(narrowPort) };
      if (to === undefined) return { type: 'nx_bundle', ...common };
      return { type: 'nx_bundle_load', ...common, destination: fromSubfield(to) };
    }
  }
}
