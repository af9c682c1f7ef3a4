/**
 * Neighbours that a router's flows have learned: those that packets are sent to and that have not been heard from are asked, and
 * forgotten when they do not answer (RFC 4861 §7.3), so that the next packet is looked after anew.
 */
import type { FlowStats, Match } from 'node-openflow';
import { of13 } from 'node-openflow';
import type { Clock, Timer } from '../base/clock.js';
import type { LocalTables } from '../bridge/local-tables.js';
import { type Address, LocalAgent, type ProgramRouter, routerTable } from '../compiler/index.js';
import { LEARNED_COOKIE_MAGIC } from '../compiler/owner.js';
import { macText, numberAt } from './bytes.js';
import {
  LOOK_INTERVAL_MS,
  LOOK_PARTS_MAX,
  PROBES_AT_ONCE,
  QUESTION_INTERVAL_MS,
  QUESTIONS,
  REACHABLE_MS,
  WATCHED_MAX,
} from './limits.js';
import { type Hop, hopKey, type RouteTable } from './route-table.js';

const { OFPFC, OFPG, OFPP, OFP_NO_BUFFER } = of13;
const COOKIE_SHIFT = 48n;
const cookies = { cookie: LEARNED_COOKIE_MAGIC << COOKIE_SHIFT, cookieMask: 0xffffn << COOKIE_SHIFT };
const anywhere = { outPort: OFPP.ANY, outGroup: OFPG.ANY };

interface Neighbour {
  readonly hop: Hop;
  readonly mac: string;
  readonly flow: FlowStats;
  /** Packets that were sent to it until the last look. */
  packets: bigint;
  heardMs: number;
}

export interface NeighbourWatchOptions {
  readonly router: ProgramRouter;
  readonly routes: RouteTable;
  readonly tables: Pick<LocalTables, 'ask' | 'commit' | 'packets'>;
  readonly clock: Clock;
  /** Asks the one with this MAC address. */
  readonly ask: (hop: Hop, mac: string) => void;
}

export class NeighbourWatch {
  readonly #options: NeighbourWatchOptions;
  readonly #table: number;
  #neighbours: ReadonlyMap<string, Neighbour> = new Map();
  /** Who is being asked, and the timer of the next question. */
  readonly #asked = new Map<string, Timer>();
  #next: Timer;
  #closed = false;

  constructor(options: NeighbourWatchOptions) {
    this.#options = options;
    this.#table = routerTable(options.router, 'neighbours');
    this.#next = this.#later();
  }

  /** It has said that it is there. */
  told(hop: Hop): void {
    const key = hopKey(hop);
    const neighbour = this.#neighbours.get(key);
    if (neighbour !== undefined) neighbour.heardMs = this.#options.clock.nowMs();
    this.#asked.get(key)?.cancel();
    this.#asked.delete(key);
  }

  close(): void {
    this.#closed = true;
    this.#next.cancel();
    for (const timer of this.#asked.values()) timer.cancel();
    this.#asked.clear();
  }

  #later(): Timer {
    return this.#options.clock.after(LOOK_INTERVAL_MS, () => void this.look());
  }

  /** Happens by itself every {@link LOOK_INTERVAL_MS}. Never rejects. */
  async look(): Promise<void> {
    this.#next.cancel();
    const flows = await this.#learned();
    if (this.#closed) return;
    const now = this.#options.clock.nowMs();
    const found = new Map<string, Neighbour>();
    for (const flow of flows) {
      const neighbour = found.size < WATCHED_MAX ? this.#neighbour(flow, now) : undefined;
      if (neighbour === undefined) continue;
      const key = hopKey(neighbour.hop);
      found.set(key, neighbour);
      const used = flow.packetCount !== neighbour.packets;
      neighbour.packets = flow.packetCount;
      const due = used && now - neighbour.heardMs >= REACHABLE_MS && !this.#asked.has(key);
      if (due && this.#asked.size < PROBES_AT_ONCE) this.#question(neighbour, 1);
    }
    this.#neighbours = found;
    this.#next = this.#later();
  }

  /** Learned flows with these fields. */
  async #learned(match: Match = []): Promise<readonly FlowStats[]> {
    const request = { type: 'flow', tableId: this.#table, ...anywhere, ...cookies, match } as const;
    // The tables are gone with the bridge.
    const parts = await this.#options.tables.ask(request, LOOK_PARTS_MAX).catch(() => []);
    return parts.flatMap((part) => (part.type === 'flow' ? part.entries : []));
  }

  #neighbour(flow: FlowStats, now: number): Neighbour | undefined {
    const found = placeOf(flow);
    const hop = found && this.#options.routes.inSubnet(found.subnet, found.address);
    if (found === undefined || hop === undefined) return undefined;
    const before = this.#neighbours.get(hopKey(hop));
    const { packets, heardMs } = before?.mac === found.mac ? before : { packets: flow.packetCount, heardMs: now };
    return { hop, mac: found.mac, flow, packets, heardMs };
  }

  /** `dropped`: answers that were lost before the first question. */
  #question(neighbour: Neighbour, number: number, dropped = this.#dropped()): void {
    const { hop, mac } = neighbour;
    const timer = this.#options.clock.after(QUESTION_INTERVAL_MS, () => {
      if (number < QUESTIONS) this.#question(neighbour, number + 1, dropped);
      else void this.#giveUp(neighbour, dropped);
    });
    this.#asked.set(hopKey(hop), timer);
    this.#options.ask(hop, mac);
  }

  #dropped(): bigint {
    return this.#options.tables.packets.dropped(LocalAgent.neighbours);
  }

  /** Forgets it, unless its answer may have been lost, or another has come in its place. */
  async #giveUp(neighbour: Neighbour, dropped: bigint): Promise<void> {
    const lost = this.#dropped() !== dropped;
    const [flow] = lost ? [] : await this.#learned(neighbour.flow.match);
    // Who has answered meanwhile is not asked any more.
    const asked = this.#asked.delete(hopKey(neighbour.hop));
    if (asked && flow !== undefined && placeOf(flow)?.mac === neighbour.mac) this.#forget(flow);
  }

  #forget({ priority, match }: FlowStats): void {
    this.#options.tables.commit([
      {
        type: 'flow_mod',
        command: OFPFC.DELETE_STRICT,
        tableId: this.#table,
        ...cookies,
        ...anywhere,
        priority,
        match,
        idleTimeout: 0,
        hardTimeout: 0,
        bufferId: OFP_NO_BUFFER,
        flags: 0,
        instructions: [],
      },
    ]);
  }
}

/** What a learned flow says: the registers that it matches, and the address that it sets. */
function placeOf({ match, instructions }: FlowStats) {
  const fields = new Map(match.flatMap((one) => ('value' in one ? [[one.field as string, one.value] as const] : [])));
  const number = (name: string): bigint => {
    const value = fields.get(name);
    return value === undefined ? 0n : numberAt(value, 0, value.length);
  };
  const family = number('eth_type') === 0x0800n ? 4 : 6;
  const words = ['reg0', 'reg1', 'reg2', 'reg3'].map(number).reduce((value, word) => (value << 32n) | word, 0n);
  const whole = fields.has('xxreg0') ? number('xxreg0') : words;
  const address: Address = { family, value: family === 4 ? number('reg0') : whole };
  const mac = instructions
    .flatMap((one) => (one.type === 'apply_actions' ? one.actions : []))
    .flatMap((action) =>
      action.type === 'set_field' && action.oxm.field === 'eth_dst' && 'value' in action.oxm
        ? [macText(action.oxm.value)]
        : [],
    )[0];
  return mac === undefined ? undefined : { subnet: Number(number('reg4')), address, mac };
}
