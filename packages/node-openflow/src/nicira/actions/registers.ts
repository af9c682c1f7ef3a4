/** Actions that move bits between fields, values and the stack. */
import { decodeOxm, encodeOxm, setFieldFailures } from '../../codec/oxm.js';
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type {
  NxCheckPktLarger,
  NxDeleteField,
  NxOutputReg,
  NxRegLoad,
  NxRegLoad2,
  NxRegMove,
  NxStack,
} from '../action-types.js';
import {
  checkBits,
  checkWritable,
  expectZeros,
  readHeader,
  readHeader32,
  readPacked,
  startOf,
  subfieldOf,
  UnknownFieldError,
  writeHeader,
  writeHeader32,
  writePacked,
} from '../subfield.js';
import { headLength, type NiciraCodec } from './codec.js';

/** What follows the subtype in an action of 24 bytes. */
const body24 = 24 - headLength;
function expect24(r: WireReader): void {
  if (r.remaining !== body24) throw r.lengthError(`${r.remaining + headLength} bytes where there must be 24`);
}

/** OpenFlow 1.5 has set_field with a mask and copy_field in their place. */
const until14 = { until: 5 } as const;

/** NXAST_REG_MOVE, and ONF's copy_field of OpenFlow 1.3, which has other padding. */
export function move(
  subtype: number,
  type: NxRegMove['type'],
  pads: readonly [number, number],
): NiciraCodec<NxRegMove> {
  return {
    subtype,
    type,
    ...until14,
    decode(r, ctx) {
      r.skip(pads[0]);
      const bits = r.u16();
      const [sourceOffset, offset] = [r.u16(), r.u16()];
      r.skip(pads[1]);
      const source = readHeader(r, ctx);
      const destination = readHeader(r, ctx);
      expectZeros(r);
      checkBits(source, sourceOffset, bits, ctx);
      checkBits(destination, offset, bits, ctx);
      checkWritable(destination);
      return { type, bits, source: startOf(source, sourceOffset), destination: startOf(destination, offset) };
    },
    encode(w, action, ctx) {
      const start = w.mark() - headLength;
      w.zero(pads[0]);
      w.u16(action.bits);
      w.u16(action.source.offset);
      w.u16(action.destination.offset);
      w.zero(pads[1]);
      writeHeader(w, action.source, ctx);
      writeHeader(w, action.destination, ctx);
      w.padTo8(start);
    },
  };
}

const load: NiciraCodec<NxRegLoad> = {
  subtype: 7,
  type: 'nx_reg_load',
  ...until14,
  decode(r, ctx) {
    const packed = readPacked(r);
    const destination = subfieldOf(readHeader32(r, ctx), packed, ctx);
    checkWritable(destination);
    const value = r.u64();
    if (value >> BigInt(destination.bits) !== 0n) {
      throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, `${value} in ${destination.bits} bits`);
    }
    return { type: 'nx_reg_load', destination, value };
  },
  encode(w, action, ctx) {
    writePacked(w, action.destination);
    writeHeader32(w, action.destination, ctx);
    w.u64(action.value);
  },
};

const load2: NiciraCodec<NxRegLoad2> = {
  subtype: 33,
  type: 'nx_reg_load2',
  ...until14,
  decode(r, ctx) {
    const oxm = decodeOxm(r, ctx, setFieldFailures);
    if (oxm.field === 'raw' || oxm.field === 'experimenter') {
      throw new UnknownFieldError(OFPET.BAD_ACTION, OFPBAC.BAD_SET_TYPE, 'load into an unknown field');
    }
    checkWritable({ field: oxm.field });
    expectZeros(r);
    return { type: 'nx_reg_load2', oxm };
  },
  encode(w, action, ctx) {
    const start = w.mark() - headLength;
    encodeOxm(w, action.oxm, ctx);
    w.padTo8(start);
  },
};

function stack(subtype: number, type: NxStack['type']): NiciraCodec<NxStack> {
  return {
    subtype,
    type,
    decode(r, ctx) {
      expect24(r);
      const offset = r.u16();
      const header = readHeader(r, ctx);
      const subfield = subfieldOf(header, { offset, bits: r.u16() }, ctx);
      if (type === 'nx_stack_pop') checkWritable(subfield);
      expectZeros(r);
      return { type, subfield };
    },
    encode(w, { subfield }, ctx) {
      const start = w.mark() - headLength;
      w.u16(subfield.offset);
      writeHeader(w, subfield, ctx);
      w.u16(subfield.bits);
      w.zero(24 - (w.mark() - start));
    },
  };
}

const outputReg: NiciraCodec<NxOutputReg> = {
  subtype: 15,
  type: 'nx_output_reg',
  decode(r, ctx) {
    const packed = readPacked(r);
    const source = subfieldOf(readHeader32(r, ctx), packed, ctx);
    const maxLen = r.u16();
    expectZeros(r, 6);
    return { type: 'nx_output_reg', source, maxLen };
  },
  encode(w, action, ctx) {
    writePacked(w, action.source);
    writeHeader32(w, action.source, ctx);
    w.u16(action.maxLen);
    w.zero(6);
  },
};

const outputReg2: NiciraCodec<NxOutputReg> = {
  subtype: 32,
  type: 'nx_output_reg2',
  decode(r, ctx) {
    expect24(r);
    const packed = readPacked(r);
    const maxLen = r.u16();
    const source = subfieldOf(readHeader(r, ctx), packed, ctx);
    expectZeros(r);
    return { type: 'nx_output_reg2', source, maxLen };
  },
  encode(w, action, ctx) {
    const start = w.mark() - headLength;
    writePacked(w, action.source);
    w.u16(action.maxLen);
    writeHeader(w, action.source, ctx);
    w.zero(24 - (w.mark() - start));
  },
};

const checkPktLarger: NiciraCodec<NxCheckPktLarger> = {
  subtype: 49,
  type: 'nx_check_pkt_larger',
  decode(r, ctx) {
    expect24(r);
    const packetLength = r.u16();
    const offset = r.u16();
    const destination = startOf(readHeader(r, ctx), offset);
    expectZeros(r);
    checkBits(destination, offset, 1, ctx);
    checkWritable(destination);
    return { type: 'nx_check_pkt_larger', packetLength, destination };
  },
  encode(w, action, ctx) {
    const start = w.mark() - headLength;
    w.u16(action.packetLength);
    w.u16(action.destination.offset);
    writeHeader(w, action.destination, ctx);
    w.zero(24 - (w.mark() - start));
  },
};

const deleteField: NiciraCodec<NxDeleteField> = {
  subtype: 50,
  type: 'nx_delete_field',
  decode(r, ctx) {
    expect24(r);
    const header = readHeader(r, ctx);
    r.skip(r.remaining);
    return { type: 'nx_delete_field', ...header };
  },
  encode(w, action, ctx) {
    const start = w.mark() - headLength;
    writeHeader(w, action, ctx);
    w.zero(24 - (w.mark() - start));
  },
};

export const registerActions: readonly NiciraCodec[] = [
  move(6, 'nx_reg_move', [0, 0]),
  load,
  load2,
  stack(27, 'nx_stack_push'),
  stack(28, 'nx_stack_pop'),
  outputReg,
  outputReg2,
  checkPktLarger,
  deleteField,
] as readonly NiciraCodec[];
