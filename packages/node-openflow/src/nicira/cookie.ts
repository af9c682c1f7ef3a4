/**
 * NXM_NX_COOKIE: the flow's cookie among the fields of an nx_match, to pick flows by. Its number is that of
 * NXM_NX_MPLS_TTL, from which its length tells it apart, so it has no name of its own: in values it is a raw field.
 */
import type { Match, OxmRaw, OxmTlv } from '../types/oxm.js';
import type { WireReader } from '../wire/reader.js';

const OXM_CLASS = 0x0001;
const OXM_FIELD = 30;
const BYTES = 8;
const ALL_BITS = 0xffffffffffffffffn;

/** The cookie, if that is what comes next. */
export function decodeCookie(r: WireReader): OxmRaw | undefined {
  if (r.peekU16() !== OXM_CLASS || r.remaining < 4) return undefined;
  const ahead = r.fork();
  ahead.skip(2);
  const [head, length] = [ahead.u8(), ahead.u8()];
  const hasMask = (head & 1) !== 0;
  if (head >> 1 !== OXM_FIELD || length !== (hasMask ? 2 : 1) * BYTES) return undefined;
  r.skip(4);
  return { field: 'raw', oxmClass: OXM_CLASS, oxmField: OXM_FIELD, hasMask, data: r.bytes(length) };
}

function isCookie(tlv: OxmTlv): tlv is OxmRaw {
  return tlv.field === 'raw' && tlv.oxmClass === OXM_CLASS && tlv.oxmField === OXM_FIELD && tlv.data.length >= BYTES;
}

/** The field for flows whose cookie is `cookie` in the bits of `mask`. */
export function cookieField(cookie: bigint, mask = ALL_BITS): OxmRaw {
  const hasMask = mask !== ALL_BITS;
  const data = new Uint8Array(hasMask ? 2 * BYTES : BYTES);
  const view = new DataView(data.buffer);
  view.setBigUint64(0, cookie);
  if (hasMask) view.setBigUint64(BYTES, mask);
  return { field: 'raw', oxmClass: OXM_CLASS, oxmField: OXM_FIELD, hasMask, data };
}

/** The cookie that a match of Nicira's asks for (a mask of 0: any), and the fields that are left. */
export function splitCookie(match: Match): {
  readonly match: Match;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
} {
  const found = match.find(isCookie);
  if (found === undefined) return { match, cookie: 0n, cookieMask: 0n };
  const view = new DataView(found.data.buffer, found.data.byteOffset, found.data.length);
  const cookie = view.getBigUint64(0);
  const cookieMask = found.hasMask ? view.getBigUint64(BYTES) : ALL_BITS;
  return { match: match.filter((tlv) => !isCookie(tlv)), cookie, cookieMask };
}
