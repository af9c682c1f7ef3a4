/** ofp_match: a list of OXM TLVs with a length that does not count the padding behind it (OpenFlow 1.3.5 §7.2.3.1). */
import { OFPMT } from '../of13/constants.js';
import { OFPBMC, OFPET } from '../of13/errors.js';
import type { Match, OxmTlv } from '../types/oxm.js';
import { WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { decodeOxm, encodeOxm, matchFailures } from './oxm.js';
import type { Context } from './protocol.js';

const headerLength = 4;

export function decodeMatch(r: WireReader, ctx: Context): Match {
  const header = r.sub(headerLength, OFPET.BAD_MATCH, OFPBMC.BAD_LEN);
  const type = header.u16();
  if (type !== OFPMT.OXM) throw new WireError(OFPET.BAD_MATCH, OFPBMC.BAD_TYPE, `match type ${type}`);
  const length = header.u16();
  const fields = r.sub(length - headerLength, OFPET.BAD_MATCH, OFPBMC.BAD_LEN);
  const match: OxmTlv[] = [];
  const seen = new Set<string>();
  while (fields.remaining > 0) {
    const tlv = decodeOxm(fields, ctx, matchFailures);
    const name = identity(tlv, ctx);
    if (seen.has(name)) throw new WireError(OFPET.BAD_MATCH, OFPBMC.DUP_FIELD, `${name} twice`);
    seen.add(name);
    match.push(tlv);
  }
  r.sub(-length & 7, OFPET.BAD_MATCH, OFPBMC.BAD_LEN);
  return match;
}

/** Two TLVs of the same identity are a duplicate field, whatever their masks and whichever header of theirs they have. */
function identity(tlv: OxmTlv, ctx: Context): string {
  if (tlv.field === 'raw') return `raw ${tlv.oxmClass}:${tlv.oxmField}`;
  if (tlv.field === 'experimenter') return `experimenter ${tlv.experimenter}:${tlv.oxmField}`;
  return ctx.protocol.oxm.byName.get(tlv.field)?.twin ?? tlv.field;
}

export function encodeMatch(w: WireWriter, match: Match, ctx: Context): void {
  const start = w.mark();
  w.u16(OFPMT.OXM);
  w.u16(0);
  for (const tlv of match) encodeOxm(w, tlv, ctx);
  w.patchLength(start, 2);
  w.padTo8(start);
}
