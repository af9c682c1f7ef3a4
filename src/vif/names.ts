/** Names of vifs: `xvif<domid>i<handle>` as on NetBSD, and `vif<domid>.<handle>` as on Linux for an alias. */
import { parseDecimal } from '../base/decimal.js';

export const HANDLE_MAX = 65535;
const DOMID_MAX = 0x7fef;

export interface VifId {
  readonly domid: number;
  readonly handle: number;
}

export function vifName({ domid, handle }: VifId): string {
  return `xvif${domid}i${handle}`;
}

export function vifAlias({ domid, handle }: VifId): string {
  return `vif${domid}.${handle}`;
}

/** Reads either form; undefined for anything else. */
export function parseVifName(text: string): VifId | undefined {
  const match = /^(?:xvif(\d+)i(\d+)|vif(\d+)\.(\d+))$/.exec(text);
  if (match === null) return undefined;
  const domid = parseDecimal(match[1] ?? match[3]!, 0, DOMID_MAX);
  const handle = parseDecimal(match[2] ?? match[4]!, 0, HANDLE_MAX);
  return domid === undefined || handle === undefined ? undefined : { domid, handle };
}
