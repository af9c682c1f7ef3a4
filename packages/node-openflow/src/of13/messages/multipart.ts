/** ofp_multipart_request and _reply (OpenFlow 1.3.5 §7.3.5): a type that selects the form of the body. */
import type { Context, MessageCodec, MultipartCodec } from '../../codec/protocol.js';
import type { MultipartReply, MultipartRequest } from '../../types/message.js';
import type { MultipartReplyBody, MultipartRequestBody } from '../../types/multipart.js';
import { EncodeError, WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import { OFPBRC, OFPET } from '../errors.js';

type Side = 'request' | 'reply';

function decodeBody(r: WireReader, code: number, side: Side, ctx: Context): MultipartRequestBody | MultipartReplyBody {
  const codec = ctx.protocol.multiparts.byCode.get(code);
  if (codec !== undefined) return codec[side].decode(r, ctx);
  if (ctx.keepUnknown) return { type: 'unknown', code, data: r.rest() };
  throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_MULTIPART, `unknown multipart type ${code}`);
}

/** The codec of a multipart type by name; throws where the version has none. */
export function multipartCodec(type: string, ctx: Context): MultipartCodec {
  const codec = ctx.protocol.multiparts.byType.get(type);
  if (codec === undefined) throw new EncodeError(`no multipart ${type} in version ${ctx.protocol.version}`);
  return codec;
}

/** The part before the body, which is the same for each piece of a body that is spread over messages. */
export function encodeMultipartHead(w: WireWriter, code: number, flags: number): void {
  w.u16(code);
  w.u16(flags);
  w.zero(4);
}

export const multipartRequest: MessageCodec<MultipartRequest> = {
  code: 18,
  type: 'multipart_request',
  decode(r, { version, xid }, ctx) {
    const code = r.u16();
    const flags = r.u16();
    r.skip(4);
    const body = decodeBody(r, code, 'request', ctx) as MultipartRequestBody;
    return { version, xid, type: 'multipart_request', flags, body };
  },
  encode(w, { body, flags }, ctx) {
    if (body.type === 'unknown') {
      encodeMultipartHead(w, body.code, flags);
      w.bytes(body.data);
      return;
    }
    const codec = multipartCodec(body.type, ctx);
    encodeMultipartHead(w, codec.code, flags);
    codec.request.encode(w, body, ctx);
  },
};

export const multipartReply: MessageCodec<MultipartReply> = {
  code: 19,
  type: 'multipart_reply',
  decode(r, { version, xid }, ctx) {
    const code = r.u16();
    const flags = r.u16();
    r.skip(4);
    const body = decodeBody(r, code, 'reply', ctx) as MultipartReplyBody;
    return { version, xid, type: 'multipart_reply', flags, body };
  },
  encode(w, { body, flags }, ctx) {
    if (body.type === 'unknown') {
      encodeMultipartHead(w, body.code, flags);
      w.bytes(body.data);
      return;
    }
    const codec = multipartCodec(body.type, ctx);
    encodeMultipartHead(w, codec.code, flags);
    codec.reply.encode(w, body, ctx);
  },
};
