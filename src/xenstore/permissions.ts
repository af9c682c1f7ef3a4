/**
 * Node permissions in their wire form: `n`one, `r`ead, `w`rite or `b`oth and a domain id. In the list of a node the
 * first entry names the owner, who may do everything, and its letter holds for every domain not listed.
 */
import { parseDecimal } from '../base/decimal.js';

export interface Permission {
  readonly domid: number;
  readonly access: 'n' | 'r' | 'w' | 'b';
}

/** Domain ids are 16 bits; DOMID_FIRST_RESERVED upwards are no domains. */
export const DOMID_MAX = 0x7fef;

export function formatPermission({ access, domid }: Permission): string {
  return `${access}${domid}`;
}

/** Undefined when malformed. */
export function parsePermission(text: string): Permission | undefined {
  const access = text[0];
  if (access !== 'n' && access !== 'r' && access !== 'w' && access !== 'b') return undefined;
  const domid = parseDecimal(text.slice(1), 0, DOMID_MAX);
  return domid === undefined ? undefined : { access, domid };
}
