/**
 * ofp_experimenter_multipart_header (OpenFlow 1.3.5 §7.3.5.15): passed on as bytes, unless the version knows it as an
 * extension. Until 1.1 the experimenter's id is all the header there is, but a type behind it is the custom.
 */
import type { BodyCodec, Context, MultipartCodec } from '../codec/protocol.js';
import { OFPBRC, OFPET } from '../of13/errors.js';
import type { ExperimenterMultipart, MultipartReplyBody, MultipartRequestBody } from '../types/multipart.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

export const experimenterMultipartCode = 0xffff;
type Side = 'request' | 'reply';
type Body = MultipartRequestBody & MultipartReplyBody;

function body(side: Side, typeRequired: boolean): BodyCodec<Body> {
  return {
    decode(r: WireReader, ctx: Context): Body {
      const experimenter = r.u32();
      if (!typeRequired && r.remaining < 4) return { type: 'experimenter', experimenter, data: r.rest() };
      const expType = r.u32();
      const known = ctx.protocol.extensions.multiparts.find(experimenter, expType);
      if (known !== undefined) return known[side].decode(r, ctx) as Body;
      if (!ctx.keepUnknown && ctx.protocol.extensions.multiparts.knows(experimenter)) {
        throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_EXP_TYPE, `unknown multipart ${expType} of ${experimenter}`);
      }
      return { type: 'experimenter', experimenter, expType, data: r.rest() };
    },
    encode(w: WireWriter, { experimenter, expType, data }: ExperimenterMultipart) {
      if (expType === undefined && typeRequired) {
        throw new EncodeError('an experimenter multipart has an exp_type since OpenFlow 1.2');
      }
      w.u32(experimenter);
      if (expType !== undefined) w.u32(expType);
      w.bytes(data);
    },
  };
}

function multipart(typeRequired: boolean): MultipartCodec {
  return {
    code: experimenterMultipartCode,
    type: 'experimenter',
    request: body('request', typeRequired),
    reply: body('reply', typeRequired),
  };
}

export const experimenterMultipart = multipart(true);
export const vendorMultipart = multipart(false);
