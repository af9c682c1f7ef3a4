/** NXT_PACKET_IN2 and NXT_RESUME: a packet-in as properties (nx_packet_in2_prop_type). */
import { encodeOxm } from '../../codec/oxm.js';
import type { Context } from '../../codec/protocol.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type { NxPacketIn2, NxPacketInProperty } from '../message-types.js';
import { decodeFields } from '../nx-match.js';
import type { NiciraMessageCodec } from './codec.js';

/** By property number. */
const names = [
  'packet',
  'full_len',
  'buffer_id',
  'table_id',
  'cookie',
  'reason',
  'metadata',
  'userdata',
  'continuation',
] as const;

function decodeProperty(r: WireReader, code: number, ctx: Context): NxPacketInProperty {
  const type = names[code];
  switch (type) {
    case 'packet':
    case 'userdata':
      return { type, data: r.rest() };
    case 'continuation':
      // Properties of the switch's own, which begin at a multiple of 8.
      r.skip(4);
      return { type, data: r.rest() };
    case 'full_len':
    case 'buffer_id':
      return { type, value: r.u32() };
    case 'table_id':
    case 'reason':
      return { type, value: r.u8() };
    case 'cookie':
      r.skip(4);
      return { type, cookie: r.u64() };
    case 'metadata':
      return { type, match: decodeFields(r, ctx) };
    default:
      return { type: 'unknown', code, data: r.rest() };
  }
}

function encodeProperty(w: WireWriter, property: NxPacketInProperty, ctx: Context): void {
  const start = w.mark();
  w.u16(property.type === 'unknown' ? property.code : names.indexOf(property.type));
  w.u16(0);
  if (property.type === 'continuation') w.zero(4);
  if ('data' in property) w.bytes(property.data);
  else if ('match' in property) for (const tlv of property.match) encodeOxm(w, tlv, ctx);
  else if ('cookie' in property) {
    w.zero(4);
    w.u64(property.cookie);
  } else if (property.type === 'table_id' || property.type === 'reason') w.u8(property.value);
  else w.u32(property.value);
  w.patchLength(start, 2);
  w.padTo8(start);
}

function inProperties(subtype: number, type: NxPacketIn2['type']): NiciraMessageCodec<NxPacketIn2> {
  return {
    subtype,
    type,
    decode(r, { version, xid }, ctx) {
      const properties: NxPacketInProperty[] = [];
      while (r.remaining > 0) {
        const item = r.sized(2);
        const length = item.remaining;
        const code = item.u16();
        item.skip(2);
        properties.push(decodeProperty(item, code, ctx));
        item.expectEnd();
        r.skip(-length & 7);
      }
      return { version, xid, type, properties };
    },
    encode(w, message, ctx) {
      for (const property of message.properties) encodeProperty(w, property, ctx);
    },
  };
}

export const packetIn2Messages: readonly NiciraMessageCodec[] = [
  inProperties(30, 'nx_packet_in2'),
  inProperties(28, 'nx_resume'),
] as readonly NiciraMessageCodec[];
