/** Lists of properties (OpenFlow 1.4.1 §7.2.1.2 and on): type, length, body, and padding that the length does not count. */
import { bareUnknown, decodeList, encodeList, type Kind } from '../codec/lists.js';
import { type Codec, type Context, tableOf } from '../codec/protocol.js';
import { OFPBPC, OFPET } from '../of14/errors.js';
import type { AnyProperty, ExperimenterProperty, OfpTime } from '../types/property.js';
import { WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

export interface PropertyList<Property> {
  /** Until the reader's end. */
  decode(r: WireReader, ctx: Context): readonly Property[];
  encode(w: WireWriter, properties: readonly Property[] | undefined, ctx: Context): void;
}

/** Of a request: each type but the experimenters' once (OpenFlow 1.4.1 §7.5.4.14, OFPBPC_DUP_TYPE). */
export function once<Property extends { readonly type: string }>(list: readonly Property[]): readonly Property[] {
  const types = list.map(({ type }) => type).filter((type) => type !== 'unknown' && !type.startsWith('experimenter'));
  const twice = types.find((type, i) => types.indexOf(type) < i);
  if (twice === undefined) return list;
  throw new WireError(OFPET.BAD_PROPERTY, OFPBPC.DUP_TYPE, `the property ${twice} twice`);
}

/** `writers`: for values that are found by more than their type. */
export function propertyList<Property extends { readonly type: string }>(
  name: string,
  codecs: readonly Codec<Property>[],
  writers: readonly Codec<Property>[] = [],
): PropertyList<Property> {
  const table = tableOf(codecs, writers);
  const kind: Kind<Property> = {
    name: `${name} property`,
    table: () => table,
    errorType: OFPET.BAD_PROPERTY,
    lengthError: OFPBPC.BAD_LEN,
    unknownError: OFPBPC.BAD_TYPE,
    padding: 'behind',
    decodeUnknown: (code, r) => bareUnknown.decodeUnknown(code, r) as unknown as Property,
    encodeUnknown: bareUnknown.encodeUnknown,
  };
  return {
    decode: (r, ctx) => decodeList(r, ctx, kind),
    encode: (w, properties, ctx) => encodeList(w, properties ?? [], ctx, kind),
  };
}

export const experimenterProperty: Codec<ExperimenterProperty> = {
  code: 0xffff,
  type: 'experimenter',
  decode: (r) => ({ type: 'experimenter', experimenter: r.u32(), expType: r.u32(), data: r.rest() }),
  encode(w, property) {
    w.u32(property.experimenter);
    w.u32(property.expType);
    w.bytes(property.data);
  },
};

/** Lists that hold nothing but experimenters'. */
export function vendorProperties(name: string): PropertyList<AnyProperty> {
  return propertyList<AnyProperty>(name, [experimenterProperty as Codec<AnyProperty>]);
}

/** For a value that has the list only where it is not empty. */
export function present<P>(properties: readonly P[]): { readonly properties?: readonly P[] } {
  return properties.length === 0 ? {} : { properties };
}

/** ofp_time (OpenFlow 1.5.1 §7.3.9.4). */
export function decodeTime(r: WireReader): OfpTime {
  const seconds = r.u64();
  const nanoseconds = r.u32();
  r.skip(4);
  return { seconds, nanoseconds };
}

export function encodeTime(w: WireWriter, time: OfpTime): void {
  w.u64(time.seconds);
  w.u32(time.nanoseconds);
  w.zero(4);
}
