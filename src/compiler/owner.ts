/**
 * Whose a flow is, and of which rule: both are in its cookie, `0x5856 | owner (16 bits) | rule (32 bits)`.
 *
 * 0x5856 is "XV". Cookies of others on Xen hosts are small numbers (0, 1, interface indices) or random.
 */
export const COOKIE_MAGIC = 0x5856n;
export const OWNER_COOKIE_MASK = 0xffff_ffff_0000_0000n;

/** Of flows that flows of ours have learned: nobody's by plan and prune, and gone with those that learned them. */
export const LEARNED_COOKIE_MAGIC = 0x5857n;
export const learnedCookie = (cookie: bigint): bigint => (LEARNED_COOKIE_MAGIC << 48n) | (cookie & 0xffff_ffff_ffffn);

const encoder = new TextEncoder();
const [FNV_BASIS, FNV_PRIME] = [0x811c_9dc5, 0x0100_0193];

/** FNV-1a, 32 bits: the same in every run and on every machine. */
export function hash32(text: string): number {
  const { length } = text;
  let hash = FNV_BASIS;
  for (let i = 0; i < length; i++) {
    const letter = text.charCodeAt(i);
    if (letter > 0x7f) return hashOf(encoder.encode(text));
    hash = Math.imul(hash ^ letter, FNV_PRIME);
  }
  return hash >>> 0;
}

function hashOf(bytes: Uint8Array): number {
  let hash = FNV_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}

/** 1..0xfffe. */
export const ownerId = (owner: string): number => (hash32(owner) % 0xfffe) + 1;

/** The cookie of an owner's flows, where the rule's part is 0. */
export const ownerCookie = (id: number): bigint => (COOKIE_MAGIC << 48n) | (BigInt(id) << 32n);

export const isOurs = (cookie: bigint): boolean => cookie >> 48n === COOKIE_MAGIC;
export const ownerOf = (cookie: bigint): number => Number((cookie >> 32n) & 0xffffn);

/** Gives out numbers made from names: the same for the same name, another where two names make the same. */
export class Numbers {
  readonly #taken: Map<number, string>;

  /** `taken`: what is given out already, where others give out numbers of the same kind. */
  constructor(
    readonly least: number,
    readonly most: number,
    taken = new Map<number, string>(),
  ) {
    this.#taken = taken;
  }

  /** A number that was chosen by hand; the name that has it already, if it is another. */
  take(number: number, name: string): string | undefined {
    const holder = this.#taken.get(number);
    if (holder !== undefined && holder !== name) return holder;
    this.#taken.set(number, name);
    return undefined;
  }

  make(name: string): number {
    const count = this.most - this.least + 1;
    let number = hash32(name) % count;
    for (let tries = 0; tries < count; tries++) {
      if (this.take(this.least + number, name) === undefined) return this.least + number;
      number = (number + 1) % count;
    }
    return this.most;
  }
}
