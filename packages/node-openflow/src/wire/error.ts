/**
 * The two kinds of failure of the codec.
 *
 * A peer's malformed bytes become a WireError inside the package and a returned value at its edge (`decodeMessage`): it
 * carries the OFPET type and code to answer with. A caller's value that has no wire form is the caller's bug: EncodeError.
 */
export class WireError extends Error {
  override readonly name = 'WireError';
  constructor(
    readonly type: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Thrown by `encodeMessage` for a value that does not fit its field or a message longer than 65 535 bytes. */
export class EncodeError extends RangeError {
  override readonly name = 'EncodeError';
}
