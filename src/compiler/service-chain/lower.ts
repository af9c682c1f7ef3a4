/**
 * ServiceChain: what arrives is classified unless it comes from a hop; each hop has a table with a group; what comes back
 * from a hop goes on in the table of the next one. Tables are passed in ascending order only, so a packet cannot go round.
 *
 * Chains carry unicast only, and never flood: a hop that passes on what it gets on its other leg would hear it again and
 * again. So it is learned where stations are (`places`), and what leaves goes there.
 */
import type { Action } from 'node-openflow';
import { parseFlow } from 'node-openflow/text';
import { type At, say, seen } from '../at.js';
import type { Builder } from '../builder.js';
import { groupWords } from '../group-words.js';
import { CHAIN_INSTANCES_MAX, TABLE_ID_MAX } from '../limits.js';
import { MappedText } from '../mapped-text.js';
import { learnedCookie } from '../owner.js';
import type { Origin, ProgramCheck, ProgramHop, ProgramTable } from '../program.js';
import { Scope } from '../scope.js';
import { finish } from '../tests.js';
import { type ClassifierMatches, classifierMatches, MULTICAST, PLACE } from './classifiers.js';
import { anySort, Correlation, fragmentsOf } from './correlation.js';
import { HealthFlows, type HealthMaker } from './health-flows.js';
import { HopGroups, type HopPlace } from './hop-groups.js';
import { type Direction, type Hop, type Instance, legsOf, readHop, slotsOf } from './hops.js';
import type { Leg } from './legs.js';
import { Residents } from './residents.js';
import { toWrap, wrapping } from './service-path.js';
import { learnActions, learnFlows, ofPort } from './stations.js';
import { hopTable, inOrder, picks, pickTable, type Shape, splitsFragments, tablesOf, WRAP_TABLE } from './tables.js';
import { unseenFlows } from './unseen.js';

/** Priorities of the table `arrive`, in the order in which they are asked. */
const PRIORITY = { multicastOfHops: 60_000, returned: 50_000, ofHops: 40_000, rest: 0 } as const;
const FIRST_CLASSIFIER = 60_000;
const CLASSIFIER_STEP = 20;
/** The register of the hash that both directions have in common. */
const SLOT = 'reg7';

interface Spec {
  readonly table?: number;
  readonly return?: 'none' | 'symmetric';
  readonly exit?: 'normal' | { readonly port?: unknown; readonly table?: unknown };
  readonly next?: 'normal' | 'drop' | { readonly goto: unknown };
  readonly fragments?: 'chain' | 'drop';
}

interface Classifier {
  readonly at: At;
  readonly name: string;
  readonly index: number;
  readonly matches: ClassifierMatches;
}

export class ServiceChainLowering implements HealthMaker {
  readonly scope: Scope;
  readonly name: string;
  readonly #owner: string;
  readonly #root: At;
  readonly #spec: At;
  readonly #symmetric: boolean;
  readonly #correlation: Correlation;
  readonly #hops: readonly Hop[];
  readonly #shape: Shape;
  readonly #residents = new Residents();
  /** What is wrong with hops would be said again of each of their flows. */
  readonly #broken: boolean;
  /** Instances that have a flow which wraps packets for them, by its key. */
  readonly #wrapped = new Set<number>();
  #health: HealthFlows | undefined;

  constructor(
    root: At,
    readonly builder: Builder,
  ) {
    const before = builder.diagnostics.errors;
    this.#root = root;
    this.#spec = root.key('spec');
    const vars = this.#spec.key('vars');
    this.scope = new Scope(vars.value === undefined ? undefined : vars, builder.ports, builder.diagnostics);
    this.name = (root.key('metadata').value as { name: string }).name;
    this.#owner = builder.owner(root.key('metadata'));
    const allowed = builder.allow(this.name, this.#spec.key('lint').key('allow'));
    const spec = this.#spec.value as Spec;
    this.#symmetric = spec.return === 'symmetric';
    const hops = this.#spec.key('hops').each();
    const correlation = this.#spec.key('correlation');
    this.#correlation = Correlation.read(correlation, hops.length, this.#symmetric ? 2 : 1, builder.diagnostics);
    const world = {
      scope: this.scope,
      builder,
      correlation: this.#correlation,
      symmetric: this.#symmetric,
      allowed,
    };
    this.#hops = hops.map((at) => readHop(at, world));
    this.#shape = this.#shapeOf(spec);
    this.#declareTables(spec.table ?? 0);
    this.#declareLegs();
    for (const { name: hop, health, instances } of this.#hops)
      for (const instance of health === undefined ? [] : instances)
        builder.asked.add({ document: this.name, hop, instance, health: health! });
    this.#broken = builder.diagnostics.errors > before;
  }

  get #directions(): readonly Direction[] {
    return this.#symmetric ? ['forward', 'reverse'] : ['forward'];
  }

  #shapeOf({ exit = 'normal' }: Spec): Shape {
    const asked = this.#symmetric ? ['to', 'from'] : ['to'];
    const asksPlaces = this.#spec
      .key('classifiers')
      .each()
      .some((at) => asked.some((key) => at.key(key).value !== undefined));
    const learns = exit === 'normal' || this.#symmetric || asksPlaces;
    const ownExit = this.#symmetric && typeof exit === 'object' && exit.port !== undefined;
    const hops = this.#hops;
    const wraps = hops.some(({ mode, instances }) => mode === 'inline' && instances.some(({ aware }) => aware));
    return { at: this.#root.key('metadata'), hops, symmetric: this.#symmetric, learns, asksPlaces, ownExit, wraps };
  }

  #declareTables(first: number): void {
    const { diagnostics } = this.builder;
    const tables = tablesOf(this.#shape);
    const last = first + tables.length - 1;
    if (last > TABLE_ID_MAX) {
      const at = this.#spec.key('table').value === undefined ? this.#spec.key('hops') : this.#spec.key('table');
      const message = `the chain takes ${tables.length} tables, up to number ${last}; the last is ${TABLE_ID_MAX}`;
      say(
        diagnostics,
        at,
        'limit',
        message,
        this.#spec.key('table').value === undefined ? { range: at.keyRange() } : {},
      );
    }
    for (const [index, { name, at }] of tables.entries()) {
      if (this.scope.names.table.has(name)) {
        const message = `two tables of the chain would be called ${JSON.stringify(name)}: give the hop another name`;
        say(diagnostics, at.key('name'), 'duplicate', message);
      }
      this.scope.names.table.set(name, first + index);
      this.builder.table({ document: this.name, name, id: first + index, at });
    }
  }

  #declareLegs(): void {
    for (const [index, { name, mode, instances }] of this.#hops.entries()) {
      const tags = this.#directions.flatMap(
        (direction) => this.#correlation.tags(this.#position(index, direction)) ?? [],
      );
      for (const instance of instances) {
        const leg: Leg = {
          document: this.name,
          hop: name,
          instance: instance.name,
          at: instance.at,
          inline: mode === 'inline',
          tags: this.#correlation.marks(instance) ? tags : undefined,
        };
        for (const port of new Set([instance.ingress, instance.egress])) this.#declareLeg(port, leg);
      }
    }
  }

  #declareLeg(port: number, leg: Leg): void {
    const other = this.builder.legs.add(port, leg);
    if (other === undefined) return;
    const { document, hop, inline } = other;
    const message =
      document === this.name
        ? `a port of instance ${leg.instance} is one of hop ${hop} too: a chain visits a port once`
        : inline && leg.inline
          ? `what comes back from instance ${leg.instance} could be of chain ${document} too, whose hop ${hop} has the same port: give the chains correlation, with different tags`
          : `instance ${leg.instance} and hop ${hop} of chain ${document} have the same port, and one of them is a tap`;
    say(this.builder.diagnostics, leg.at, 'duplicate', message, { related: [seen(other.at, `hop ${hop}`)] });
  }

  /** Hops are numbered in both directions, for tags. */
  #position(index: number, direction: Direction): number {
    return index + (direction === 'forward' ? 0 : this.#hops.length);
  }

  #table(name: string): number {
    return this.scope.names.table.get(name)!;
  }

  lower(): void {
    if (this.#broken || !this.#hasOwnTables()) return;
    const next = this.#next();
    const classifiers = this.#classifiers();
    const { asked, legs } = this.builder;
    const at = this.#root.key('metadata');
    this.#health = new HealthFlows(this.#hops, { correlation: this.#correlation, asked, legs, maker: this, at });
    this.#arrive(next);
    const exitPort = this.#exitPort();
    this.#classify(classifiers, next, exitPort);
    this.builder.chain({ document: this.name, hops: this.#places().map((place) => this.#hop(place)) });
    this.#exits(exitPort);
    finish(this.name, this.#spec, this.scope, this.builder);
  }

  /** Tables are the chain's own. */
  #hasOwnTables(): boolean {
    const own = new Map(tablesOf(this.#shape).map(({ name }) => [this.#table(name), name]));
    const shared = this.builder.tables.find(({ document, id }) => document !== this.name && own.has(id));
    if (shared === undefined) return true;
    const { document, name, id, at } = shared;
    const message = `table ${own.get(id)} would be number ${id}, which is ${name} of ${document}: give the chain another table`;
    const where =
      this.#spec.key('table').value === undefined ? this.#root.key('metadata').key('name') : this.#spec.key('table');
    say(this.builder.diagnostics, where, 'duplicate', message, { related: [seen(at, `${document}/${name}`)] });
    return false;
  }

  #origin(at: At, name: string): Origin {
    return { at, owner: this.#owner, document: this.name, name };
  }

  /** The cookie that it has. */
  #flow(table: string, priority: number, match: string | MappedText, actions: string, at: At, rule: string): bigint {
    const origin = this.#origin(at, `${table}/${rule}`);
    const cookie = this.builder.cookie(origin);
    const text = new MappedText().add(`table=${this.#table(table)},priority=${priority}`, at);
    const words = typeof match === 'string' ? new MappedText().add(match, at) : match;
    if (words.text !== '') text.add(',').append(words);
    this.builder.flow(text.add(` actions=${actions}`, at), origin, cookie, this.scope);
    return cookie;
  }

  wrap({ position, hop, direction }: HopPlace, instance: Instance, port: number): string {
    const key = position * CHAIN_INSTANCES_MAX + hop.instances.indexOf(instance);
    if (!this.#wrapped.has(key)) {
      this.#wrapped.add(key);
      const { match, actions } = wrapping(key, this.#correlation.path(position), port);
      this.#flow(WRAP_TABLE, 1, match, actions, hop.at, `${hopTable(hop, direction)}/${instance.name}`);
    }
    return toWrap(key, this.#table(WRAP_TABLE));
  }

  add(name: string, type: string, buckets: readonly string[], at: At): number {
    const id = this.builder.groupNumbers(this.#owner).make(`${this.name}/${name}`);
    this.builder.group(groupWords(id, type, buckets, at), this.#origin(at, name), this.scope);
    return id;
  }

  watch(instance: Instance): string {
    return this.#health!.watch(instance);
  }

  arrives(priority: number, match: string, actions: string, at: At, rule: string): void {
    this.#flow('arrive', priority, match, actions, at, rule);
  }

  actions(words: string): readonly Action[] {
    const parsed = parseFlow(`actions=${words}`);
    return parsed.ok ? parsed.value.instructions.flatMap((one) => ('actions' in one ? one.actions : [])) : [];
  }

  check(check: ProgramCheck): void {
    this.builder.check(check);
  }

  /** A table outside the chain, after it; undefined, and said, where there is none. */
  #outside(at: At): number | undefined {
    const number = this.scope.number('table', at);
    const last = this.#table(tablesOf(this.#shape).at(-1)!.name);
    if (number === undefined || number > last) return number;
    say(
      this.builder.diagnostics,
      at,
      'value',
      `table ${number} is not after the chain, whose last is ${last}: packets go onwards only`,
    );
    return undefined;
  }

  /** The table of another chain that a number is, if it is one. */
  #ofOtherChain(number: number | undefined): ProgramTable | undefined {
    const { tables, legs } = this.builder;
    return tables.find(({ document, id }) => id === number && document !== this.name && legs.has(document));
  }

  /** What is done with what is not for the chain. */
  #next(): string {
    const at = this.#spec.key('next');
    if (typeof at.value !== 'object') return String(at.value ?? 'normal');
    const to = this.#outside(at.key('goto'));
    const other = this.#ofOtherChain(to);
    if (other !== undefined && other.name !== 'arrive') {
      const { document, name } = other;
      const message = `table ${to} is ${name} of chain ${document}: packets come into a chain by its table arrive`;
      say(this.builder.diagnostics, at.key('goto'), 'value', message, { related: [seen(other.at, document)] });
    }
    return to === undefined ? 'drop' : `goto_table:${to}`;
  }

  #arrive(next: string): void {
    const metadata = this.#root.key('metadata');
    const flow = (priority: number, match: string, actions: string, at: At, rule: string) =>
      this.#flow('arrive', priority, match, actions, at, rule);
    for (const hop of this.#hops) {
      const { at, name, instances } = hop;
      for (const port of new Set(instances.flatMap(({ ingress, egress }) => [ingress, egress]))) {
        flow(PRIORITY.multicastOfHops, `in_port=${port},${MULTICAST}`, 'drop', at, `multicast of ${name}`);
        if (this.#takesAll(hop, port)) continue;
        const shared = this.builder.legs.ofOthers(this.name).includes(port) && next.startsWith('goto_table');
        flow(PRIORITY.ofHops, `in_port=${port}`, shared ? next : 'drop', at, `other packets of ${name}`);
      }
    }
    const own = new Set(this.builder.legs.of(this.name));
    for (const port of this.builder.legs.ofOthers(this.name)) {
      const others = next.startsWith('goto_table') ? next : 'drop';
      if (!own.has(port)) flow(PRIORITY.ofHops, `in_port=${port}`, others, metadata, 'hops of other chains');
    }
    const classify = `goto_table:${this.#table('classify')}`;
    if (!this.#shape.learns) {
      flow(PRIORITY.rest, '', classify, metadata, 'rest');
      return;
    }
    const looked = [
      learnActions(this.#table('learn')),
      `resubmit(,${this.#table('places')})`,
      ...(this.#shape.asksPlaces ? this.#residents.lookups(this.#table('residents')) : []),
    ];
    flow(PRIORITY.rest, '', [...looked, classify].join(','), metadata, 'rest');
    this.#learn();
  }

  /** Tables of where stations are, and what is learned for them. */
  #learn(): void {
    const metadata = this.#root.key('metadata');
    const cookieOf = (kind: string) => (of: number) =>
      learnedCookie(this.builder.cookie(this.#origin(metadata, `learned/${kind}/${of}`)));
    const shares = learnFlows(this.#table('places'), cookieOf('places'));
    for (const { match, actions } of shares) this.#flow('learn', 1, match, actions, metadata, 'shares');
    if (!this.#shape.asksPlaces) return;
    const residents = this.#residents.learned(this.#table('residents'), cookieOf('residents'));
    for (const [port, actions] of residents) {
      const share = shares[port % shares.length]!.actions;
      this.#flow('learn', 2, ofPort(port), `${share},${actions}`, metadata, 'residents');
    }
    const ports = this.builder.ports.ports;
    const macOf = (port: number) => ports.find(({ number }) => number === port)?.mac;
    for (const { priority, match, actions } of this.#residents.known(macOf))
      this.#flow('residents', priority, match, actions, metadata, 'known');
  }

  /** Whatever comes by the port is taken for what was sent to the hop. */
  #takesAll({ mode, instances }: Hop, port: number): boolean {
    if (mode === 'tap') return false;
    return instances.some((instance) => {
      if (this.#correlation.marks(instance)) return false;
      return instance.egress === port || (this.#symmetric && instance.ingress === port);
    });
  }

  /** Those that have a meaning. */
  #classifiers(): Classifier[] {
    const names = new Map<string, At>();
    const legOf = (port: number) => this.builder.legs.at(port, this.name)?.hop;
    const world = { scope: this.scope, symmetric: this.#symmetric, residents: this.#residents, legOf };
    return this.#spec
      .key('classifiers')
      .each()
      .flatMap((at, index) => {
        const { name = `#${index + 1}` } = at.value as { name?: string };
        const other = names.get(name);
        if (other !== undefined) {
          const message = `there are two classifiers ${JSON.stringify(name)}`;
          say(this.builder.diagnostics, at.key('name'), 'duplicate', message, {
            related: [seen(other, 'the other one')],
          });
        }
        names.set(name, at);
        const matches = classifierMatches(at, world);
        return matches === undefined ? [] : [{ at, name, index, matches }];
      });
  }

  #classify(classifiers: readonly Classifier[], next: string, exitPort: number | undefined): void {
    const [forward, reverse]: [string[], string[]] = [[], []];
    const first = (direction: Direction) =>
      `goto_table:${this.#table(hopTable(inOrder(this.#hops, direction)[0]!, direction))}`;
    for (const { at, name, index, matches } of classifiers) {
      const priority = FIRST_CLASSIFIER - index * CLASSIFIER_STEP;
      const before = this.builder.diagnostics.errors;
      for (const match of matches.forward) this.#flow('classify', priority, match, first('forward'), at, name);
      // It would be said again of all that is made of them.
      if (this.builder.diagnostics.errors > before) continue;
      forward.push(...matches.forward.map(({ text }) => text));
      if (!this.#symmetric) continue;
      reverse.push(...matches.reverse);
      for (const match of matches.reverse)
        this.#flow('classify', priority - CLASSIFIER_STEP / 2, match, first('reverse'), at, `answers to ${name}`);
    }
    const { fragments = 'chain' } = this.#spec.value as Spec;
    const ofFragments = (direction: Direction) => (fragments === 'drop' ? 'drop' : first(direction));
    const classified = {
      forward,
      reverse,
      fragments: { forward: ofFragments('forward'), reverse: ofFragments('reverse') },
      exitPort,
      next,
    };
    for (const { priority, match, actions, rule } of unseenFlows(classified))
      this.#flow('classify', priority, match, actions, this.#spec.key('classifiers'), rule);
    this.#flow('classify', 0, '', next, this.#root.key('metadata'), 'rest');
  }

  #places(): HopPlace[] {
    return this.#directions.flatMap((direction) => {
      const hops = inOrder(this.#hops, direction);
      return hops.map((hop, index) => {
        const then = hops[index + 1];
        const exit = direction === 'reverse' && this.#shape.ownExit ? 'exit-back' : 'exit';
        return {
          hop,
          direction,
          position: this.#position(this.#hops.indexOf(hop), direction),
          name: hopTable(hop, direction),
          after: this.#table(then === undefined ? exit : hopTable(then, direction)),
        };
      });
    });
  }

  #hop(place: HopPlace): ProgramHop {
    const { hop, direction, name } = place;
    const groups = new HopGroups(place, this.#correlation, this);
    if (hop.mode === 'tap') this.#tap(place, groups);
    else if (picks(hop, this.#symmetric)) this.#pick(place, groups);
    else
      for (const sort of this.#correlation.sorts) {
        this.#flow(name, 0, sort.match, `group:${groups.whole(sort)}`, hop.at, 'all');
        if (!splitsFragments(hop)) continue;
        const together = groups.together(sort);
        for (const match of fragmentsOf(sort)) this.#flow(name, 1, match, `group:${together}`, hop.at, 'fragments');
      }
    const instances = hop.instances.map((instance, index) => {
      const [into, outOf] = legsOf(instance, direction);
      const returned = hop.mode === 'tap' ? undefined : this.#returned(place, instance, outOf);
      const back = hop.mode === 'tap' ? undefined : outOf;
      return { name: instance.name, into, outOf: back, buckets: groups.buckets.of(index), returned };
    });
    const { mode } = hop;
    return { name: hop.name, mode, direction, table: this.#table(name), instances, skips: groups.buckets.skips };
  }

  #tap({ hop, name, after }: HopPlace, groups: HopGroups): void {
    const group = groups.whole(anySort);
    this.#flow(name, 0, '', `group:${group},goto_table:${after}`, hop.at, 'all');
  }

  /** By a hash that is the same for both directions. */
  #pick({ hop, direction, name }: HopPlace, groups: HopGroups): void {
    const slots = slotsOf(hop, this.builder.diagnostics);
    if (slots === undefined) return;
    const pick = pickTable(hop, direction);
    const hash = (fields: string) =>
      `multipath(${fields},0,modulo_n,${slots.length},0,NXM_NX_REG7[0..15]),goto_table:${this.#table(pick)}`;
    this.#flow(name, 0, '', hash('symmetric_l3l4+udp'), hop.at, 'all');
    for (const match of fragmentsOf(anySort)) this.#flow(name, 1, match, hash('symmetric_l3'), hop.at, 'fragments');
    for (const sort of this.#correlation.sorts) {
      const each = groups.each(sort);
      for (const [slot, instance] of slots.entries()) {
        const match = `${sort.match === '' ? '' : `${sort.match},`}${SLOT}=${slot}`;
        this.#flow(pick, 1, match, `group:${each[instance]}`, hop.at, hop.instances[instance]!.name);
      }
    }
  }

  /** What comes back from an instance goes on; the cookie of the flows for it. */
  #returned({ hop, direction, position, after }: HopPlace, instance: Instance, port: number): bigint {
    const way = direction === 'forward' ? 'from' : 'back from';
    let cookie = 0n;
    for (const sort of this.#correlation.sorts) {
      const marked = this.#correlation.marks(instance);
      const { match, actions } = marked ? this.#correlation.pop(position, sort) : { match: '', actions: '' };
      const text = `in_port=${port}${match}`;
      cookie = this.#flow(
        'arrive',
        PRIORITY.returned,
        text,
        `${actions}goto_table:${after}`,
        hop.at,
        `${way} ${hop.name}/${instance.name}`,
      );
    }
    return cookie;
  }

  /** Undefined where it does not leave by one port, or, and said, where there is none. */
  #exitPort(): number | undefined {
    const at = this.#spec.key('exit').key('port');
    const [value] = this.scope.values(at);
    const port = value === undefined ? undefined : this.scope.portNumber(value);
    const leg = port === undefined ? undefined : this.builder.legs.at(port, this.name);
    if (leg !== undefined)
      say(this.builder.diagnostics, at, 'value', `${value!.text} is a leg of hop ${leg.hop}: the chain would not end`);
    return port;
  }

  #exits(exitPort: number | undefined): void {
    const at = this.#spec.key('exit');
    const { exit = 'normal' } = this.#spec.value as Spec;
    const where = at.value === undefined ? this.#root.key('metadata') : at;
    if (exit === 'normal' || this.#shape.ownExit) {
      const table = this.#shape.ownExit ? 'exit-back' : 'exit';
      this.#flow(table, 0, '', `resubmit(,${this.#table('places')}),output:${PLACE}`, where, 'all');
    }
    if (typeof exit !== 'object') return;
    if (exit.table !== undefined) {
      const to = this.#outside(at.key('table'));
      const other = this.#ofOtherChain(to);
      if (other !== undefined) {
        const { document, name } = other;
        const message = `table ${to} is ${name} of chain ${document}, which takes nothing that comes from the hops of others: what leaves a chain goes on elsewhere`;
        say(this.builder.diagnostics, at.key('table'), 'value', message, { related: [seen(other.at, document)] });
      }
      if (to !== undefined) this.#flow('exit', 0, '', `goto_table:${to}`, at, 'all');
      return;
    }
    if (exitPort === undefined) return;
    this.#flow('exit', 0, '', `output:${exitPort}`, at, 'all');
  }
}
