/** NXAST_CT and NXAST_CLONE: actions that hold actions. */
import { decodeActions, encodeActions } from '../../codec/lists.js';
import type { Context } from '../../codec/protocol.js';
import { OFPBAC, OFPET } from '../../of13/errors.js';
import type { Action } from '../../types/action.js';
import { WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { NxClone, NxCt, Subfield } from '../action-types.js';
import { NX_CT_F } from '../constants.js';
import { readHeader32, subfieldOf, writeHeader32, writePacked } from '../subfield.js';
import type { NiciraCodec } from './codec.js';

/** Actions inside actions inside actions: deeper than anyone writes, shallower than the stack. */
const maxDepth = 64;

function decodeNested(r: WireReader, ctx: Context): readonly Action[] {
  const depth = (ctx.depth ?? 0) + 1;
  if (depth > maxDepth) throw new WireError(OFPET.BAD_ACTION, OFPBAC.TOO_MANY, `actions nested ${depth} deep`);
  return decodeActions(r, { ...ctx, depth });
}

/** A zone in a field must have all of its 16 bits. */
const zoneBits = 16;

function decodeZone(r: WireReader, ctx: Context): number | Subfield {
  // A header of zero is NXM_OF_IN_PORT's class and number without a length, which no field has.
  const head = r.fork();
  const immediate = r.u32() === 0;
  const rest = r.u16();
  if (immediate) return rest;
  const header = readHeader32(head, ctx);
  const zone = subfieldOf(header, { offset: rest >> 6, bits: (rest & 0x3f) + 1 }, ctx);
  if (zone.bits !== zoneBits) throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_SET_LEN, `a zone of ${zone.bits} bits`);
  return zone;
}

const ct: NiciraCodec<NxCt> = {
  subtype: 35,
  type: 'nx_ct',
  decode(r, ctx) {
    const flags = r.u16();
    if ((flags & NX_CT_F.FORCE) !== 0 && (flags & NX_CT_F.COMMIT) === 0) {
      throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, 'ct with force and without commit');
    }
    const zone = decodeZone(r, ctx);
    const recircTable = r.u8();
    r.skip(3);
    const alg = r.u16();
    return { type: 'nx_ct', flags, zone, recircTable, alg, actions: decodeNested(r.sub(r.remaining), ctx) };
  },
  encode(w, action, ctx) {
    w.u16(action.flags);
    if (typeof action.zone === 'number') {
      w.u32(0);
      w.u16(action.zone);
    } else {
      writeHeader32(w, action.zone, ctx);
      writePacked(w, action.zone);
    }
    w.u8(action.recircTable);
    w.zero(3);
    w.u16(action.alg);
    encodeActions(w, action.actions, ctx);
  },
};

const clone: NiciraCodec<NxClone> = {
  subtype: 42,
  type: 'nx_clone',
  decode(r, ctx) {
    r.skip(6);
    return { type: 'nx_clone', actions: decodeNested(r.sub(r.remaining), ctx) };
  },
  encode(w, action, ctx) {
    w.zero(6);
    encodeActions(w, action.actions, ctx);
  },
};

export const nestingActions: readonly NiciraCodec[] = [ct, clone] as readonly NiciraCodec[];
