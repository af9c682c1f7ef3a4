/**
 * Locking of a vif, XCP-ng's port security: which addresses the guest may use. The toolstack's values are those of
 * xenopsd (xen-api, xenops_server_xen.ml): `locking-mode` is locked, unlocked or disabled; `ipv4-allowed` and
 * `ipv6-allowed` are plain addresses with commas between. XAPI has resolved network_default before it writes them.
 *
 * What makes no sense closes, never opens: an address that cannot be read is not allowed, a mode that is not known
 * disables the port.
 */
import { quote } from '../base/decimal.js';
import { parseIpv4, parseIpv6 } from '../base/ip-address.js';
import type { PortSettings } from '../datapath/datapath.js';
import type { KeyReader } from '../xenbus/index.js';

/** Addresses of each family that are taken; the native datapath has the same limit. */
const ADDRESSES_MAX = 1024;
const KEYS = ['locking-mode', 'ipv4-allowed', 'ipv6-allowed'] as const;

export type Locking =
  | { readonly mode: 'unlocked' }
  | { readonly mode: 'disabled' }
  | { readonly mode: 'locked'; readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };

export interface LockingAnswer {
  readonly locking: Locking;
  /** What was wrong, a sentence each. */
  readonly complaints: readonly string[];
}

/** Values of the keys; undefined or empty: not there. */
export interface LockingKeys {
  readonly mode: string | undefined;
  readonly ipv4Allowed: string | undefined;
  readonly ipv6Allowed: string | undefined;
}

export function parseLocking({ mode = '', ipv4Allowed, ipv6Allowed }: LockingKeys): LockingAnswer {
  switch (mode.trim().toLowerCase()) {
    case '':
    case 'unlocked':
    case 'network_default':
      return { locking: { mode: 'unlocked' }, complaints: [] };
    case 'disabled':
      return { locking: { mode: 'disabled' }, complaints: [] };
    case 'locked': {
      const complaints: string[] = [];
      const ipv4 = addresses('ipv4-allowed', ipv4Allowed, (text) => parseIpv4(text) !== undefined, complaints);
      const ipv6 = addresses('ipv6-allowed', ipv6Allowed, (text) => parseIpv6(text) !== undefined, complaints);
      return { locking: { mode: 'locked', ipv4, ipv6 }, complaints };
    }
    default:
      return {
        locking: { mode: 'disabled' },
        complaints: [`key locking-mode is ${quote(mode)}, must be locked, unlocked or disabled: the port is disabled`],
      };
  }
}

function addresses(
  key: string,
  text: string | undefined,
  isAddress: (text: string) => boolean,
  complaints: string[],
): string[] {
  const all = (text ?? '').split(/[\s,;]+/).filter((word) => word !== '');
  const good = all.filter(isAddress);
  const bad = all.find((word) => !isAddress(word));
  if (bad !== undefined) complaints.push(`key ${key} has ${quote(bad)}, which is no address: left out`);
  if (good.length > ADDRESSES_MAX)
    complaints.push(`key ${key} has more than ${ADDRESSES_MAX} addresses: the rest is left out`);
  return good.slice(0, ADDRESSES_MAX);
}

/** From the first of the directories that has a `locking-mode`; unlocked when none has. */
export async function readLocking(directories: readonly KeyReader[]): Promise<LockingAnswer> {
  for (const directory of directories) {
    const [mode, ipv4Allowed, ipv6Allowed] = await Promise.all(KEYS.map((key) => directory.read(key)));
    if (mode !== undefined && mode !== '') return parseLocking({ mode, ipv4Allowed, ipv6Allowed });
  }
  return { locking: { mode: 'unlocked' }, complaints: [] };
}

/** A vif that is to be locked and has no MAC address cannot be guarded: it is disabled. */
export function lockingSettings(locking: Locking, mac: string | undefined): Pick<PortSettings, 'sources' | 'disabled'> {
  if (locking.mode === 'unlocked') return {};
  if (locking.mode === 'disabled' || mac === undefined) return { disabled: true };
  return { sources: { mac, ipv4: locking.ipv4, ipv6: locking.ipv6 } };
}
