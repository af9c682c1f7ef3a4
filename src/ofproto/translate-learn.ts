/** learn between node-openflow's values and records (ovs-actions(7), "learn"). */
import { type LearnSpec, type NiciraAction, nicira, type SubfieldStart } from 'node-openflow';
import { type LearnRecord, type LearnSpecRecord, readBig, type SubfieldRecord } from '../datapath/records.js';
import { fields } from '../datapath/schema.gen.js';
import { HeadersKnown } from './headers-known.js';
import { fieldIds, oxmName } from './translate-match.js';

export type LearnAction = Extract<NiciraAction, { readonly type: 'nx_learn' | 'nx_learn2' }>;

const { NX_LEARN_F } = nicira;
/** Bits of a VLAN tag: id, that there is one, and priority. */
const TCI_BITS = 16;
const VID_BITS = 13;
const PORT_BITS_16 = 16;

/** Bits of a field that is there, of a packet or a flow of which `known` is known; throws where there are none. */
export type FindSubfield = (start: SubfieldStart, bits: number, known: HeadersKnown) => SubfieldRecord;

/** A whole tag is two fields here: its lowest 13 bits, then its highest 3. */
function parts(spec: LearnSpec): readonly LearnSpec[] {
  if (spec.type === 'output') return [spec];
  const { source, destination, bits } = spec;
  const fromTag = source instanceof Uint8Array || source.field === 'vlan_tci';
  if (destination.field !== 'vlan_tci' || bits !== TCI_BITS || !fromTag) return [spec];
  const part = (field: 'vlan_vid' | 'vlan_pcp', shift: number, width: number): LearnSpec => {
    const start = { field, offset: 0 } as const;
    if (!(source instanceof Uint8Array)) return { ...spec, bits: width, source: start, destination: start };
    const value = (readBig(source, 0, source.length) >> BigInt(shift)) & ((1n << BigInt(width)) - 1n);
    return { ...spec, bits: width, source: bytesOf(value, width), destination: start };
  };
  return [part('vlan_vid', 0, VID_BITS), part('vlan_pcp', VID_BITS, TCI_BITS - VID_BITS)];
}

function bytesOf(value: bigint, bits: number): Uint8Array {
  const width = (bits + 7) >> 3;
  return Uint8Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * (width - 1 - i))) & 0xffn));
}

/** What the learned flow is known to match so far: other fields may depend on it. */
function seeMatch(spec: LearnSpecRecord, learned: HeadersKnown): void {
  if (spec.use !== 'match' || typeof spec.from !== 'bigint') return;
  const { name, bits } = fields[spec.to.field]!;
  if (spec.to.bits === bits && bits <= 16) learned.set(name, Number(spec.from));
}

export function learnRecord(action: LearnAction, known: HeadersKnown, find: FindSubfield): LearnRecord {
  const learned = new HeadersKnown([]);
  const specs: LearnSpecRecord[] = [];
  for (const spec of action.specs.flatMap(parts)) {
    const record = specRecord(spec, known, learned, find);
    seeMatch(record, learned);
    specs.push(record);
  }
  const { idleTimeout, hardTimeout, priority, cookie, flags, tableId, finIdleTimeout, finHardTimeout } = action;
  const [limit, result] = action.type === 'nx_learn2' ? [action.limit, action.result] : [0, undefined];
  return {
    kind: 'learn',
    idle: idleTimeout,
    hard: hardTimeout,
    priority,
    cookie,
    flags,
    table: tableId,
    finIdle: finIdleTimeout,
    finHard: finHardTimeout,
    limit,
    result: result && find(result, 1, known),
    specs,
  };
}

function specRecord(spec: LearnSpec, known: HeadersKnown, learned: HeadersKnown, find: FindSubfield): LearnSpecRecord {
  if (spec.type === 'output') return { use: 'output', from: find(spec.source, spec.bits, known) };
  const { type: use, source, destination, bits } = spec;
  const from = source instanceof Uint8Array ? readBig(source, 0, source.length) : find(source, bits, known);
  return { use, from, to: find(destination, bits, learned) };
}

const VLAN_VID = fieldIds.get('vlan_vid')!;
const VLAN_PCP = fieldIds.get('vlan_pcp')!;
const IN_PORT = fieldIds.get('in_port')!;

/** By the names of Nicira's fields, where they fit: those have been used longest. */
function startOf({ field, offset, bits }: SubfieldRecord): SubfieldStart {
  if (field === VLAN_VID && offset + bits < VID_BITS) return { field: 'vlan_tci', offset };
  if (field === IN_PORT && offset + bits <= PORT_BITS_16) return { field: 'nxm_of_in_port', offset };
  return { field: oxmName(field), offset };
}

/** The parts of a whole tag are put together again. */
function isTag(spec: LearnSpecRecord, next: LearnSpecRecord | undefined): next is LearnSpecRecord {
  if (spec.use === 'output' || next === undefined || next.use !== spec.use) return false;
  const [{ field, bits }, rest] = [spec.to, next.to];
  if (field !== VLAN_VID || bits !== VID_BITS || rest.field !== VLAN_PCP || rest.bits !== TCI_BITS - VID_BITS) {
    return false;
  }
  if (typeof spec.from === 'bigint' || typeof next.from === 'bigint') return typeof spec.from === typeof next.from;
  return spec.from.field === VLAN_VID && next.from.field === VLAN_PCP;
}

function toSpec(spec: LearnSpecRecord): LearnSpec {
  if (spec.use === 'output') return { type: 'output', bits: spec.from.bits, source: startOf(spec.from) };
  const { use: type, to, from } = spec;
  const { bits } = to;
  const source = typeof from === 'bigint' ? bytesOf(from, bits) : startOf(from);
  return { type, bits, source, destination: startOf(to) };
}

function tagSpec(low: LearnSpecRecord, high: LearnSpecRecord): LearnSpec {
  const tag = { field: 'vlan_tci', offset: 0 } as const;
  const type = low.use === 'load' ? 'load' : 'match';
  const immediate = typeof low.from === 'bigint' && typeof high.from === 'bigint';
  const source = immediate
    ? bytesOf((low.from as bigint) | ((high.from as bigint) << BigInt(VID_BITS)), TCI_BITS)
    : tag;
  return { type, bits: TCI_BITS, source, destination: tag };
}

export function fromLearn(record: LearnRecord): LearnAction {
  const specs: LearnSpec[] = [];
  for (let i = 0; i < record.specs.length; i++) {
    const [spec, next] = [record.specs[i]!, record.specs[i + 1]];
    if (isTag(spec, next)) {
      specs.push(tagSpec(spec, next));
      i++;
    } else specs.push(toSpec(spec));
  }
  const { idle, hard, priority, cookie, flags, table, finIdle, finHard, limit, result } = record;
  const head = {
    idleTimeout: idle,
    hardTimeout: hard,
    priority,
    cookie,
    flags,
    tableId: table,
    finIdleTimeout: finIdle,
    finHardTimeout: finHard,
    specs,
  };
  if (limit === 0 && (flags & NX_LEARN_F.WRITE_RESULT) === 0) return { type: 'nx_learn', ...head };
  return { type: 'nx_learn2', ...head, limit, ...(result === undefined ? {} : { result: resultOf(result) }) };
}

function resultOf({ field, offset }: SubfieldRecord): SubfieldStart {
  return { field: oxmName(field), offset };
}
