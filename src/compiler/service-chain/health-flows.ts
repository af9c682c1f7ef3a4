/**
 * What health needs of a switch: for each instance a group that is live while it works, which the buckets of its hop watch
 * instead of its port; a flow that brings its answers to us, and nobody else's; and a meter, so that it cannot flood us.
 */
import type { Action } from 'node-openflow';
import { OWN_CONTROLLER_ID } from '../../base/own-controller.js';
import type { At } from '../at.js';
import { HEALTH_ANSWERS_PER_SECOND } from '../limits.js';
import type { ProgramCheck } from '../program.js';
import type { Correlation } from './correlation.js';
import { type Health, sourceOf } from './health.js';
import type { GroupMaker } from './hop-groups.js';
import type { Hop, Instance } from './hops.js';

/** Before all other flows of the table `arrive`. */
const PRIORITY = 61_000;

export interface HealthMaker extends GroupMaker {
  readonly name: string;
  /** Adds a flow to the table `arrive`; its cookie. */
  arrives(priority: number, match: string, actions: string, at: At, rule: string): bigint;
  /** Adds a meter of packets a second; its number. */
  meter(name: string, pktps: number, at: At): number;
  /** Actions from their words. */
  actions(words: string): readonly Action[];
  check(check: ProgramCheck): void;
}

export class HealthFlows {
  readonly #groups = new Map<Instance, number>();

  constructor(
    hops: readonly Hop[],
    readonly correlation: Correlation,
    readonly maker: HealthMaker,
  ) {
    for (const [position, hop] of hops.entries()) {
      if (hop.health === undefined) continue;
      for (const instance of hop.instances) this.#add(hop, hop.health, instance, position);
    }
  }

  /** What a bucket watches whose packets go to an instance. */
  watch(instance: Instance): string {
    const group = this.#groups.get(instance);
    return group === undefined ? `watch_port=${instance.ingress}` : `watch_group=${group}`;
  }

  #add(hop: Hop, health: Health, instance: Instance, position: number): void {
    const { name, at, ingress, egress, address } = instance;
    const id = `${hop.name}/${name}`;
    const liveness = this.maker.add(`${id} works`, 'ff', [`watch_port=${ingress},actions=drop`], at);
    this.#groups.set(instance, liveness);
    const source = sourceOf(health, address);
    const through = address === undefined;
    const tagged = through && health.type !== 'counters';
    const push = tagged ? this.correlation.push(position, this.correlation.sorts[0]!) : '';
    this.maker.check({
      document: this.maker.name,
      hop: hop.name,
      instance: name,
      health: { ...health, source },
      liveness,
      ingressPort: ingress,
      egressPort: egress,
      address,
      send: this.maker.actions(`${push}output:${ingress}`),
      cookie: health.type === 'counters' ? undefined : this.#answers(id, { ...health, source }, instance, position),
    });
  }

  #answers(id: string, { type, port, source, target }: Health, instance: Instance, position: number): bigint {
    const { at, ingress, egress, address } = instance;
    const meter = this.maker.meter(`${id} answers`, HEALTH_ANSWERS_PER_SECOND, at);
    const up = `controller(id=${OWN_CONTROLLER_ID},meter_id=${meter})`;
    const flow = (match: string, actions = '') =>
      this.maker.arrives(PRIORITY, match, `${actions}${up}`, at, `health of ${id}`);
    if (address === undefined) {
      const { match, actions } = this.correlation.pop(position, this.correlation.sorts[0]!);
      return flow(`in_port=${egress}${match},dl_src=${source.mac},dl_dst=${target.mac}`, actions);
    }
    const toUs = `in_port=${ingress},dl_dst=${source.mac}`;
    if (type === 'icmp') flow(`${toUs},icmp,nw_src=${address},nw_dst=${source.address},icmp_type=0`);
    if (type === 'tcp') flow(`${toUs},tcp,nw_src=${address},nw_dst=${source.address},tp_src=${port}`);
    // Its answer, and its question for us, which is a broadcast.
    return flow(`in_port=${ingress},arp,arp_spa=${address},arp_tpa=${source.address}`);
  }
}
