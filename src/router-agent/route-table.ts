/** Where a router sends what is for an address: by the longest prefix. */
import {
  type Address,
  contains,
  type Family,
  networkOf,
  type Prefix,
  type ProgramRouter,
  type RouterSubnet,
} from '../compiler/index.js';

/** The next hop, an address in one of the subnets. */
export interface Hop {
  readonly subnet: RouterSubnet;
  readonly address: Address;
}

interface Entry {
  readonly to: Prefix;
  /** An address: it is next. Undefined: who is sent to is next. */
  readonly via: Address | undefined;
  /** Undefined: nowhere. */
  readonly subnet: RouterSubnet | undefined;
}

export class RouteTable {
  /** By family and length, the longest first. */
  readonly #lengths = new Map<Family, { readonly length: number; readonly entries: Map<bigint, Entry> }[]>();
  readonly #subnets: ReadonlyMap<number, RouterSubnet>;
  readonly #own: ReadonlySet<string>;

  constructor({ subnets, routes }: Pick<ProgramRouter, 'subnets' | 'routes'>) {
    this.#subnets = new Map(subnets.map((subnet) => [subnet.number, subnet]));
    this.#own = new Set(
      subnets.flatMap(({ gateways, linkLocal }) =>
        [...gateways, ...(linkLocal === undefined ? [] : [linkLocal])].map(keyOf),
      ),
    );
    for (const { to, via } of routes) this.#add({ to, via: via?.address, subnet: via?.subnet });
    for (const subnet of subnets) for (const to of subnet.gateways) this.#add({ to, via: undefined, subnet });
    for (const lengths of this.#lengths.values()) lengths.sort((a, b) => b.length - a.length);
  }

  #add(entry: Entry): void {
    const { family, length } = entry.to;
    const lengths = this.#lengths.get(family) ?? [];
    this.#lengths.set(family, lengths);
    let found = lengths.find((one) => one.length === length);
    if (found === undefined) {
      found = { length, entries: new Map() };
      lengths.push(found);
    }
    found.entries.set(networkOf(entry.to).value, entry);
  }

  /** Undefined: there is no way, or it is the router itself. */
  hop(address: Address): Hop | undefined {
    if (this.isOwn(address)) return undefined;
    const { family } = address;
    for (const { length, entries } of this.#lengths.get(family) ?? []) {
      const entry = entries.get(networkOf({ ...address, length }).value);
      if (entry === undefined) continue;
      return entry.subnet === undefined ? undefined : { subnet: entry.subnet, address: entry.via ?? address };
    }
    return undefined;
  }

  isOwn(address: Address): boolean {
    return this.#own.has(keyOf(address));
  }

  subnet(number: number): RouterSubnet | undefined {
    return this.#subnets.get(number);
  }

  /** A hop that the flows chose, where it can be one. */
  inSubnet(number: number, address: Address): Hop | undefined {
    const subnet = this.#subnets.get(number);
    return subnet === undefined || this.isOwn(address) || ownAddress(subnet, address) === undefined
      ? undefined
      : { subnet, address };
  }
}

/** The router's own address in the network that an address is in. */
export const ownAddress = ({ gateways }: RouterSubnet, address: Address): Address | undefined =>
  gateways.find((gateway) => contains(gateway, address));

const keyOf = ({ family, value }: Address): string => `${family} ${value}`;
export const hopKey = ({ subnet, address }: Hop): string => `${subnet.number} ${keyOf(address)}`;
