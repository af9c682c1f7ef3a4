/**
 * ofp_multipart_request and _reply (OpenFlow 1.3.5 §7.3.5), ofp_stats_request and _reply until 1.2: a type that selects the
 * form of the body.
 */
import type { Context, MessageCodec, MultipartCodec } from '../codec/protocol.js';
import { experimenterMultipartCode } from '../multipart/experimenter.js';
import { OFPBRC, OFPET } from '../of13/errors.js';
import type { MultipartReply, MultipartRequest } from '../types/message.js';
import type { MultipartReplyBody, MultipartRequestBody } from '../types/multipart.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

type Side = 'request' | 'reply';
type Body = MultipartRequestBody | MultipartReplyBody;

function decodeBody(r: WireReader, code: number, side: Side, ctx: Context): Body {
  const codec = ctx.protocol.multiparts.byCode.get(code);
  if (codec !== undefined) return codec[side].decode(r, ctx);
  if (ctx.keepUnknown) return { type: 'unknown', code, data: r.rest() };
  throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_MULTIPART, `unknown multipart type ${code}`);
}

/**
 * Writes the part before the body, which is the same for each piece of a body that is spread over messages; answers with
 * the codec of the body. Throws where the version has no such multipart.
 */
export function encodeMultipartHead(w: WireWriter, type: string, flags: number, ctx: Context): MultipartCodec {
  const { multiparts, extensions, multipartPadding, version } = ctx.protocol;
  const own = multiparts.byType.get(type);
  const known = extensions.multiparts.byType.get(type);
  if (own === undefined && known === undefined) throw new EncodeError(`no multipart ${type} in version ${version}`);
  w.u16(own?.code ?? experimenterMultipartCode);
  w.u16(flags);
  w.zero(multipartPadding);
  if (own !== undefined) return own;
  w.u32(known!.experimenter);
  w.u32(known!.expType);
  return known!.codec;
}

function multipart<M extends MultipartRequest | MultipartReply>(code: number, side: Side): MessageCodec<M> {
  const type = `multipart_${side}` as const;
  return {
    code,
    type,
    decode(r, { version, xid }, ctx) {
      const bodyCode = r.u16();
      const flags = r.u16();
      r.skip(ctx.protocol.multipartPadding);
      return { version, xid, type, flags, body: decodeBody(r, bodyCode, side, ctx) } as M;
    },
    encode(w, { body, flags }, ctx) {
      if (body.type === 'unknown') {
        w.u16(body.code);
        w.u16(flags);
        w.zero(ctx.protocol.multipartPadding);
        w.bytes(body.data);
        return;
      }
      const codec = encodeMultipartHead(w, body.type, flags, ctx);
      if (side === 'request') codec.request.encode(w, body as MultipartRequestBody, ctx);
      else codec.reply.encode(w, body as MultipartReplyBody, ctx);
    },
  };
}

export const multipartRequest = multipart<MultipartRequest>(18, 'request');
export const multipartReply = multipart<MultipartReply>(19, 'reply');
export const statsRequest10 = multipart<MultipartRequest>(16, 'request');
export const statsReply10 = multipart<MultipartReply>(17, 'reply');
