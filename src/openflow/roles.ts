/** Who may change the switch: roles of its controllers (OpenFlow 1.3.5 §6.3.6). One per switch. */
import { of13, of15 } from 'node-openflow';

const { OFPCR_ROLE } = of13;

export type Role = 'equal' | 'master' | 'slave';

export interface RoleHolder {
  role: Role;
  /** 1.5's number for the controller (1.5.1 §7.3.8); 0: none. */
  shortId: number;
  /** It was the master, and is a slave because another became master (OpenFlow 1.4.1 §7.4.4). */
  demoted(generation: bigint): void;
}

export type RoleOutcome = { readonly ok: true } | { readonly ok: false; readonly code: number };

/** generation_id of a reply before any was given. */
const noGeneration = 0xffff_ffff_ffff_ffffn;

export class Roles {
  readonly #holders = new Set<RoleHolder>();
  #generation: bigint | undefined;

  get generation(): bigint {
    return this.#generation ?? noGeneration;
  }

  join(holder: RoleHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: RoleHolder): void {
    this.#holders.delete(holder);
  }

  /** Carries out a role request. A code is one of OFPRRFC_*. `generation`: undefined where requests have none (Nicira's). */
  request(holder: RoleHolder, role: number, generation: bigint | undefined, shortId = 0): RoleOutcome {
    const taken = shortId !== 0 && [...this.#holders].some((other) => other !== holder && other.shortId === shortId);
    if (taken) return { ok: false, code: of15.OFPRRFC.ID_IN_USE };
    const outcome = this.#change(holder, role, generation);
    if (outcome.ok && shortId !== 0) holder.shortId = shortId;
    return outcome;
  }

  #change(holder: RoleHolder, role: number, generation: bigint | undefined): RoleOutcome {
    switch (role) {
      case OFPCR_ROLE.NOCHANGE:
        return { ok: true };
      case OFPCR_ROLE.EQUAL:
        holder.role = 'equal';
        return { ok: true };
      case OFPCR_ROLE.MASTER:
      case OFPCR_ROLE.SLAVE:
        if (generation !== undefined && this.#isStale(generation)) {
          return { ok: false, code: of13.OFPRRFC.STALE };
        }
        this.#generation = generation ?? this.#generation;
        this.#become(holder, role === OFPCR_ROLE.MASTER ? 'master' : 'slave');
        return { ok: true };
      default:
        return { ok: false, code: of13.OFPRRFC.BAD_ROLE };
    }
  }

  /** The distance is signed: it wraps around. */
  #isStale(generation: bigint): boolean {
    return this.#generation !== undefined && BigInt.asIntN(64, generation - this.#generation) < 0n;
  }

  #become(holder: RoleHolder, role: Role): void {
    if (role === 'master') {
      for (const other of this.#holders) {
        if (other === holder || other.role !== 'master') continue;
        other.role = 'slave';
        other.demoted(this.generation);
      }
    }
    holder.role = role;
  }
}

const numbers: Readonly<Record<Role, number>> = {
  equal: OFPCR_ROLE.EQUAL,
  master: OFPCR_ROLE.MASTER,
  slave: OFPCR_ROLE.SLAVE,
};

export function roleNumber(role: Role): number {
  return numbers[role];
}
