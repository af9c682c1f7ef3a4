/** Groups of a hop in one direction: which instance a packet goes to, and what if none is up. */
import type { Correlation, Sort } from './correlation.js';
import { type Direction, type Hop, type Instance, legsOf } from './hops.js';

export interface Bucket {
  readonly group: number;
  readonly index: number;
}

/** What a hop's groups are made with. */
export interface GroupMaker {
  /** Adds a group by its name; its number. */
  add(name: string, type: string, buckets: readonly string[], at: Hop['at']): number;
  /** Makes sure that there is a flow that wraps packets for an instance and sends them to it; what a bucket says for it. */
  wrap(place: HopPlace, instance: Instance, port: number): string;
  /** What a bucket watches whose packets go to an instance, in both directions. */
  watch(instance: Instance): string;
}

export interface HopPlace {
  readonly hop: Hop;
  readonly direction: Direction;
  /** Among the hops that packets come back from, both directions counted. */
  readonly position: number;
  /** Name of its table. */
  readonly name: string;
  /** Number of the table where it goes on. */
  readonly after: number;
}

/** Buckets by the instance they go to, by its index, and those that skip the hop. */
export class Buckets {
  readonly #instances = new Map<number, Bucket[]>();
  readonly skips: Bucket[] = [];

  note(group: number, order: readonly number[]): void {
    for (const [index, instance] of order.entries())
      this.#instances.set(instance, [...this.of(instance), { group, index }]);
  }
  of(instance: number): readonly Bucket[] {
    return this.#instances.get(instance) ?? [];
  }
}

export class HopGroups {
  readonly buckets = new Buckets();
  #skip: number | undefined;

  constructor(
    readonly place: HopPlace,
    readonly correlation: Correlation,
    readonly maker: GroupMaker,
  ) {}

  /** One group for all packets of a sort; its number. */
  whole(sort: Sort): number {
    const { hop, name } = this.place;
    const order = hop.instances.map((_, index) => index);
    if (hop.behaviour === 'all') return this.#group(`${name}${sort.suffix}`, 'all', order, sort);
    if (hop.behaviour === 'failover' || hop.instances.length === 1)
      return this.#failover(`${name}${sort.suffix}`, order, sort);
    if (!hop.open) return this.#group(`${name}${sort.suffix}`, 'select', order, sort);
    const balanced = this.#group(`${name}${sort.suffix}-select`, 'select', order, sort);
    const group = this.maker.add(
      `${name}${sort.suffix}`,
      'ff',
      [`watch_group=${balanced},actions=group:${balanced}`, this.#skipBucket()],
      hop.at,
    );
    this.buckets.skips.push({ group, index: 1 });
    return group;
  }

  /** One group for all that must not be spread: the first instance that is up takes it; its number. */
  together(sort: Sort): number {
    const { hop, name } = this.place;
    const order = hop.instances.map((_, index) => index);
    return this.#failover(`${name}${sort.suffix}-fragments`, order, sort);
  }

  /** A group for each instance, which others take the place of when it is down; their numbers, by instance. */
  each(sort: Sort): number[] {
    const { hop, name } = this.place;
    const { length } = hop.instances;
    return hop.instances.map((instance, first) => {
      const order = hop.instances.map((_, index) => (first + index) % length);
      return this.#failover(`${name}${sort.suffix}-${instance.name}`, order, sort);
    });
  }

  #group(name: string, type: string, order: readonly number[], sort: Sort, more: readonly string[] = []): number {
    const { hop } = this.place;
    const buckets = order.map((index) => this.#bucket(hop.instances[index]!, type, sort));
    const group = this.maker.add(name, type, [...buckets, ...more], hop.at);
    this.buckets.note(group, order);
    return group;
  }

  #failover(name: string, order: readonly number[], sort: Sort): number {
    if (!this.place.hop.open) return this.#group(name, 'ff', order, sort);
    const group = this.#group(name, 'ff', order, sort, [this.#skipBucket()]);
    this.buckets.skips.push({ group, index: order.length });
    return group;
  }

  /** Both directions watch the same thing, so that both find the same instance. */
  #bucket(instance: Instance, type: string, sort: Sort): string {
    const { hop, direction, position } = this.place;
    const [into] = legsOf(instance, direction);
    const watch = type === 'all' ? '' : `${this.maker.watch(instance)},`;
    const weight = type === 'select' ? `weight=${instance.weight},` : '';
    if (hop.mode !== 'tap' && this.correlation.kind === 'nsh' && instance.aware)
      return `${weight}${watch}actions=${this.maker.wrap(this.place, instance, into)}`;
    const tag = hop.mode === 'tap' ? '' : this.correlation.push(position, sort);
    return `${weight}${watch}actions=${tag}output:${into}`;
  }

  /** Open vSwitch wants every bucket of a fast failover group to watch something: a group that is always live. */
  #skipBucket(): string {
    const { hop, name, after } = this.place;
    this.#skip ??= this.maker.add(`${name}-skip`, 'indirect', [`actions=resubmit(,${after})`], hop.at);
    return `watch_group=${this.#skip},actions=group:${this.#skip}`;
  }
}
