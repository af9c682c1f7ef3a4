/**
 * Networks of subnets, which are apart or of one subnet: whose an address is is found in the logarithm of their number, and
 * by looking at those of the same subnet before it.
 */
import { type Address, contains, type Family, networkOf, overlap, type Prefix } from './prefix.js';

interface Entry<Network extends Prefix> {
  readonly network: Network;
  /** Its first address. */
  readonly first: bigint;
  readonly subnet: string;
}

export class Networks<Network extends Prefix> {
  /** By their first addresses. */
  readonly #sorted: Readonly<Record<Family, Entry<Network>[]>> = { 4: [], 6: [] };

  /** A network of another subnet that it has addresses in common with, if there is one; otherwise it is added. */
  add(network: Network, subnet: string): Network | undefined {
    const start = networkOf(network);
    const sorted = this.#sorted[network.family];
    const index = this.#after(start);
    const before = this.#holding(start, index);
    if (before !== undefined && before.subnet !== subnet) return before.network;
    for (let i = index; i < sorted.length && overlap(sorted[i]!.network, network); i++) {
      if (sorted[i]!.subnet !== subnet) return sorted[i]!.network;
    }
    sorted.splice(index, 0, { network, first: start.value, subnet });
    return undefined;
  }

  /** Of the subnet that an address is in. */
  find(address: Address): Network | undefined {
    return this.#holding(address, this.#after(address))?.network;
  }

  /** What begins between a network and an address in it is of the same subnet. */
  #holding(address: Address, after: number): Entry<Network> | undefined {
    const sorted = this.#sorted[address.family];
    for (let i = after - 1; i >= 0 && sorted[i]!.subnet === sorted[after - 1]!.subnet; i--) {
      if (contains(sorted[i]!.network, address)) return sorted[i];
    }
    return undefined;
  }

  /** How many begin at an address or before it. */
  #after({ family, value }: Address): number {
    const sorted = this.#sorted[family];
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]!.first <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
