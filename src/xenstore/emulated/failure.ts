import type { WireErrorCode } from '../wire.js';

/** A request that is answered with an error. Thrown inside the emulated xenstored and turned into a reply there. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode) {
    super(code);
    this.code = code;
  }
}
