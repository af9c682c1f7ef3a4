/**
 * Flows from the datapath's answers straight into OFPMP_FLOW replies (OpenFlow 1.3.5 §7.3.5.2, 1.4.1 §7.3.5.2), for dumps of
 * many: no object is made for a flow. What the parts look like on the wire the codec says: the header of each field, and
 * each list of instructions, of which large tables have few, are encoded by it once and copied from then on.
 */
import {
  encodeMessage,
  encodeMultipartReply,
  type FlowMod,
  type Head,
  type Instruction,
  type Match,
  type OxmKnown,
  of13,
} from 'node-openflow';
import { flowAnswerAt, flowAnswers } from '../datapath/records.js';
import { DUMP_INSTRUCTIONS_KEPT } from './limits.js';
import { readInstructions } from './translate-instructions.js';
import { fieldIds, oxmName, oxmWidth } from './translate-match.js';
import { OF13, OF14, sayable } from './versions.js';

const MESSAGE_BYTES_MAX = 0xffff;
const NS_PER_SECOND = 1_000_000_000;
/** Of ofp_flow_stats, before its match. */
const STATS_HEADER = 48;
/** Of a flow_mod: where its match begins, and where the instructions are if the match is empty. */
const [MOD_MATCH, MOD_INSTRUCTIONS] = [48, 56];
const MATCH_HEADER = 4;
const PACKET_TYPE = fieldIds.get('packet_type')!;
/** The longest match there is: every field with a mask. */
const MATCH_BYTES_MAX = 4096;

export const isDumped = (version: number): boolean => version === OF13 || version === OF14;

function modOf(version: number, match: Match, instructions: readonly Instruction[]): FlowMod {
  const none = { cookie: 0n, cookieMask: 0n, tableId: 0, command: 0, idleTimeout: 0, hardTimeout: 0, priority: 0 };
  const nowhere = { bufferId: of13.OFP_NO_BUFFER, outPort: of13.OFPP.ANY, outGroup: of13.OFPG.ANY, flags: 0 };
  return { version, xid: 0, type: 'flow_mod', ...none, ...nowhere, match, instructions };
}

/** What comes before the value of a field. */
function fieldHeader(version: number, id: number, masked: boolean): Uint8Array {
  const value = new Uint8Array(oxmWidth(id));
  const tlv: OxmKnown = { field: oxmName(id), value, ...(masked ? { mask: value } : {}) };
  const bytes = encodeMessage(modOf(version, [tlv], []));
  const length = (bytes[MOD_MATCH + 2]! << 8) | bytes[MOD_MATCH + 3]!;
  const values = value.length * (masked ? 2 : 1);
  return bytes.slice(MOD_MATCH + MATCH_HEADER, MOD_MATCH + length - values);
}

/** Undefined: the version has no words for them. */
function instructionBytes(version: number, record: Uint8Array): Uint8Array | undefined {
  const mod = modOf(version, [], readInstructions(record.slice(), version));
  const list = { type: 'flow', entries: [mod] } as unknown as Parameters<typeof sayable>[1];
  const [told] = sayable(mod, list).entries as Iterable<unknown>;
  return told === undefined ? undefined : encodeMessage(mod).slice(MOD_INSTRUCTIONS);
}

class Vocabulary {
  readonly #headers: Uint8Array[] = [];
  readonly #instructions = new Map<string, Uint8Array | undefined>();
  /** Of the flow before: mostly the next one's are the same. */
  #last: { readonly record: Buffer; readonly bytes: Uint8Array | undefined } | undefined;

  constructor(readonly version: number) {}

  header(id: number, masked: boolean): Uint8Array {
    const key = id * 2 + (masked ? 1 : 0);
    this.#headers[key] ??= fieldHeader(this.version, id, masked);
    return this.#headers[key];
  }

  instructions(data: Buffer, from: number, end: number): Uint8Array | undefined {
    if (this.#last?.record.length === end - from && this.#last.record.compare(data, from, end) === 0) {
      return this.#last.bytes;
    }
    const record = Buffer.from(data.subarray(from, end));
    this.#last = { record, bytes: this.#told(record) };
    return this.#last.bytes;
  }

  #told(record: Buffer): Uint8Array | undefined {
    const key = record.toString('latin1');
    const known = this.#instructions.get(key);
    if (known !== undefined || this.#instructions.has(key)) return known;
    const bytes = instructionBytes(this.version, record);
    if (this.#instructions.size >= DUMP_INSTRUCTIONS_KEPT) this.#instructions.clear();
    this.#instructions.set(key, bytes);
    return bytes;
  }
}

const vocabularies: ReadonlyMap<number, Vocabulary> = new Map(
  [OF13, OF14].map((version) => [version, new Vocabulary(version)]),
);

/** A little-endian u64 in network order. */
function putReversed(out: Uint8Array, to: number, from: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i++) out[to + i] = from[at + 7 - i]!;
}

/** Seconds and the rest in ns of a u64 of ns. Up to 104 days a number holds it exactly. */
function durationAt(from: Buffer, at: number): readonly [number, number] {
  const high = from.readUInt32LE(at + 4);
  if (high < 0x200000) {
    const ns = high * 0x100000000 + from.readUInt32LE(at);
    const seconds = Math.floor(ns / NS_PER_SECOND);
    return [seconds, ns - seconds * NS_PER_SECOND];
  }
  const ns = from.readBigUInt64LE(at);
  return [Number(ns / BigInt(NS_PER_SECOND)) >>> 0, Number(ns % BigInt(NS_PER_SECOND))];
}

/** Moves what stands from `begun` to `to` to the front of the match: other fields depend on it. */
function putFirst(out: Buffer, front: number, begun: number, to: number): void {
  const moved = Buffer.from(out.subarray(begun, to));
  out.copyWithin(front + moved.length, front, begun);
  out.set(moved, front);
}

/** Appends a match record as ofp_match; returns where it ends. */
function putMatch(
  out: Buffer,
  start: number,
  record: Uint8Array,
  from: number,
  end: number,
  words: Vocabulary,
): number {
  let to = start + MATCH_HEADER;
  for (let at = from; at < end; ) {
    const [id, width, masked] = [record[at]!, record[at + 1]!, record[at + 2] !== 0];
    const header = words.header(id, masked);
    const begun = to;
    const wider = oxmWidth(id) - width;
    for (let i = 0; i < header.length; i++) out[to++] = header[i]!;
    at += 4;
    for (let part = masked ? 2 : 1; part > 0; part--) {
      for (let i = 0; i < wider; i++) out[to++] = 0;
      for (let i = 0; i < width; i++) out[to++] = record[at++]!;
    }
    if (id === PACKET_TYPE) putFirst(out, start + MATCH_HEADER, begun, to);
  }
  out.writeUInt16BE(of13.OFPMT.OXM, start);
  out.writeUInt16BE(to - start, start + 2);
  for (; (to - start) % 8 !== 0; to++) out[to] = 0;
  return to;
}

/** The messages of a reply that has these flows. */
export function* dumpMessages(head: Head, data: Uint8Array): Generator<Uint8Array> {
  const { version } = head;
  const words = vocabularies.get(version)!;
  const [empty] = encodeMultipartReply(head, { type: 'flow', entries: [] });
  const begin = (): Buffer => {
    const out = Buffer.allocUnsafe(MESSAGE_BYTES_MAX + 1);
    out.set(empty!);
    return out;
  };
  const finish = (out: Buffer, length: number, more: boolean): Uint8Array => {
    out.writeUInt16BE(length, 2);
    if (more) out.writeUInt16BE(of13.OFPMPF.REPLY_MORE, 10);
    return out.subarray(0, length);
  };
  const from = Buffer.from(data.buffer, data.byteOffset, data.length);
  let out = begin();
  let to = empty!.length;
  const at = flowAnswerAt;
  for (const { start, match, instructions, end } of flowAnswers(data)) {
    const actions = words.instructions(from, instructions, end);
    if (actions === undefined) continue;
    const bound = STATS_HEADER + MATCH_BYTES_MAX + actions.length;
    if (to + bound > MESSAGE_BYTES_MAX && to > empty!.length) {
      yield finish(out, to, true);
      out = begin();
      to = empty!.length;
    }
    const [seconds, nanoseconds] = durationAt(from, start + at.duration);
    const begun = to;
    out[to + 2] = from[start + at.table]!;
    out[to + 3] = 0;
    out.writeUInt32BE(seconds, to + 4);
    out.writeUInt32BE(nanoseconds, to + 8);
    out.writeUInt16BE(from.readUInt16LE(start + at.priority), to + 12);
    out.writeUInt16BE(from.readUInt16LE(start + at.idle), to + 14);
    out.writeUInt16BE(from.readUInt16LE(start + at.hard), to + 16);
    out.writeUInt16BE(from.readUInt16LE(start + at.flags), to + 18);
    out.writeUInt32BE(version === OF14 ? from.readUInt16LE(start + at.importance) * 0x10000 : 0, to + 20);
    putReversed(out, to + 24, from, start + at.cookie);
    putReversed(out, to + 32, from, start + at.packets);
    putReversed(out, to + 40, from, start + at.bytes);
    to = putMatch(out, to + STATS_HEADER, data, start + at.match, match, words);
    out.set(actions, to);
    to += actions.length;
    out.writeUInt16BE(to - begun, begun);
  }
  yield finish(out, to, false);
}
