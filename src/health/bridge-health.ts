/**
 * Health of the instances of a bridge's chains. What is down is taken out of its liveness group, which the buckets of its
 * hop watch: they stay as they are, and so do sessions of the others.
 */
import { type GroupMod, type Outgoing, of13 } from 'node-openflow';
import type { Clock } from '../base/clock.js';
import { type Logger, RateLimitedLogs } from '../base/logger.js';
import type { LocalTables } from '../bridge/local-tables.js';
import type { Program, ProgramCheck, ProgramGroup } from '../compiler/index.js';
import { type ChainCount, countInstances } from '../reconcile/index.js';
import { type Checker, type CheckerWorld, Prober } from './checker.js';
import { Counter } from './counter.js';
import type { Latency } from './latencies.js';
import { FIRST_CHECK_SPREAD_MS, FIRST_CHECK_STEP_MS } from './limits.js';
import { bucketPackets, instancePackets, ownFlows, portsDown } from './readings.js';
import type { State } from './tally.js';

const { OFPGC, OFPP, OFP_NO_BUFFER } = of13;

export interface InstanceHealth {
  /** Undefined of lines that are no instance's. */
  readonly state: State | undefined;
  /** Milliseconds since 1970; 0: since it is known. */
  readonly sinceMs: number;
  readonly reason: string;
  readonly latency: Latency | undefined;
}
/** An instance of a hop in one direction, with its packets and its health. */
export type ChainLine = ChainCount & InstanceHealth;

export interface BridgeHealthOptions {
  readonly tables: LocalTables;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallMs?: () => number;
  readonly logger: Logger;
}

interface Watched {
  readonly check: ProgramCheck;
  /** All that its checker was made of. */
  readonly signature: string;
  readonly checker: Checker;
  sinceMs: number;
}

type Place = Pick<ProgramCheck, 'document' | 'hop' | 'instance'>;
const keyOf = ({ document, hop, instance }: Place): string => `${document}/${hop}/${instance}`;
const signatureOf = (check: ProgramCheck): string =>
  JSON.stringify(check, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

const isDown = ({ checker }: Watched): boolean => checker.state === 'down';
const withoutBuckets = (group: ProgramGroup): ProgramGroup => ({ ...group, mod: { ...group.mod, buckets: [] } });

export class BridgeHealth {
  readonly #options: BridgeHealthOptions;
  /** One that comes and goes all the time does not fill the log. */
  readonly #logs: RateLimitedLogs;
  #watched: ReadonlyMap<string, Watched> = new Map();
  #byCookie: ReadonlyMap<bigint, Watched> = new Map();
  #program: Program | undefined;

  constructor(options: BridgeHealthOptions) {
    this.#options = options;
    this.#logs = new RateLimitedLogs(options.logger, { clock: options.clock });
  }

  /** As it is to be in force now: what a program says of instances that are down is that they are. */
  altered(program: Program): Program {
    const down = new Set(
      program.checks.flatMap((check) => {
        const watched = this.#same(check);
        return watched !== undefined && isDown(watched) ? [check.liveness] : [];
      }),
    );
    if (down.size === 0) return program;
    const groups = program.groups.map((group) => (down.has(group.mod.groupId) ? withoutBuckets(group) : group));
    return { ...program, groups };
  }

  /** A program is in force, as {@link altered} made it. Instances of which nothing changed go on being asked as before. */
  follow(program: Program): void {
    const before = this.#watched;
    this.#program = program;
    this.#watched = new Map(
      program.checks.map((check, index) => [keyOf(check), this.#same(check) ?? this.#watch(check, index)]),
    );
    const kept = new Set(this.#watched.values());
    for (const watched of before.values()) if (!kept.has(watched)) watched.checker.stop();
    const answering = [...kept].flatMap((watched) =>
      watched.check.cookie === undefined ? [] : [[watched.check.cookie, watched] as const],
    );
    this.#byCookie = new Map(answering);
    this.#options.tables.onPackets(answering.length === 0 ? undefined : (packet) => this.#take(packet));
  }

  /** Afterwards: what is sent then must not come into the middle of what brought the packet. */
  #take({ cookie, frame }: { readonly cookie: bigint; readonly frame: Uint8Array }): void {
    const copy = frame.slice();
    queueMicrotask(() => this.#byCookie.get(cookie)?.checker.take(copy));
  }

  /** All chains in force, hop by hop. */
  async lines(): Promise<readonly ChainLine[]> {
    const { tables } = this.#options;
    const program = this.#program;
    if (program === undefined || program.chains.length === 0) return [];
    const counts = countInstances(program, await ownFlows(tables), await bucketPackets(tables));
    const down = await portsDown(tables);
    return counts.map((count) => ({ ...count, ...this.#healthOf(count, down) }));
  }

  close(): void {
    for (const { checker } of this.#watched.values()) checker.stop();
    this.#watched = new Map();
    this.#byCookie = new Map();
    this.#options.tables.onPackets(undefined);
  }

  #same(check: ProgramCheck): Watched | undefined {
    const watched = this.#watched.get(keyOf(check));
    return watched?.signature === signatureOf(check) ? watched : undefined;
  }

  #watch(check: ProgramCheck, index: number): Watched {
    const { clock, tables } = this.#options;
    const world: CheckerWorld = {
      clock,
      send: (to, frame) => this.#send(to, frame),
      changed: (changed) => this.#changed(changed),
    };
    const counts = async () => instancePackets(tables, this.#program!, check);
    const checker = check.health.type === 'counters' ? new Counter(check, world, counts) : new Prober(check, world);
    const spread = Math.min(FIRST_CHECK_SPREAD_MS, check.health.intervalMs);
    checker.start((index * FIRST_CHECK_STEP_MS) % spread);
    return { check, signature: signatureOf(check), checker, sinceMs: this.#wallMs() };
  }

  #wallMs(): number {
    return (this.#options.wallMs ?? Date.now)();
  }

  #send({ send }: ProgramCheck, data: Uint8Array): string | undefined {
    const message = {
      type: 'packet_out',
      bufferId: OFP_NO_BUFFER,
      inPort: OFPP.CONTROLLER,
      actions: send,
      data,
    } as const;
    const refused = this.#options.tables.commit([message]);
    return refused === undefined ? undefined : `the switch does not send the probe: ${refused.reason}`;
  }

  #changed(check: ProgramCheck): void {
    const watched = this.#same(check);
    const group = this.#program?.groups.find(({ mod }) => mod.groupId === check.liveness);
    if (watched === undefined || group === undefined) return;
    watched.sinceMs = this.#wallMs();
    const { state, reason } = watched.checker;
    const { groupId, groupType, buckets } = (isDown(watched) ? withoutBuckets(group) : group).mod;
    const message: Outgoing<GroupMod> = { type: 'group_mod', command: OFPGC.MODIFY, groupId, groupType, buckets };
    const refused = this.#options.tables.commit([message]);
    const log = this.#logs.of(keyOf(check));
    const fields = { chain: check.document, hop: check.hop, instance: check.instance, state };
    if (refused !== undefined) log.warn({ ...fields, refused: refused.reason }, 'health of an instance has no effect');
    else if (state === 'down') log.warn({ ...fields, reason }, 'instance of a chain is down');
    else log.info(fields, state === 'up' ? 'instance of a chain is up' : 'instance of a chain is tried again');
  }

  #healthOf(count: ChainCount, down: ReadonlySet<number>): InstanceHealth {
    const { chain: document, hop, instance, port } = count;
    if (port === undefined) return { state: undefined, sinceMs: 0, reason: '', latency: undefined };
    const watched = this.#watched.get(keyOf({ document, hop, instance }));
    const { state = 'up', reason = '', latency } = watched?.checker ?? {};
    const sinceMs = watched?.sinceMs ?? 0;
    if (down.has(port)) return { state: 'down', sinceMs, reason: 'its ingress port is down', latency };
    return { state, sinceMs, reason, latency };
  }
}
