/**
 * Router: seven tables. `ingress` says which subnet a packet comes from, `local` answers for the gateways and learns
 * neighbours, `advertise` ends answers of neighbour discovery, `router` finds the next hop, `neighbours` its MAC address,
 * `stations` the port of a MAC address, `egress` sends.
 */
import { type At, say } from '../at.js';
import type { Builder } from '../builder.js';
import { groupWords } from '../group-words.js';
import { LEARNED_DEFAULT } from '../limits.js';
import { MappedText } from '../mapped-text.js';
import { nextActions } from '../next.js';
import { hash32, learnedCookie } from '../owner.js';
import type { Origin } from '../program.js';
import { type RouterTable, routerTables } from '../schema/router.js';
import { Scope } from '../scope.js';
import { lowerTests } from '../tests.js';
import { egressFlows, ingressFlows, send, stationFlows } from './frames.js';
import { localFlows } from './local.js';
import { Resolver, type Subnet } from './resolve.js';
import { neighbourFlows, routerFlows } from './routes.js';
import type { RouterFlow, RouterPlan } from './words.js';

const DEFAULT_AGE_S = 4 * 3600;

export class RouterLowering {
  readonly scope: Scope;
  readonly name: string;
  readonly #owner: string;
  readonly #spec: At;
  readonly #first: number;

  constructor(
    root: At,
    readonly builder: Builder,
  ) {
    this.#spec = root.key('spec');
    this.scope = new Scope(undefined, builder.ports, builder.diagnostics);
    this.name = (root.key('metadata').value as { name: string }).name;
    this.#owner = builder.owner(root.key('metadata'));
    builder.allow(this.name, (this.#spec.key('lint').key('allow').value ?? []) as string[]);
    this.#first = (this.#spec.value as { table?: number }).table ?? 0;
    for (const name of routerTables) {
      this.scope.names.table.set(name, this.#number(name));
      builder.table({ document: this.name, name, id: this.#number(name), at: this.#spec });
    }
  }

  #number(table: RouterTable): number {
    return this.#first + routerTables.indexOf(table);
  }

  lower(): void {
    const { diagnostics } = this.builder;
    const before = diagnostics.errors;
    const { subnets, routes } = new Resolver(this.#spec, this.scope, this.#ownMac()).resolve();
    const next = nextActions(this.#spec.key('next'), this.scope);
    if (diagnostics.errors > before) return;
    const { errors = 'drop', learn = {} } = this.#spec.value as SpecWords;
    const { limit = LEARNED_DEFAULT, age = DEFAULT_AGE_S } = learn === false ? {} : learn;
    const plan: RouterPlan = {
      spec: this.#spec,
      subnets,
      routes,
      table: (name) => this.#number(name),
      next,
      undeliverable: errors === 'controller' ? 'controller:65535' : 'drop',
      flood: (subnet) => this.#flood(subnet),
      learned: learn === false ? undefined : (subnet) => ({ limit, age, cookie: this.#learnedCookie(subnet) }),
    };
    for (const flow of flowsOf(plan)) this.#flow(flow);
    lowerTests(this.#spec.key('tests'), this.scope, this.builder);
    if (diagnostics.errors === before) this.#notes(plan);
  }

  /** Locally administered, the same in every run. */
  #ownMac(): string {
    const hash = hash32(`router ${this.name}`).toString(16).padStart(8, '0');
    return `02:58:${hash.replace(/(..)(?=.)/g, '$1:')}`;
  }

  /** Learned flows of a subnet can be told from others, so that they can be counted, and go with what learned them. */
  #learnedCookie(subnet: string): bigint {
    return learnedCookie(this.builder.cookie(this.#origin(this.#spec, `learned/${subnet}`)));
  }

  #origin(at: At, name: string): Origin {
    return { at, owner: this.#owner, document: this.name, name };
  }

  #flow({ table, priority, match, actions, at, name }: RouterFlow): void {
    const origin = this.#origin(at, `${table}/${name}`);
    const parts = [`table=${this.#number(table)}`, `priority=${priority}`, ...match].join(',');
    const text = new MappedText().add(`${parts} actions=${actions.join(',')}`, at);
    this.builder.flow(text, origin, this.builder.cookie(origin), this.scope);
  }

  #flood({ name, attachments, at }: Subnet): number {
    const rule = `${name}-flood`;
    const id = this.builder.groupNumbers(this.#owner).make(`${this.name}/${rule}`);
    const buckets = attachments.map((one) => send(one).join(','));
    this.builder.group(groupWords(id, 'all', buckets, at), this.#origin(at, rule), this.scope);
    return id;
  }

  #notes({ subnets, learned, undeliverable }: RouterPlan): void {
    const { diagnostics } = this.builder;
    for (const { at, name, hosts } of learned === undefined ? subnets : []) {
      if (hosts.length > 0) continue;
      const message = `nothing can be sent to subnet ${name}: it has no hosts, and none are learned`;
      say(diagnostics, at, 'missing', message, { severity: 'warning' });
    }
    if (undeliverable !== 'drop') return;
    const message =
      'what cannot be sent on (no route, a neighbour that is not known, TTL exceeded) is dropped without an ICMP error: flows cannot make one';
    say(diagnostics, this.#spec.key('subnets'), 'icmp-errors', message, {
      severity: 'note',
      range: this.#spec.key('subnets').keyRange(),
    });
  }
}

const flowsOf = (plan: RouterPlan): readonly RouterFlow[] =>
  [ingressFlows, localFlows, routerFlows, neighbourFlows, stationFlows, egressFlows].flatMap((make) => make(plan));

interface SpecWords {
  readonly errors?: 'drop' | 'controller';
  readonly learn?: false | { readonly limit?: number; readonly age?: number };
}
