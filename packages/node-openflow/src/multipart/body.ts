/** What most multipart bodies are: nothing, or a list of entries (OpenFlow 1.3.5 §7.3.5). */
import type { BodyCodec, Context } from '../codec/protocol.js';
import type { EmptyMultipartRequest, MultipartReplyBody, MultipartRequestBody } from '../types/multipart.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

export function emptyBody(type: EmptyMultipartRequest['type']): BodyCodec<EmptyMultipartRequest> {
  return { decode: () => ({ type }), encode() {} };
}

type ListBody = Extract<MultipartReplyBody | MultipartRequestBody, { readonly entries: readonly unknown[] }>;

export function listBody<Body extends ListBody>(
  type: Body['type'],
  decodeEntry: (r: WireReader, ctx: Context) => Body['entries'][number],
  encodeEntry: (w: WireWriter, entry: Body['entries'][number], ctx: Context) => void,
): BodyCodec<Body> {
  return {
    decode(r, ctx) {
      const entries: Body['entries'][number][] = [];
      while (r.remaining > 0) entries.push(decodeEntry(r, ctx));
      return { type, entries } as unknown as Body;
    },
    encode(w, body, ctx) {
      for (const entry of body.entries) encodeEntry(w, entry, ctx);
    },
    encodeEntry: (w, entry, ctx) => encodeEntry(w, entry as Body['entries'][number], ctx),
  };
}
