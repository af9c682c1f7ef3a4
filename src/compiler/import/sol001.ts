/** ETSI NFV-SOL 001: the VNFFG part of a network service descriptor in TOSCA (§7.10, NFP, NfpPosition, NfpRule). */
import type { At } from '../at.js';
import type { Behaviour } from '../service-chain/hops.js';
import { ownTableNames } from '../service-chain/tables.js';
import { type ClassifierParts, matchOf } from './classifier-match.js';
import {
  type ImportedChain,
  type ImportedClassifier,
  type ImportedHop,
  type ImportedInstance,
  Names,
} from './imported.js';
import type { Reading } from './reading.js';
import { nodeTemplates, typeOf } from './tosca.js';

const behaviours: Readonly<Record<string, Behaviour>> = { all: 'all', lb: 'balance', ff: 'failover' };

const ruleParts: Readonly<Record<string, keyof ClassifierParts>> = {
  ether_source_address: 'sourceMac',
  ether_destination_address: 'destinationMac',
  ether_type: 'family',
  protocol: 'protocol',
  dscp: 'dscp',
  source_port_range: 'sourcePort',
  destination_port_range: 'destinationPort',
  source_ip_address_prefix: 'source',
  destination_ip_address_prefix: 'destination',
};

class Descriptor {
  readonly nodes: ReadonlyMap<string, At>;

  constructor(
    readonly roots: readonly At[],
    readonly reading: Reading,
  ) {
    this.nodes = new Map(nodeTemplates(roots, reading));
  }

  ofType(type: string): (readonly [string, At])[] {
    return [...this.nodes].filter(([, at]) => typeOf(at).endsWith(`.nfv.${type}`));
  }

  /** What a node requires under a name, in order: `- name: node` or `- name: {node: …}`. */
  required(node: At, name: string): (readonly [string, At])[] {
    return this.reading.list(node.key('requirements')).flatMap((one) => {
      if (!this.reading.map(one)) return [];
      const at = one.key(name);
      if (at.value === undefined) return [];
      const long = typeof at.value === 'object' && at.value !== null;
      const text = long ? this.reading.needed(at, 'node') : this.reading.text(at);
      return text === undefined ? [] : [[text, at] as const];
    });
  }

  /** Nodes that are required and in the file. */
  nodesOf(node: At, name: string): (readonly [string, At])[] {
    return this.required(node, name).flatMap(([text, at]) => {
      const found = this.nodes.get(text);
      if (found === undefined) this.reading.wrong(at, `there is no node template ${JSON.stringify(text)}`);
      return found === undefined ? [] : [[text, found] as const];
    });
  }

  hop([name, position]: readonly [string, At], names: Names): ImportedHop {
    const { reading } = this;
    const properties = position.key('properties');
    const behaviour = reading.text(properties.key('forwarding_behaviour'));
    if (behaviour !== undefined && !Object.hasOwn(behaviours, behaviour))
      reading.wrong(
        properties.key('forwarding_behaviour'),
        `forwarding_behaviour is ${JSON.stringify(behaviour)} and must be all, lb or ff`,
      );
    reading.unread(properties, name, ['forwarding_behaviour']);
    const own = new Names();
    const instances = this.nodesOf(position, 'element').flatMap(([element, at]): ImportedInstance[] => {
      const [ingress, egress, third] = this.required(at, 'profile_element').map(([text]) => text);
      if (third !== undefined) reading.wrong(at, `${element} has more than two connection points`);
      if (ingress === undefined) reading.wrong(at, `${element} has no profile_element`);
      if (ingress === undefined) return [];
      return [{ name: own.take(element, 'instance'), ingress, ...(egress === undefined ? {} : { egress }) }];
    });
    if (instances.length === 0) reading.wrong(position, `${name} has no element`);
    const known = behaviour === undefined || !Object.hasOwn(behaviours, behaviour) ? undefined : behaviours[behaviour];
    return { name: names.take(name, 'hop'), behaviour: known, instances };
  }

  /** Rules whose target is a path. */
  classifiers(path: string): ImportedClassifier[] {
    const { reading } = this;
    const names = new Names();
    return this.roots.flatMap((root) =>
      reading.list(root.key('topology_template').key('policies')).flatMap((one) =>
        reading.entries(one).flatMap(([name, at]): ImportedClassifier[] => {
          if (!typeOf(at).endsWith('.nfv.NfpRule') || !reading.texts(at.key('targets')).includes(path)) return [];
          const properties = at.key('properties');
          const present = Object.entries(ruleParts).filter(([key]) => properties.key(key).value !== undefined);
          const match = matchOf(Object.fromEntries(present.map(([key, part]) => [part, properties.key(key)])), reading);
          const [vlan, ...more] = reading.list(properties.key('vlan_tag'));
          const id = vlan === undefined ? undefined : reading.number(vlan, 0, 4095);
          if (id !== undefined) match.vlan = id;
          for (const inner of more) reading.notes.push(`${name}: vlan_tag ${JSON.stringify(inner.value)}`);
          reading.unread(properties, name, [...Object.keys(ruleParts), 'vlan_tag']);
          return [{ name: names.take(name, 'rule'), match }];
        }),
      ),
    );
  }
}

export function fromSol001(roots: readonly At[], reading: Reading): ImportedChain[] {
  const descriptor = new Descriptor(roots, reading);
  const chains = new Names();
  const paths = descriptor.ofType('NFP');
  if (paths.length === 0 && roots.length > 0 && reading.diagnostics.errors === 0)
    reading.wrong(roots[0]!, 'there is no network forwarding path (tosca.nodes.nfv.NFP) among the node_templates');
  return paths.map(([name, at]) => {
    const names = new Names(ownTableNames);
    const hops = descriptor.nodesOf(at, 'nfp_position').map((position) => descriptor.hop(position, names));
    if (hops.length === 0) reading.wrong(at, `${name} has no nfp_position`);
    const classifiers = descriptor.classifiers(name);
    return {
      name: chains.take(name, 'chain'),
      classifiers: classifiers.length === 0 ? [{ name: 'all', match: {} }] : classifiers,
      hops,
      notes: reading.notes.splice(0),
    };
  });
}
