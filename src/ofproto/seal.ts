/**
 * Bytes that go to controllers and come back: what was changed on the way, or is another switch's, is found out. The key is
 * made anew with each switch, so that what a former one gave out is not taken either.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;
/** Of HMAC-SHA-256 (RFC 2104, FIPS 180-4), cut to half (RFC 2104 §5). */
const TAG_BYTES = 16;
/** Of what it is a seal of: another layout is not mistaken for this one. */
const FORMAT = 'xvif continuation 1';

export class Seal {
  readonly #key = randomBytes(KEY_BYTES);

  #tag(bytes: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update(FORMAT).update(bytes).digest().subarray(0, TAG_BYTES);
  }

  /** The bytes with 16 more in front. */
  close(bytes: Uint8Array): Uint8Array {
    return Buffer.concat([this.#tag(bytes), bytes]);
  }

  /** The bytes again; undefined when they are not what was closed here. */
  open(sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < TAG_BYTES) return undefined;
    const bytes = sealed.subarray(TAG_BYTES);
    return timingSafeEqual(this.#tag(bytes), sealed.subarray(0, TAG_BYTES)) ? bytes : undefined;
  }
}
