/**
 * Router: eight tables. `ingress` says which subnet a packet comes from, `local` answers for the gateways, `advertise` ends
 * answers of neighbour discovery, `router` finds the next hop, `neighbours` its MAC address, `stations` the port of a MAC
 * address, `egress` sends, `learn` learns neighbours.
 */
import { type At, say } from '../at.js';
import type { Builder } from '../builder.js';
import { groupWords } from '../group-words.js';
import { LEARNED_DEFAULT } from '../limits.js';
import { nextActions } from '../next.js';
import { hash32, learnedCookie } from '../owner.js';
import { type RouterTable, routerTables } from '../schema/router.js';
import { TablesLowering } from '../tables-lowering.js';
import { egressFlows, ingressFlows, secondTagFlows, send, stationFlows } from './frames.js';
import { learnFlows } from './learn.js';
import { localFlows } from './local.js';
import { Resolver, type Subnet } from './resolve.js';
import { neighbourFlows, routerFlows } from './routes.js';
import { directedBroadcastFlows, type ErrorMode, programRouter, slowPath, tooBigFlows } from './slow-path.js';
import type { RouterFlow, RouterPlan } from './words.js';

const DEFAULT_AGE_S = 4 * 3600;

export class RouterLowering extends TablesLowering<RouterTable> {
  constructor(root: At, builder: Builder) {
    super(root, builder, routerTables);
  }

  lower(): void {
    if (this.isCrowded) return;
    const { diagnostics } = this.builder;
    const before = diagnostics.errors;
    const { subnets, routes } = new Resolver(this.spec, this.scope, this.#ownMac()).resolve();
    const next = nextActions(this.spec.key('next'), this.scope);
    if (diagnostics.errors > before) return;
    const { errors: wanted = 'icmp', learn = {} } = this.spec.value as SpecWords;
    const { limit = LEARNED_DEFAULT, age = DEFAULT_AGE_S } = learn === false ? {} : learn;
    const errors = wanted === 'icmp' && !this.builder.localAgents ? 'drop' : wanted;
    const plan: RouterPlan = {
      spec: this.spec,
      subnets,
      routes,
      table: (name) => this.number(name),
      next,
      errors,
      slow: slowPath(errors),
      flood: (subnet) => this.#flood(subnet),
      learned:
        learn === false
          ? undefined
          : (subnet, { label }) => ({ limit, age, cookie: this.#learnedCookie(`${subnet.name}/${label}`) }),
    };
    for (const { table, priority, match, actions, at, name } of flowsOf(plan))
      this.flow(table, priority, match.join(','), actions.length === 0 ? ['drop'] : actions, at, name);
    if (errors === 'icmp') this.builder.router(programRouter(this.name, this.number('ingress'), plan, learn !== false));
    this.finish();
    if (diagnostics.errors === before) this.#notes(plan, wanted === 'icmp');
  }

  /** Locally administered, the same in every run. */
  #ownMac(): string {
    const hash = hash32(`router ${this.name}`).toString(16).padStart(8, '0');
    return `02:58:${hash.replace(/(..)(?=.)/g, '$1:')}`;
  }

  /** Learned flows of a port can be told from others, so that they can be counted, and go with what learned them. */
  #learnedCookie(port: string): bigint {
    return learnedCookie(this.builder.cookie(this.origin(this.spec, `learned/${port}`)));
  }

  #flood({ name, attachments, at }: Subnet): number {
    const rule = `${name}-flood`;
    const id = this.builder.groupNumbers(this.owner).make(`${this.name}/${rule}`);
    const buckets = attachments.map((one) => send(one).join(','));
    this.builder.group(groupWords(id, 'all', buckets, at), this.origin(at, rule), this.scope);
    return id;
  }

  #notes({ subnets, learned, errors }: RouterPlan, wanted: boolean): void {
    const { diagnostics } = this.builder;
    for (const { at, name, hosts } of learned === undefined ? subnets : []) {
      if (hosts.length > 0) continue;
      const message = `nothing can be sent to subnet ${name}: it has no hosts, and none are learned`;
      say(diagnostics, at, 'missing', message, { severity: 'warning' });
    }
    if (errors !== 'drop' || !wanted || this.builder.allows(this.name, 'icmp-errors')) return;
    const message =
      'what cannot be sent on (no route, a neighbour that is not known, TTL exceeded, MTU) is dropped without an ICMP error, and nobody is asked for neighbours: an agent of xvifd does that';
    say(diagnostics, this.spec.key('subnets'), 'icmp-errors', message, {
      severity: 'note',
      range: this.spec.key('subnets').keyRange(),
    });
  }
}

const flowsOf = (plan: RouterPlan): readonly RouterFlow[] =>
  [
    ingressFlows,
    secondTagFlows,
    localFlows,
    learnFlows,
    routerFlows,
    directedBroadcastFlows,
    neighbourFlows,
    stationFlows,
    egressFlows,
    tooBigFlows,
  ].flatMap((make) => make(plan));

interface SpecWords {
  readonly errors?: ErrorMode;
  readonly learn?: false | { readonly limit?: number; readonly age?: number };
}
