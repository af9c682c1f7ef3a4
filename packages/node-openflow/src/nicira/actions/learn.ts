/** NXAST_LEARN and NXAST_LEARN2: a flow made from the packet, as a list of what it matches on and does. */
import type { Context } from '../../codec/protocol.js';
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { EncodeError, WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type { LearnSpec, NxLearn, NxLearn2, SubfieldStart } from '../action-types.js';
import { NX_LEARN_F } from '../constants.js';
import {
  checkBits,
  checkWritable,
  expectZeros,
  readHeader,
  readHeader32,
  startOf,
  writeHeader,
  writeHeader32,
} from '../subfield.js';
import { headLength, type NiciraCodec } from './codec.js';

/** A spec's header: bit 13 the kind of source, bits 12 and 11 the kind of destination, bits 10 to 0 the number of bits. */
const sourceImmediate = 1 << 13;
const destinations = ['match', 'load', 'output'] as const;
const bitsMask = 0x3ff;

const bad = (code: number, reason: string): WireError => new WireError(OFPET.BAD_ACTION, code, reason);

function readSubfield(r: WireReader, bits: number, ctx: Context): SubfieldStart {
  const header = readHeader32(r, ctx);
  const offset = r.u16();
  checkBits(header, offset, bits, ctx);
  return startOf(header, offset);
}

function writeSubfield(w: WireWriter, subfield: SubfieldStart, ctx: Context): void {
  writeHeader32(w, subfield, ctx);
  w.u16(subfield.offset);
}

/** Bytes of an immediate value: on the wire in whole 16-bit words, the value at their end. */
const wordBytes = (bits: number): number => 2 * Math.ceil(bits / 16);
const valueBytes = (bits: number): number => Math.ceil(bits / 8);

function decodeSpec(r: WireReader, header: number, ctx: Context): LearnSpec {
  const bits = header & bitsMask;
  const type = destinations[(header >> 11) & 3];
  const immediate = (header & sourceImmediate) !== 0;
  if (type === undefined || (type === 'output' && immediate) || header >> 14 !== 0 || bits === 0) {
    throw bad(OFPBAC.BAD_ARGUMENT, `learn specification 0x${header.toString(16)}`);
  }
  if (type === 'output') return { type, bits, source: readSubfield(r, bits, ctx) };
  let source: SubfieldStart | Uint8Array;
  if (immediate) {
    r.skip(wordBytes(bits) - valueBytes(bits));
    source = r.bytes(valueBytes(bits));
  } else {
    source = readSubfield(r, bits, ctx);
  }
  const destination = readSubfield(r, bits, ctx);
  if (type === 'load') checkWritable(destination);
  return { type, bits, source, destination };
}

function decodeSpecs(r: WireReader, ctx: Context): readonly LearnSpec[] {
  const specs: LearnSpec[] = [];
  while (r.remaining >= 2) {
    const header = r.u16();
    if (header === 0) break;
    specs.push(decodeSpec(r, header, ctx));
  }
  expectZeros(r);
  return specs;
}

function encodeSpec(w: WireWriter, spec: LearnSpec, ctx: Context): void {
  const immediate = spec.source instanceof Uint8Array;
  if (spec.bits < 1 || spec.bits > bitsMask) throw new EncodeError(`${spec.bits} bits in a learn specification`);
  w.u16((immediate ? sourceImmediate : 0) | (destinations.indexOf(spec.type) << 11) | spec.bits);
  if (spec.source instanceof Uint8Array) {
    w.zero(wordBytes(spec.bits) - valueBytes(spec.bits));
    w.exactly(spec.source, valueBytes(spec.bits));
  } else {
    writeSubfield(w, spec.source, ctx);
  }
  if (spec.type !== 'output') writeSubfield(w, spec.destination, ctx);
}

function decodeHead(r: WireReader, knownFlags: number) {
  const [idleTimeout, hardTimeout, priority] = [r.u16(), r.u16(), r.u16()];
  const cookie = r.u64();
  const [flags, tableId] = [r.u16(), r.u8()];
  expectZeros(r, 1);
  const [finIdleTimeout, finHardTimeout] = [r.u16(), r.u16()];
  if (tableId === 0xff || (flags & ~knownFlags) !== 0) {
    throw bad(OFPBAC.BAD_ARGUMENT, `learn into table ${tableId} with flags ${flags}`);
  }
  return { idleTimeout, hardTimeout, priority, cookie, flags, tableId, finIdleTimeout, finHardTimeout };
}

function encodeHead(w: WireWriter, action: Omit<NxLearn, 'type'>): void {
  w.u16(action.idleTimeout);
  w.u16(action.hardTimeout);
  w.u16(action.priority);
  w.u64(action.cookie);
  w.u16(action.flags);
  w.u8(action.tableId);
  w.zero(1);
  w.u16(action.finIdleTimeout);
  w.u16(action.finHardTimeout);
}

const learn: NiciraCodec<NxLearn> = {
  subtype: 16,
  type: 'nx_learn',
  decode: (r, ctx) => ({
    type: 'nx_learn',
    ...decodeHead(r, NX_LEARN_F.SEND_FLOW_REM | NX_LEARN_F.DELETE_LEARNED),
    specs: decodeSpecs(r, ctx),
  }),
  encode(w, action, ctx) {
    const start = w.mark() - headLength;
    encodeHead(w, action);
    for (const spec of action.specs) encodeSpec(w, spec, ctx);
    w.padTo8(start);
  },
};

const learn2: NiciraCodec<NxLearn2> = {
  subtype: 45,
  type: 'nx_learn2',
  decode(r, ctx) {
    const head = decodeHead(r, NX_LEARN_F.SEND_FLOW_REM | NX_LEARN_F.DELETE_LEARNED | NX_LEARN_F.WRITE_RESULT);
    const limit = r.u32();
    const offset = r.u16();
    expectZeros(r, 2);
    if ((head.flags & NX_LEARN_F.WRITE_RESULT) === 0) {
      if (offset !== 0) throw bad(OFPBAC.BAD_ARGUMENT, 'offset of a result that is not asked for');
      return { type: 'nx_learn2', ...head, limit, specs: decodeSpecs(r, ctx) };
    }
    const result = startOf(readHeader(r, ctx), offset);
    checkBits(result, offset, 1, ctx);
    checkWritable(result);
    return { type: 'nx_learn2', ...head, limit, result, specs: decodeSpecs(r, ctx) };
  },
  encode(w, action, ctx) {
    const start = w.mark() - headLength;
    if ((action.result !== undefined) !== ((action.flags & NX_LEARN_F.WRITE_RESULT) !== 0)) {
      throw new EncodeError('learn has a result if and only if its flags have WRITE_RESULT');
    }
    encodeHead(w, action);
    w.u32(action.limit);
    w.u16(action.result?.offset ?? 0);
    w.zero(2);
    if (action.result !== undefined) writeHeader(w, action.result, ctx);
    for (const spec of action.specs) encodeSpec(w, spec, ctx);
    w.padTo8(start);
  },
};

export const learnActions: readonly NiciraCodec[] = [learn, learn2] as readonly NiciraCodec[];
