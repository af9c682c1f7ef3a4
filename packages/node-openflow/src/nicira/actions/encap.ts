/** NXAST_ENCAP and NXAST_DECAP: a header more or less in front of the packet, with properties of that header. */
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { EncodeError, WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type { EncapProperty, NxDecap, NxEncap } from '../action-types.js';
import { OFPPPC, OFPPPT_NSH } from '../constants.js';
import { headLength, type NiciraCodec } from './codec.js';

const since13 = { since: 4 } as const;
const mdTypeLength = 5;
const tlvHeadLength = 8;
const headerLength = 4;

const bad = (reason: string): WireError => new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, reason);

function decodeProperty(r: WireReader): EncapProperty {
  const propertyClass = r.u16();
  const type = r.u8();
  const length = r.u8();
  if (length < headerLength) throw bad(`an encap property of ${length} bytes`);
  const fullLength = length + (-length & 7);
  const ofNsh = propertyClass === OFPPPC.NSH && Object.values<number>(OFPPPT_NSH).includes(type);
  if (!ofNsh) {
    const data = r.bytes(length - headerLength);
    r.skip(fullLength - length);
    return { type: 'other', propertyClass, propertyType: type, data };
  }
  if (type === OFPPPT_NSH.MDTYPE && length >= mdTypeLength && length <= 8) {
    const mdType = r.u8();
    r.skip(fullLength - mdTypeLength);
    return { type: 'nsh_md_type', mdType };
  }
  if (type === OFPPPT_NSH.MDTYPE) throw bad(`an MD type in ${length} bytes`);
  const tlvClass = r.u16();
  const tlvType = r.u8();
  const dataLength = r.u8();
  const padded = dataLength + (-dataLength & 7);
  if (length !== tlvHeadLength + padded) throw bad(`a TLV of ${dataLength} bytes in ${length}`);
  const data = r.bytes(dataLength);
  r.skip(padded - dataLength);
  return { type: 'nsh_tlv', tlvClass, tlvType, data };
}

function encodeProperty(w: WireWriter, property: EncapProperty): void {
  if (property.type === 'other') {
    const length = headerLength + property.data.length;
    if (length > 0xff) throw new EncodeError(`a property of ${length} bytes`);
    w.u16(property.propertyClass);
    w.u8(property.propertyType);
    w.u8(length);
    w.bytes(property.data);
    w.zero(-length & 7);
    return;
  }
  w.u16(OFPPPC.NSH);
  if (property.type === 'nsh_md_type') {
    w.u8(OFPPPT_NSH.MDTYPE);
    w.u8(mdTypeLength);
    w.u8(property.mdType);
    w.zero(3);
    return;
  }
  const padded = property.data.length + (-property.data.length & 7);
  if (tlvHeadLength + padded > 0xff) throw new EncodeError(`a TLV of ${property.data.length} bytes`);
  w.u8(OFPPPT_NSH.TLV);
  w.u8(tlvHeadLength + padded);
  w.u16(property.tlvClass);
  w.u8(property.tlvType);
  w.u8(property.data.length);
  w.bytes(property.data);
  w.zero(padded - property.data.length);
}

const encap: NiciraCodec<NxEncap> = {
  subtype: 46,
  type: 'nx_encap',
  ...since13,
  decode(r) {
    const headerSize = r.u16();
    const packetType = r.u32();
    const properties: EncapProperty[] = [];
    while (r.remaining > 0) properties.push(decodeProperty(r));
    return { type: 'nx_encap', headerSize, packetType, properties };
  },
  encode(w, action) {
    const start = w.mark() - headLength;
    w.u16(action.headerSize);
    w.u32(action.packetType);
    for (const property of action.properties) encodeProperty(w, property);
    w.padTo8(start);
  },
};

const decap: NiciraCodec<NxDecap> = {
  subtype: 47,
  type: 'nx_decap',
  ...since13,
  decode(r) {
    r.skip(2);
    return { type: 'nx_decap', packetType: r.u32() };
  },
  encode(w, action) {
    w.zero(2);
    w.u32(action.packetType);
  },
};

export const encapActions: readonly NiciraCodec[] = [encap, decap] as readonly NiciraCodec[];
