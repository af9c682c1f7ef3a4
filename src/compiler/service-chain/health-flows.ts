/**
 * What health needs of a switch: for each instance a group that is live while it works, which the buckets of its hop watch
 * instead of its port; and flows that bring its answers to us, and nobody else's.
 */
import type { Action } from 'node-openflow';
import type { At } from '../at.js';
import { LocalAgent, toLocalAgent } from '../local-agent.js';
import type { ProgramCheck } from '../program.js';
import { answersAt, answerThrough, forged } from './answers.js';
import type { AskedInstance, AskedInstances } from './asked.js';
import type { Correlation } from './correlation.js';
import type { GroupMaker } from './hop-groups.js';
import type { Hop, Instance } from './hops.js';
import type { Legs } from './legs.js';

/** In the table `arrive`: answers before all other flows; what is forged behind those of all legs. */
const PRIORITY = { answers: 61_000, forged: 35_000 } as const;

export interface HealthMaker extends GroupMaker {
  readonly name: string;
  /** Adds a flow to the table `arrive`. */
  arrives(priority: number, match: string, actions: string, at: At, rule: string): void;
  /** Actions from their words. */
  actions(words: string): readonly Action[];
  check(check: ProgramCheck): void;
}

export interface HealthWorld {
  readonly correlation: Correlation;
  readonly asked: AskedInstances;
  readonly legs: Legs;
  readonly maker: HealthMaker;
  /** Where flows that are no instance's come from. */
  readonly at: At;
}

export class HealthFlows {
  readonly #groups = new Map<Instance, number>();
  /** Matches of answers that are taken here already: chains may share an instance. */
  readonly #taken = new Set<string>();

  constructor(
    hops: readonly Hop[],
    readonly world: HealthWorld,
  ) {
    const { asked, legs, maker, at } = world;
    for (const [position, { name: hop, health, instances }] of hops.entries()) {
      if (health === undefined) continue;
      for (const instance of instances) this.#add({ document: maker.name, hop, instance, health }, position);
    }
    const passedOn = new Set(legs.ofOthers(maker.name));
    for (const port of legs.of(maker.name)) passedOn.delete(port);
    for (const other of asked.ofOthers(maker.name)) {
      const { document, hop, instance, health } = other;
      if (health.type === 'counters' || instance.address === undefined || passedOn.has(instance.ingress)) continue;
      this.#take(`${document}/${hop}/${instance.name}`, answersAt(other), '', at);
    }
    for (const match of forged(asked.probers)) maker.arrives(PRIORITY.forged, match, 'drop', at, 'forged probes');
  }

  /** What a bucket watches whose packets go to an instance. */
  watch(instance: Instance): string {
    const group = this.#groups.get(instance);
    return group === undefined ? `watch_port=${instance.ingress}` : `watch_group=${group}`;
  }

  #add(one: AskedInstance, position: number): void {
    const { correlation, maker } = this.world;
    const { document, hop, instance, health } = one;
    const { name, at, ingress, egress, address } = instance;
    const id = `${hop}/${name}`;
    const liveness = maker.add(`${id} works`, 'ff', [`watch_port=${ingress},actions=drop`], at);
    this.#groups.set(instance, liveness);
    const sort = correlation.sorts[0]!;
    const through = health.type !== 'counters' && address === undefined;
    const marked = through && correlation.marks(instance);
    const push = marked ? correlation.push(position, sort) : '';
    const send = maker.actions(`${push}output:${ingress}`);
    const ports = { ingressPort: ingress, egressPort: egress };
    maker.check({ document, hop, instance: name, health, liveness, ...ports, address, send });
    if (health.type === 'counters') return;
    const pop = marked ? correlation.pop(position, sort) : { match: '', actions: '' };
    if (through) this.#take(id, [answerThrough(one, pop.match)], pop.actions, at);
    else this.#take(id, answersAt(one), '', at);
  }

  #take(id: string, matches: readonly string[], actions: string, at: At): void {
    const up = toLocalAgent(LocalAgent.health);
    for (const match of matches) {
      if (this.#taken.has(match)) continue;
      this.#taken.add(match);
      this.world.maker.arrives(PRIORITY.answers, match, `${actions}${up}`, at, `health of ${id}`);
    }
  }
}
