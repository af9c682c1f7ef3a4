/** NXAST_NAT: allowed inside NXAST_CT only. Which parts of the range follow is said by a bit each. */
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { EncodeError, WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { NatRange, NxNat } from '../action-types.js';
import { NX_NAT_F } from '../constants.js';
import { headLength, type NiciraCodec } from './codec.js';

/** nx_nat_range */
const has = { ipv4Min: 1 << 0, ipv4Max: 1 << 1, ipv6Min: 1 << 2, ipv6Max: 1 << 3, portMin: 1 << 4, portMax: 1 << 5 };
const ipv4Width = 4;
const ipv6Width = 16;

const bad = (reason: string): WireError => new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, reason);
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function checkFlags(flags: number): void {
  const both = (a: number, b: number): boolean => (flags & a) !== 0 && (flags & b) !== 0;
  const known = Object.values(NX_NAT_F).reduce((all, flag) => all | flag, 0);
  if ((flags & ~known) !== 0 || both(NX_NAT_F.SRC, NX_NAT_F.DST) || both(NX_NAT_F.PROTO_HASH, NX_NAT_F.PROTO_RANDOM)) {
    throw bad(`nat flags ${flags}`);
  }
}

function decodeRange(r: WireReader, present: number): NatRange | undefined {
  const v4 = (present & has.ipv4Min) !== 0;
  const v6 = (present & has.ipv6Min) !== 0;
  const v4Max = (present & has.ipv4Max) !== 0;
  const v6Max = (present & has.ipv6Max) !== 0;
  if ((v4 && (v6 || v6Max)) || (v4Max && !v4) || (v6Max && !v6)) throw bad(`nat range parts ${present}`);
  const ports = (present & (has.portMin | has.portMax)) !== 0;
  if (!v4 && !v6) {
    if (ports) throw bad('nat ports without an address');
    return undefined;
  }
  const width = v4 ? ipv4Width : ipv6Width;
  const addressMin = r.bytes(width);
  if (isZero(addressMin)) throw bad('nat to address zero');
  const addressMax = v4Max || v6Max ? r.bytes(width) : undefined;
  if (addressMax !== undefined && Buffer.compare(addressMax, addressMin) < 0) throw bad('nat address range backwards');
  if (!ports) return { addressMin, ...(addressMax === undefined ? {} : { addressMax }) };
  if ((present & has.portMin) === 0) throw bad('nat port range without its least port');
  const portMin = r.u16();
  const portMax = (present & has.portMax) !== 0 ? r.u16() : undefined;
  if (portMin === 0 || (portMax !== undefined && portMax < portMin)) throw bad('nat port range');
  return {
    addressMin,
    ...(addressMax === undefined ? {} : { addressMax }),
    portMin,
    ...(portMax === undefined ? {} : { portMax }),
  };
}

function presence(range: NatRange): number {
  const v4 = range.addressMin.length === ipv4Width;
  if (!v4 && range.addressMin.length !== ipv6Width) throw new EncodeError('a nat address has 4 or 16 bytes');
  if (range.portMax !== undefined && range.portMin === undefined) throw new EncodeError('portMax without portMin');
  return (
    (v4 ? has.ipv4Min : has.ipv6Min) |
    (range.addressMax === undefined ? 0 : v4 ? has.ipv4Max : has.ipv6Max) |
    (range.portMin === undefined ? 0 : has.portMin) |
    (range.portMax === undefined ? 0 : has.portMax)
  );
}

export const nat: NiciraCodec<NxNat> = {
  subtype: 36,
  type: 'nx_nat',
  decode(r) {
    r.skip(2);
    const flags = r.u16();
    checkFlags(flags);
    const range = decodeRange(r, r.u16());
    r.skip(r.remaining & 7);
    return { type: 'nx_nat', flags, ...(range === undefined ? {} : { range }) };
  },
  encode(w, { flags, range }) {
    const start = w.mark() - headLength;
    w.zero(2);
    w.u16(flags);
    w.u16(range === undefined ? 0 : presence(range));
    if (range !== undefined) {
      w.bytes(range.addressMin);
      if (range.addressMax !== undefined) w.exactly(range.addressMax, range.addressMin.length);
      if (range.portMin !== undefined) w.u16(range.portMin);
      if (range.portMax !== undefined) w.u16(range.portMax);
    }
    w.padTo8(start);
  },
};
