/**
 * Health of the instances of a bridge's chains. What is down is taken out of its liveness group, which the buckets of its
 * hop watch: they stay as they are, and so do sessions of the others.
 */
import { type GroupMod, type Outgoing, of13 } from 'node-openflow';
import { Backoff } from '../base/backoff.js';
import type { Clock, Timer } from '../base/clock.js';
import { type Logger, RateLimitedLogs } from '../base/logger.js';
import { SharedReadings } from '../base/shared-readings.js';
import type { LocalTables } from '../bridge/local-tables.js';
import { LocalAgent, type Program, type ProgramCheck, type ProgramGroup } from '../compiler/index.js';
import { type ChainCount, countInstances } from '../reconcile/index.js';
import { type Checker, type CheckerWorld, Prober } from './checker.js';
import { Counter, type Packets } from './counter.js';
import type { Latency } from './latencies.js';
import { FIRST_CHECK_SPREAD_MS, FIRST_CHECK_STEP_MS, LOOK_WHILE_DOWN_MS, WRITE_RETRY_MS } from './limits.js';
import { bucketPackets, hopPackets, portsUp, returnedPackets } from './readings.js';
import { sameInstance } from './same-instance.js';
import type { Checks, State } from './tally.js';

const { OFPGC } = of13;

export interface InstanceHealth {
  /** Undefined of lines that are no instance's. */
  readonly state: State | undefined;
  /** Milliseconds since 1970; 0: since it is known. */
  readonly sinceMs: number;
  readonly reason: string;
  readonly latency: Latency | undefined;
  /** Undefined: nobody asks, but for its port. */
  readonly checks: Checks | undefined;
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
  readonly facts: string;
  readonly checker: Checker;
  sinceMs: number;
}

type Place = Pick<ProgramCheck, 'document' | 'hop' | 'instance'>;
const keyOf = ({ document, hop, instance }: Place): string => `${document}/${hop}/${instance}`;
const factsOf = (check: ProgramCheck): string =>
  JSON.stringify(check, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
/** Where answers come in. */
const answersBy = ({ address, ingressPort, egressPort }: ProgramCheck): number =>
  address === undefined ? egressPort : ingressPort;

const isOfHop =
  ({ document, hop }: ProgramCheck) =>
  (other: ProgramCheck): boolean =>
    other.document === document && other.hop === hop;
const isDown = ({ checker }: Watched): boolean => checker.state === 'down';
const withoutBuckets = (group: ProgramGroup): ProgramGroup => ({ ...group, mod: { ...group.mod, buckets: [] } });

export class BridgeHealth {
  readonly #options: BridgeHealthOptions;
  /** One that comes and goes all the time does not fill the log. */
  readonly #logs: RateLimitedLogs;
  readonly #unlisten: () => void;
  #watched: ReadonlyMap<string, Watched> = new Map();
  #byPort: ReadonlyMap<number, readonly Watched[]> = new Map();
  #program: Program | undefined;
  /** The program's, by number. */
  #groups: ReadonlyMap<number, ProgramGroup> = new Map();
  /** Liveness groups that have no buckets in the tables. */
  #emptied: ReadonlySet<number> = new Set();
  /** The same of a program that is to be in force next. */
  #toBeEmptied: ReadonlySet<number> = new Set();
  /** Of the instances of a hop, by document and hop. */
  readonly #packets: SharedReadings<ReadonlyMap<string, Packets>>;
  readonly #portsUp: SharedReadings<ReadonlySet<number>>;
  readonly #backoff = new Backoff(WRITE_RETRY_MS);
  #retry: Timer | undefined;

  constructor(options: BridgeHealthOptions) {
    this.#options = options;
    this.#logs = new RateLimitedLogs(options.logger, { clock: options.clock });
    this.#packets = new SharedReadings(options.clock);
    this.#portsUp = new SharedReadings(options.clock);
    this.#unlisten = options.tables.packets.listen(LocalAgent.health, ({ port, frame }) => this.#take(port, frame));
  }

  /** As it is to be in force now: what a program says of instances that are down is that they are. */
  altered(program: Program): Program {
    const down = program.checks.filter((check) => {
      const before = sameInstance(check, [...this.#watched.values()]);
      return before !== undefined && isDown(before);
    });
    this.#toBeEmptied = new Set(down.map(({ liveness }) => liveness));
    if (down.length === 0) return program;
    const groups = program.groups.map((group) =>
      this.#toBeEmptied.has(group.mod.groupId) ? withoutBuckets(group) : group,
    );
    return { ...program, groups };
  }

  /**
   * A program is in force, as {@link altered} made it the last time. Instances of which nothing changed go on being asked
   * as before; others that are at the ports of one that was asked are taken for as healthy as that one.
   */
  follow(program: Program): void {
    const before = [...this.#watched.values()];
    this.#program = program;
    this.#groups = new Map(program.groups.map((group) => [group.mod.groupId, group]));
    this.#packets.clear();
    this.#emptied = this.#toBeEmptied;
    this.#watched = new Map(
      program.checks.map((check, index) => [
        keyOf(check),
        this.#continued(check, index, before) ?? this.#new(check, index),
      ]),
    );
    const kept = new Set(this.#watched.values());
    for (const watched of before) if (!kept.has(watched)) watched.checker.stop();
    const ports = new Set([...kept].map(({ check }) => answersBy(check)));
    this.#byPort = new Map(
      [...ports].map((port) => [port, [...kept].filter(({ check }) => answersBy(check) === port)]),
    );
    // What changed after the program was altered.
    for (const watched of kept) this.#write(watched);
  }

  /** Chains may share an instance: each knows its own answers. */
  #take(port: number, frame: Uint8Array): void {
    const { logger } = this.#options;
    // Afterwards: what is sent then must not come into the middle of what brought the packet.
    queueMicrotask(() => {
      try {
        for (const { checker } of this.#byPort.get(port) ?? []) checker.take(frame);
      } catch (error) {
        logger.error({ err: error, port }, 'answer of an instance was not understood');
      }
    });
  }

  /** All chains in force, hop by hop. */
  async lines(): Promise<readonly ChainLine[]> {
    const { tables } = this.#options;
    const program = this.#program;
    if (program === undefined || program.chains.length === 0) return [];
    const returned = new Map<bigint, bigint>();
    for (const document of new Set(program.chains.map((chain) => chain.document)))
      for (const [cookie, packets] of await returnedPackets(tables, program, document)) returned.set(cookie, packets);
    const counts = countInstances(program, returned, await bucketPackets(tables));
    const up = await portsUp(tables);
    return counts.map((count) => ({ ...count, ...this.#healthOf(count, up) }));
  }

  close(): void {
    this.#unlisten();
    this.#retry?.cancel();
    for (const { checker } of this.#watched.values()) checker.stop();
    this.#watched = new Map();
    this.#byPort = new Map();
  }

  /** With what is known of it already. */
  #continued(check: ProgramCheck, index: number, before: readonly Watched[]): Watched | undefined {
    const same = sameInstance(check, before);
    if (same === undefined) return undefined;
    const facts = factsOf(check);
    if (same.facts === facts) return same;
    const checker = this.#checker(check, index, same.checker);
    return { check, facts, checker, sinceMs: same.sinceMs };
  }

  #new(check: ProgramCheck, index: number): Watched {
    const checker = this.#checker(check, index);
    return { check, facts: factsOf(check), checker, sinceMs: this.#wallMs() };
  }

  #checker(check: ProgramCheck, index: number, before?: Checker): Checker {
    const checker = this.#makeChecker(check, before);
    const spread = Math.min(FIRST_CHECK_SPREAD_MS, check.health.intervalMs);
    // Those that are read together begin together.
    const first = check.health.type === 'counters' ? this.#program!.checks.findIndex(isOfHop(check)) : index;
    checker.start((first * FIRST_CHECK_STEP_MS) % spread);
    return checker;
  }

  #makeChecker(check: ProgramCheck, before?: Checker): Checker {
    const { clock, tables } = this.#options;
    const world: CheckerWorld = {
      clock,
      send: (to, frame) => this.#send(to, frame),
      changed: (changed) => this.#changed(changed),
    };
    if (check.health.type !== 'counters') return new Prober(check, world, before);
    // What was read for another instance half an interval ago is good enough.
    const freshMs = check.health.intervalMs / 2;
    const reading = {
      packets: async () => {
        const read = () => hopPackets(tables, this.#program!, check);
        const found = await this.#packets.of(`${check.document}/${check.hop}`, freshMs, read);
        return found.get(check.instance) ?? { into: 0n, outOf: 0n };
      },
      portsUp: () => this.#portsUp.of('', Math.min(freshMs, LOOK_WHILE_DOWN_MS / 2), () => portsUp(tables)),
      isLast: (up: ReadonlySet<number>) => this.#isLast(check, up),
    };
    return new Counter(check, { ...world, ...reading }, before);
  }

  /** No other instance of its hop would take its traffic. */
  #isLast(check: ProgramCheck, up: ReadonlySet<number>): boolean {
    const others = [...this.#watched.values()].filter(
      (watched) => isOfHop(check)(watched.check) && watched.check.instance !== check.instance,
    );
    return others.every((watched) => isDown(watched) || !up.has(watched.check.ingressPort));
  }

  #wallMs(): number {
    return (this.#options.wallMs ?? Date.now)();
  }

  #send({ send }: ProgramCheck, frame: Uint8Array): string | undefined {
    const refused = this.#options.tables.packets.send(frame, send);
    return refused === undefined ? undefined : `the switch does not send the probe: ${refused}`;
  }

  #changed(check: ProgramCheck): void {
    const watched = this.#watched.get(keyOf(check));
    if (watched?.check !== check) return;
    watched.sinceMs = this.#wallMs();
    const refused = this.#write(watched);
    const { state, reason } = watched.checker;
    const log = this.#logs.of(keyOf(check));
    const fields = { chain: check.document, hop: check.hop, instance: check.instance, state };
    if (refused !== undefined) log.warn({ ...fields, refused }, 'health of an instance has no effect');
    else if (state === 'down') log.warn({ ...fields, reason }, 'instance of a chain is down');
    else log.info(fields, state === 'up' ? 'instance of a chain is up' : 'instance of a chain is tried again');
  }

  /** Makes its liveness group say what is known; why it was refused, in which case it is tried again. */
  #write(watched: Watched): string | undefined {
    const refused = this.#tryToWrite(watched);
    if (refused !== undefined) {
      this.#retry ??= this.#options.clock.after(this.#backoff.nextMs(), () => {
        this.#retry = undefined;
        for (const one of this.#watched.values()) this.#write(one);
        if (this.#retry === undefined) this.#backoff.reset();
      });
    }
    return refused;
  }

  #tryToWrite(watched: Watched): string | undefined {
    const { liveness } = watched.check;
    if (isDown(watched) === this.#emptied.has(liveness)) return undefined;
    const group = this.#groups.get(liveness);
    if (group === undefined) return undefined;
    const { groupId, groupType, buckets } = (isDown(watched) ? withoutBuckets(group) : group).mod;
    const message: Outgoing<GroupMod> = { type: 'group_mod', command: OFPGC.MODIFY, groupId, groupType, buckets };
    const refused = this.#options.tables.commit([message]);
    if (refused !== undefined) return refused.reason;
    const emptied = new Set(this.#emptied);
    if (isDown(watched)) emptied.add(liveness);
    else emptied.delete(liveness);
    this.#emptied = emptied;
    return undefined;
  }

  #healthOf(count: ChainCount, up: ReadonlySet<number>): InstanceHealth {
    const { chain: document, hop, instance, port } = count;
    if (port === undefined) return { state: undefined, sinceMs: 0, reason: '', latency: undefined, checks: undefined };
    const watched = this.#watched.get(keyOf({ document, hop, instance }));
    const { state = 'up', reason = '', latency, checks } = watched?.checker ?? {};
    const sinceMs = watched?.sinceMs ?? 0;
    if (!up.has(port)) return { state: 'down', sinceMs, reason: 'its ingress port is down', latency, checks };
    return { state, sinceMs, reason, latency, checks };
  }
}
