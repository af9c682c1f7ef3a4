/** Refusing what a version has no form for. */
import type { Context } from '../codec/protocol.js';
import { EncodeError } from '../wire/error.js';

const names: Readonly<Record<number, string>> = { 1: '1.0', 2: '1.1', 3: '1.2', 4: '1.3', 5: '1.4', 6: '1.5' };

/** 'OpenFlow 1.3' of a context. */
export function versionName(ctx: Context): string {
  return `OpenFlow ${names[ctx.protocol.version]}`;
}

/** Throws when a value is said that is not the one the version means by saying nothing. */
export function refuseOther<T>(value: T | undefined, neutral: T, what: string, ctx: Context): void {
  if (value !== undefined && value !== neutral) {
    throw new EncodeError(`${versionName(ctx)} has no ${what} (${String(value)})`);
  }
}

export function refuseProperties(
  properties: readonly { readonly type: string }[] | undefined,
  ctx: Context,
  what = 'property',
): void {
  const first = properties?.[0];
  if (first !== undefined) throw new EncodeError(`${versionName(ctx)} has no ${what} ${first.type}`);
}
