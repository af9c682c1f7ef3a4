import type { WireErrorCode } from './wire.js';

/**
 * `code` is xenstored's answer, or: `CLOSED` the connection is gone, `PROTOCOL` the answer made no sense,
 * `CONFLICT` a transaction met EAGAIN more often than the bound.
 */
export type XenstoreErrorCode = WireErrorCode | 'CLOSED' | 'PROTOCOL' | 'CONFLICT';

/** A request to xenstored that failed; `request` and `path` say which. */
export class XenstoreError extends Error {
  override readonly name = 'XenstoreError';
  readonly code: XenstoreErrorCode;

  constructor(code: XenstoreErrorCode, request: string, path: string, detail = '') {
    super(`xenstore ${request}${path === '' ? '' : ` ${path}`}: ${code}${detail === '' ? '' : ` (${detail})`}`);
    this.code = code;
  }
}

export function isXenstoreError(error: unknown, ...codes: readonly XenstoreErrorCode[]): error is XenstoreError {
  return error instanceof XenstoreError && codes.includes(error.code);
}
