/** Who may do what with a node. */
import type { Permission } from '../permissions.js';
import type { DomainQuota } from './limits.js';

/** On whose behalf an operation runs. */
export interface Caller {
  readonly domid: number;
  /** The domain this one acts for (SET_TARGET), as a stub domain does. */
  readonly target?: number | undefined;
  /** Infinity everywhere for domain 0. */
  readonly quota: DomainQuota;
}

export type Right = 'read' | 'write' | 'own';

const rightsOf: Readonly<Record<Permission['access'], readonly Right[]>> = {
  n: [],
  r: ['read'],
  w: ['write'],
  b: ['read', 'write'],
};

export function isPrivileged(caller: Caller): boolean {
  return caller.domid === 0;
}

export function may(caller: Caller, permissions: readonly Permission[], right: Right): boolean {
  const owner = permissions[0]!;
  if (isPrivileged(caller) || owner.domid === caller.domid || owner.domid === caller.target) return true;
  const listed = permissions.slice(1).find(({ domid }) => domid === caller.domid || domid === caller.target);
  return rightsOf[(listed ?? owner).access].includes(right);
}
