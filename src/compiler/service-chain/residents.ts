/**
 * Stations that were heard at ports which classifiers name. Who sends with the address of one of them later takes its place
 * (`places`), as in any learning switch, and must not take its traffic out of the chain by that.
 */
import { CHAIN_PORT_LISTS_MAX, CHAIN_STATIONS_MAX } from '../limits.js';

/** A station that is not heard there for so long may have moved. */
const RESIDENT_SECONDS = 3600;
/** Upper half of the register whose lower half is the place: a bit for each list of ports. */
const BITS = 'NXM_NX_REG6';
const FIELD = 'reg6';
const FIRST_BIT = 16;
/** Which list is meant: written before each look-up. */
const LIST = 'NXM_NX_REG7[]';
const LIST_FIELD = 'reg7';

export interface ResidentFlow {
  readonly priority: number;
  readonly match: string;
  readonly actions: string;
}

const bit = (list: number): string => `${BITS}[${FIRST_BIT + list}]`;

export class Residents {
  /** In the order of their bits. */
  readonly #lists: (readonly number[])[] = [];

  /** The match of packets to a station of one of these ports; undefined: there are too many lists already. */
  match(ports: readonly number[]): string | undefined {
    const sorted = [...new Set(ports)].sort((a, b) => a - b);
    const known = this.#lists.findIndex((list) => list.join() === sorted.join());
    const list = known < 0 ? this.#lists.length : known;
    if (list === CHAIN_PORT_LISTS_MAX) return undefined;
    if (known < 0) this.#lists.push(sorted);
    const mask = `0x${(2 ** (FIRST_BIT + list)).toString(16)}`;
    return `${FIELD}=${mask}/${mask}`;
  }

  /** Actions that have the bits of a packet's destination set, by the table `residents`. */
  lookups(table: number): string[] {
    if (this.#lists.length === 0) return [];
    const each = this.#lists.map((_, list) => `load:${list}->${LIST},resubmit(,${table})`);
    // A chain before this one has left bits of its own.
    return [`load:0->${BITS}[${FIRST_BIT}..31]`, ...each];
  }

  /** What is learned of who sends by a port of a list, by port. `cookieOf` a port: of the flows that are learned there. */
  learned(table: number, cookieOf: (port: number) => bigint): ReadonlyMap<number, string> {
    const ports = [...new Set(this.#lists.flat())];
    return new Map(
      ports.map((port) => {
        const settings = [
          `table=${table}`,
          `hard_timeout=${RESIDENT_SECONDS}`,
          'priority=1',
          `cookie=0x${cookieOf(port).toString(16)}`,
          `limit=${CHAIN_STATIONS_MAX}`,
          'delete_learned',
        ];
        const learns = this.#lists.flatMap((list, index) => {
          const station = [LIST, 'NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]', `load:1->${bit(index)}`];
          return list.includes(port) ? [`load:${index}->${LIST},learn(${[...settings, ...station].join(',')})`] : [];
        });
        return [port, learns.join(',')];
      }),
    );
  }

  /** Flows of the table `residents` for those whose addresses are known beforehand: they need not speak first. */
  known(macOf: (port: number) => string | undefined): ResidentFlow[] {
    return this.#lists.flatMap((ports, list) =>
      [...new Set(ports.flatMap((port) => macOf(port) ?? []))].map((mac) => ({
        priority: 2,
        match: `${LIST_FIELD}=${list},dl_dst=${mac}`,
        actions: `load:1->${bit(list)}`,
      })),
    );
  }
}
