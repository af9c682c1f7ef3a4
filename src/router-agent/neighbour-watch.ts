/**
 * Neighbours that a router's flows have learned: those that packets are sent to and that have not been heard from are asked, and
 * forgotten when they do not answer (RFC 4861 §7.3), so that the next packet is looked after anew.
 */
import type { FlowStats, Match } from 'node-openflow';
import { of13, oxm } from 'node-openflow';
import type { Clock, Timer } from '../base/clock.js';
import type { LocalTables } from '../bridge/local-tables.js';
import { type Address, type ProgramRouter, routerTable } from '../compiler/index.js';
import { LEARNED_COOKIE_MAGIC } from '../compiler/owner.js';
import { macText, numberAt } from './bytes.js';
import {
  KEPT_MAX,
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

/** By port number. */
type Lost = ReadonlyMap<number, bigint>;

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
  #neighbours: ReadonlyMap<string, Neighbour> = new Map();
  /** Who did not answer and was kept, and how often in a row. */
  readonly #kept = new Map<string, number>();
  /** Who is being asked, and the timer of the next question. */
  readonly #asked = new Map<string, Timer>();
  #next: Timer;
  #closed = false;

  constructor(options: NeighbourWatchOptions) {
    this.#options = options;
    this.#next = this.#later();
  }

  /** It has said that it is there. */
  told(hop: Hop): void {
    const key = hopKey(hop);
    const neighbour = this.#neighbours.get(key);
    if (neighbour !== undefined) neighbour.heardMs = this.#options.clock.nowMs();
    this.#asked.get(key)?.cancel();
    this.#asked.delete(key);
    this.#kept.delete(key);
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
    const flows = await this.#learned('neighbours');
    if (this.#closed) return;
    const now = this.#options.clock.nowMs();
    const found = new Map<string, Neighbour>();
    const lost = this.#options.tables.packets.lost();
    for (const flow of flows) {
      const neighbour = found.size < WATCHED_MAX ? this.#neighbour(flow, now) : undefined;
      if (neighbour === undefined) continue;
      const key = hopKey(neighbour.hop);
      found.set(key, neighbour);
      const used = flow.packetCount !== neighbour.packets;
      neighbour.packets = flow.packetCount;
      const due = used && now - neighbour.heardMs >= REACHABLE_MS && !this.#asked.has(key);
      if (due && this.#asked.size < PROBES_AT_ONCE) this.#question(neighbour, lost);
    }
    this.#neighbours = found;
    for (const key of this.#kept.keys()) if (!found.has(key)) this.#kept.delete(key);
    this.#next = this.#later();
  }

  /** Learned flows with these fields. */
  async #learned(table: 'neighbours' | 'stations', match: Match = []): Promise<readonly FlowStats[]> {
    const tableId = routerTable(this.#options.router, table);
    const request = { type: 'flow', tableId, ...anywhere, ...cookies, match } as const;
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

  /** `lost`: packets of each port that did not get through before the first question. */
  #question(neighbour: Neighbour, lost: Lost, number = 1): void {
    const { hop, mac } = neighbour;
    const timer = this.#options.clock.after(QUESTION_INTERVAL_MS, () => {
      if (number < QUESTIONS) this.#question(neighbour, lost, number + 1);
      else void this.#giveUp(neighbour, lost);
    });
    this.#asked.set(hopKey(hop), timer);
    this.#options.ask(hop, mac);
  }

  /** Forgets it, unless its answer may have been lost, or another has come in its place. */
  async #giveUp(neighbour: Neighbour, lost: Lost): Promise<void> {
    const key = hopKey(neighbour.hop);
    const kept = this.#kept.get(key) ?? 0;
    const keep = kept < KEPT_MAX && (await this.#mayHaveLost(neighbour, lost));
    const [flow] = keep ? [] : await this.#learned('neighbours', neighbour.flow.match);
    // Who has answered meanwhile is not asked any more.
    if (!this.#asked.delete(key)) return;
    if (keep) this.#kept.set(key, kept + 1);
    else if (flow !== undefined && placeOf(flow)?.mac === neighbour.mac) this.#forget(flow);
  }

  /** Whether packets of its port did not get through since then; what other ports lose is nothing to it. */
  async #mayHaveLost({ hop, mac }: Neighbour, before: Lost): Promise<boolean> {
    const station: Match = [oxm('reg4', BigInt(hop.subnet.number)), oxm('eth_dst', mac)];
    const port = portOf(await this.#learned('stations', station));
    const now = this.#options.tables.packets.lost();
    return [...now].some(([number, packets]) => (number & 0xffff) === port && packets !== (before.get(number) ?? 0n));
  }

  #forget({ priority, match }: FlowStats): void {
    const { router, tables } = this.#options;
    tables.commit([
      {
        type: 'flow_mod',
        command: OFPFC.DELETE_STRICT,
        tableId: routerTable(router, 'neighbours'),
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

const appliedBy = ({ instructions }: FlowStats) =>
  instructions.flatMap((one) => (one.type === 'apply_actions' ? one.actions : []));

/** Where flows have learned that a station is: 16 bits, as they write it. */
function portOf(stations: readonly FlowStats[]): number | undefined {
  const loads = stations.flatMap(appliedBy).filter((action) => action.type === 'nx_reg_load');
  const port = loads.find(({ destination }) => destination.field === 'reg5')?.value;
  return port === undefined ? undefined : Number(port);
}

/** What a learned flow says: the registers that it matches, and the address that it sets. */
function placeOf(flow: FlowStats) {
  const { match } = flow;
  const fields = new Map(match.flatMap((one) => ('value' in one ? [[one.field as string, one.value] as const] : [])));
  const number = (name: string): bigint => {
    const value = fields.get(name);
    return value === undefined ? 0n : numberAt(value, 0, value.length);
  };
  const family = number('eth_type') === 0x0800n ? 4 : 6;
  const words = ['reg0', 'reg1', 'reg2', 'reg3'].map(number).reduce((value, word) => (value << 32n) | word, 0n);
  const whole = fields.has('xxreg0') ? number('xxreg0') : words;
  const address: Address = { family, value: family === 4 ? number('reg0') : whole };
  const mac = appliedBy(flow).flatMap((action) =>
    action.type === 'set_field' && action.oxm.field === 'eth_dst' && 'value' in action.oxm
      ? [macText(action.oxm.value)]
      : [],
  )[0];
  return mac === undefined ? undefined : { subnet: Number(number('reg4')), address, mac };
}
