/**
 * ofp_experimenter_header (OpenFlow 1.3.5 §7.5.4), 1.0's ofp_vendor_header: passed on as bytes, unless the version knows it
 * as an extension.
 */
import type { Context, Extension, MessageCodec } from '../codec/protocol.js';
import { OFPBRC, OFPET } from '../of13/errors.js';
import type { Experimenter, Head, Message } from '../types/message.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

const code = 4;

function decodeRest(r: WireReader, head: Head, ctx: Context, experimenter: number): Experimenter {
  const expType = r.u32();
  const known = ctx.protocol.extensions.messages.find(experimenter, expType);
  if (known !== undefined) return known.decode(r, head, ctx) as Experimenter;
  if (!ctx.keepUnknown && ctx.protocol.extensions.messages.knows(experimenter)) {
    throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_EXP_TYPE, `unknown message ${expType} of ${experimenter}`);
  }
  return { version: head.version, xid: head.xid, type: 'experimenter', experimenter, expType, data: r.rest() };
}

export const experimenter: MessageCodec<Experimenter> = {
  code,
  type: 'experimenter',
  decode: (r, head, ctx) => decodeRest(r, head, ctx, r.u32()),
  encode(w, message) {
    if (message.expType === undefined)
      throw new EncodeError('an experimenter message has an exp_type since OpenFlow 1.2');
    w.u32(message.experimenter);
    w.u32(message.expType);
    w.bytes(message.data);
  },
};

/** In 1.0 and 1.1 a message may end behind the experimenter's id. */
export const vendor: MessageCodec<Experimenter> = {
  code,
  type: 'experimenter',
  decode(r, head, ctx) {
    const id = r.u32();
    if (r.remaining >= 4) return decodeRest(r, head, ctx, id);
    return { version: head.version, xid: head.xid, type: 'experimenter', experimenter: id, data: r.rest() };
  },
  encode(w, message) {
    w.u32(message.experimenter);
    if (message.expType !== undefined) w.u32(message.expType);
    w.bytes(message.data);
  },
};

/** A message that the version has as an experimenter's. */
export function encodeExtension(w: WireWriter, message: Message, known: Extension<MessageCodec>, ctx: Context): void {
  w.u32(known.experimenter);
  w.u32(known.expType);
  known.codec.encode(w, message, ctx);
}
export const experimenterCode = code;
