/** NXT_CT_FLUSH and NXT_CT_FLUSH_ZONE: connections to be forgotten (nx_ct_flush_tlv_type). */
import { OFPBRC, OFPET } from '../../of13/errors.js';
import { WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type { CtTuple, NxCtFlush, NxCtFlushZone } from '../message-types.js';
import type { NiciraMessageCodec } from './codec.js';

const outer = { original: 0, reply: 1, zoneId: 2 } as const;
/** By number in a tuple. */
const members = ['source', 'destination', 'sourcePort', 'destinationPort', 'icmpId', 'icmpType', 'icmpCode'] as const;
const addressLength = 16;

/** Properties of type, length, value and padding to 8 bytes. */
function eachProperty(r: WireReader, read: (code: number, item: WireReader) => void): void {
  while (r.remaining > 0) {
    const item = r.sized(2);
    const length = item.remaining;
    const code = item.u16();
    item.skip(2);
    read(code, item);
    item.expectEnd();
    r.skip(-length & 7);
  }
}

function put(w: WireWriter, code: number, write: () => void): void {
  const start = w.mark();
  w.u16(code);
  w.u16(0);
  write();
  w.patchLength(start, 2);
  w.padTo8(start);
}

const unknown = (code: number): WireError =>
  new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_TYPE, `ct_flush property ${code}`);

function decodeTuple(r: WireReader): CtTuple {
  // Four bytes bring the nested properties to a multiple of 8.
  r.skip(4);
  let tuple: CtTuple = {};
  eachProperty(r, (code, item) => {
    const name = members[code];
    if (name === undefined) throw unknown(code);
    const isAddress = name === 'source' || name === 'destination';
    const value = isAddress
      ? item.bytes(addressLength)
      : name === 'icmpType' || name === 'icmpCode'
        ? item.u8()
        : item.u16();
    tuple = { ...tuple, [name]: value };
  });
  return tuple;
}

function encodeTuple(w: WireWriter, tuple: CtTuple): void {
  w.zero(4);
  for (const [code, name] of members.entries()) {
    const value = tuple[name];
    if (value === undefined) continue;
    put(w, code, () => {
      if (value instanceof Uint8Array) w.exactly(value, addressLength);
      else if (name === 'icmpType' || name === 'icmpCode') w.u8(value);
      else w.u16(value);
    });
  }
}

const ctFlush: NiciraMessageCodec<NxCtFlush> = {
  subtype: 32,
  type: 'nx_ct_flush',
  decode(r, { version, xid }) {
    const ipProto = r.u8();
    r.skip(7);
    let message: NxCtFlush = { version, xid, type: 'nx_ct_flush', ipProto };
    eachProperty(r, (code, item) => {
      if (code === outer.zoneId) message = { ...message, zoneId: item.u16() };
      else if (code === outer.original) message = { ...message, original: decodeTuple(item) };
      else if (code === outer.reply) message = { ...message, reply: decodeTuple(item) };
      else throw unknown(code);
    });
    return message;
  },
  encode(w, { ipProto, zoneId, original, reply }) {
    w.u8(ipProto);
    w.zero(7);
    if (original !== undefined) put(w, outer.original, () => encodeTuple(w, original));
    if (reply !== undefined) put(w, outer.reply, () => encodeTuple(w, reply));
    if (zoneId !== undefined) put(w, outer.zoneId, () => w.u16(zoneId));
  },
};

const ctFlushZone: NiciraMessageCodec<NxCtFlushZone> = {
  subtype: 29,
  type: 'nx_ct_flush_zone',
  decode(r, { version, xid }) {
    r.skip(6);
    return { version, xid, type: 'nx_ct_flush_zone', zoneId: r.u16() };
  },
  encode(w, message) {
    w.zero(6);
    w.u16(message.zoneId);
  },
};

export const ctMessages: readonly NiciraMessageCodec[] = [ctFlush, ctFlushZone] as readonly NiciraMessageCodec[];
