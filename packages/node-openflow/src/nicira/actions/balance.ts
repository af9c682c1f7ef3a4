/** NXAST_MULTIPATH, NXAST_BUNDLE, NXAST_BUNDLE_LOAD: one of several ways, chosen by a hash of the packet. */
import type { Context } from '../../codec/protocol.js';
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { EncodeError, WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type { NxBundle, NxBundleLoad, NxMultipath, Subfield } from '../action-types.js';
import { NX_BD_ALG, NX_HASH_FIELDS, NX_MP_ALG } from '../constants.js';
import {
  checkWritable,
  expectZeros,
  readHeader32,
  readPacked,
  subfieldOf,
  writeHeader32,
  writePacked,
} from '../subfield.js';
import { headLength, type NiciraCodec } from './codec.js';

const bad = (reason: string): WireError => new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, reason);

function decodeFields(fields: number): number {
  if (fields > NX_HASH_FIELDS.SYMMETRIC_L3) throw bad(`hash of fields ${fields}`);
  return fields;
}

const multipath: NiciraCodec<NxMultipath> = {
  subtype: 10,
  type: 'nx_multipath',
  decode(r, ctx) {
    const fields = decodeFields(r.u16());
    const basis = r.u16();
    r.skip(2);
    const algorithm = r.u16();
    const maxLink = r.u16();
    const argument = r.u32();
    r.skip(2);
    const packed = readPacked(r);
    const destination = subfieldOf(readHeader32(r, ctx), packed, ctx);
    if (algorithm > NX_MP_ALG.ITER_HASH) throw bad(`multipath algorithm ${algorithm}`);
    if (maxLink >= 2 ** destination.bits) throw bad(`${maxLink + 1} links in ${destination.bits} bits`);
    checkWritable(destination);
    return { type: 'nx_multipath', fields, basis, algorithm, maxLink, argument, destination };
  },
  encode(w, action, ctx) {
    w.u16(action.fields);
    w.u16(action.basis);
    w.zero(2);
    w.u16(action.algorithm);
    w.u16(action.maxLink);
    w.u32(action.argument);
    w.zero(2);
    writePacked(w, action.destination);
    writeHeader32(w, action.destination, ctx);
  },
};

/** Members are always OpenFlow ports: NXM_OF_IN_PORT. */
const memberType = 0x0000_0002;
const maxMembers = 2048;
const leastBits = 16;

function decodeBundle(r: WireReader, ctx: Context, load: boolean) {
  const algorithm = r.u16();
  const fields = decodeFields(r.u16());
  const basis = r.u16();
  const type = r.u32();
  const count = r.u16();
  if (algorithm > NX_BD_ALG.HRW || type !== memberType || count > maxMembers) {
    throw bad(`bundle of ${count} members of type ${type}, algorithm ${algorithm}`);
  }
  let destination: Subfield | undefined;
  if (load) {
    const packed = readPacked(r);
    destination = subfieldOf(readHeader32(r, ctx), packed, ctx);
    checkWritable(destination);
    if (destination.bits < leastBits) throw bad(`a port in ${destination.bits} bits`);
  } else {
    expectZeros(r, 6);
  }
  expectZeros(r, 4);
  const members = Array.from({ length: count }, () => r.u16());
  r.skip(r.remaining & 7);
  return { algorithm, fields, basis, members, destination };
}

function encodeBundle(w: WireWriter, action: NxBundle | NxBundleLoad, ctx: Context): void {
  const start = w.mark() - headLength;
  if (action.members.length > maxMembers) throw new EncodeError(`${action.members.length} members`);
  w.u16(action.algorithm);
  w.u16(action.fields);
  w.u16(action.basis);
  w.u32(memberType);
  w.u16(action.members.length);
  if (action.type === 'nx_bundle_load') {
    writePacked(w, action.destination);
    writeHeader32(w, action.destination, ctx);
  } else {
    w.zero(6);
  }
  w.zero(4);
  for (const member of action.members) w.u16(member);
  w.padTo8(start);
}

const bundle: NiciraCodec<NxBundle> = {
  subtype: 12,
  type: 'nx_bundle',
  decode(r, ctx) {
    const { algorithm, fields, basis, members } = decodeBundle(r, ctx, false);
    return { type: 'nx_bundle', algorithm, fields, basis, members };
  },
  encode: encodeBundle,
};

const bundleLoad: NiciraCodec<NxBundleLoad> = {
  subtype: 13,
  type: 'nx_bundle_load',
  decode(r, ctx) {
    const { algorithm, fields, basis, members, destination } = decodeBundle(r, ctx, true);
    return { type: 'nx_bundle_load', algorithm, fields, basis, members, destination: destination! };
  },
  encode: encodeBundle,
};

export const balanceActions: readonly NiciraCodec[] = [multipath, bundle, bundleLoad] as readonly NiciraCodec[];
