/** nx_match: match fields whose total length stands elsewhere, padded to a multiple of 8 bytes behind it. */
import { decodeOxm, encodeOxm, matchFailures } from '../codec/oxm.js';
import type { Context } from '../codec/protocol.js';
import { OFPBMC, OFPET } from '../of13/errors.js';
import type { Match, OxmTlv } from '../types/oxm.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { decodeCookie } from './cookie.js';

/** Fields until the reader's end. */
export function decodeFields(r: WireReader, ctx: Context): Match {
  const match: OxmTlv[] = [];
  const seen = new Set<string>();
  while (r.remaining > 0) {
    const tlv = decodeCookie(r) ?? decodeOxm(r, ctx, matchFailures);
    const name =
      'oxmField' in tlv
        ? `${tlv.field} ${'oxmClass' in tlv ? tlv.oxmClass : tlv.experimenter}:${tlv.oxmField}`
        : tlv.field;
    const identity = ctx.protocol.oxm.byName.get(name)?.twin ?? name;
    if (seen.has(identity)) throw new WireError(OFPET.BAD_MATCH, OFPBMC.DUP_FIELD, `${name} twice`);
    seen.add(identity);
    match.push(tlv);
  }
  return match;
}

export function decodeNxMatch(r: WireReader, length: number, ctx: Context): Match {
  const match = decodeFields(r.sub(length, OFPET.BAD_MATCH, OFPBMC.BAD_LEN), ctx);
  r.sub(-length & 7, OFPET.BAD_MATCH, OFPBMC.BAD_LEN);
  return match;
}

/** Writes the fields and padding; `lengthAt` is where the length belongs. */
export function encodeNxMatch(w: WireWriter, match: Match, lengthAt: number, ctx: Context): void {
  const start = w.mark();
  for (const tlv of match) encodeOxm(w, tlv, ctx);
  const length = w.mark() - start;
  if (length > 0xffff) throw new EncodeError(`a match of ${length} bytes`);
  w.patchU16(lengthAt, length);
  w.padTo8(start);
}
