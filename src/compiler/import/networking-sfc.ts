/** OpenStack's networking-sfc: what its API lists or shows, as JSON or YAML (Neutron API, "Service function chaining"). */
import type { At } from '../at.js';
import { ownTableNames } from '../service-chain/tables.js';
import { matchOf } from './classifier-match.js';
import { type ImportedChain, type ImportedClassifier, type ImportedHop, Names } from './imported.js';
import type { Reading } from './reading.js';

const resources = ['port_pair', 'port_pair_group', 'flow_classifier', 'port_chain', 'service_graph'] as const;
type Resource = (typeof resources)[number];
const always = ['id', 'name', 'description', 'project_id', 'tenant_id', 'created_at', 'updated_at', 'revision_number'];

class Found {
  readonly of: Record<Resource, At[]> = {
    port_pair: [],
    port_pair_group: [],
    flow_classifier: [],
    port_chain: [],
    service_graph: [],
  };

  constructor(
    roots: readonly At[],
    readonly reading: Reading,
  ) {
    for (const root of roots) {
      if (!reading.map(root)) continue;
      for (const resource of resources) {
        for (const key of [resource, `${resource}s`]) {
          const at = root.key(key);
          if (at.value === undefined) continue;
          const each = Array.isArray(at.value) ? at.each() : [at];
          this.of[resource].push(...each.filter((one) => reading.map(one)));
        }
      }
    }
  }

  /** By id or name. */
  find(resource: Resource, at: At): At | undefined {
    const wanted = this.reading.text(at);
    if (wanted === undefined) return undefined;
    const found = this.of[resource].find((one) =>
      ['id', 'name'].some((key) => one.key(key).value !== undefined && String(one.key(key).value) === wanted),
    );
    if (found === undefined) this.reading.wrong(at, `there is no ${resource} ${JSON.stringify(wanted)} in the file`);
    return found;
  }
}

const nameOf = (at: At): string => String(at.key('name').value ?? at.key('id').value ?? '');

function classifierOf(at: At, names: Names, reading: Reading): ImportedClassifier {
  const range = (side: 'source' | 'destination'): At | undefined => {
    const [low, high] = [at.key(`${side}_port_range_min`), at.key(`${side}_port_range_max`)];
    if (low.value !== undefined && low.value !== null && high.value !== undefined && low.value !== high.value)
      return undefined;
    return low.value === undefined ? undefined : low;
  };
  const match = matchOf(
    {
      family: at.key('ethertype'),
      protocol: at.key('protocol'),
      source: at.key('source_ip_prefix'),
      destination: at.key('destination_ip_prefix'),
      ...(range('source') === undefined ? {} : { sourcePort: range('source')! }),
      ...(range('destination') === undefined ? {} : { destinationPort: range('destination')! }),
    },
    reading,
  );
  for (const [side, key] of [
    ['source', 'src_port'],
    ['destination', 'dst_port'],
  ] as const) {
    const [low, high] = ['min', 'max'].map((end) => reading.number(at.key(`${side}_port_range_${end}`), 0, 0xffff));
    if ((low === undefined) !== (high === undefined))
      reading.wrong(at.key(`${side}_port_range_${low === undefined ? 'max' : 'min'}`), 'the range has only one end');
    else if (low !== undefined && high !== undefined && low > high)
      reading.wrong(at.key(`${side}_port_range_max`), `the range ends at ${high} and begins at ${low}`);
    else if (low !== undefined && high !== undefined && low < high) match[key] = `${low}-${high}`;
  }
  const [from, to] = ['logical_source_port', 'logical_destination_port'].map((key) => reading.text(at.key(key)));
  const read = ['ethertype', 'protocol', 'source_ip_prefix', 'destination_ip_prefix', 'logical_source_port'];
  const ranges = ['source', 'destination'].flatMap((side) => [`${side}_port_range_min`, `${side}_port_range_max`]);
  reading.unread(at, `flow_classifier ${nameOf(at)}`, [...always, ...read, ...ranges, 'logical_destination_port']);
  return {
    name: names.take(nameOf(at), 'classifier'),
    ...(from === undefined || from === '' ? {} : { from: [from] }),
    ...(to === undefined || to === '' ? {} : { to: [to] }),
    match,
  };
}

function hopOf(at: At, names: Names, found: Found, correlations: Set<string>): ImportedHop {
  const { reading } = found;
  const own = new Names();
  const instances = reading.list(at.key('port_pairs')).flatMap((reference) => {
    const pair = found.find('port_pair', reference);
    const ingress = pair === undefined ? undefined : reading.needed(pair, 'ingress');
    const egress = pair === undefined ? undefined : reading.needed(pair, 'egress');
    if (pair === undefined || ingress === undefined || egress === undefined) return [];
    const parameters = pair.key('service_function_parameters');
    const correlation = reading.text(parameters.key('correlation'));
    if (correlation !== undefined) correlations.add(correlation);
    const weight = reading.number(parameters.key('weight'), 1, 100);
    reading.unread(pair, `port_pair ${nameOf(pair)}`, [...always, 'ingress', 'egress', 'service_function_parameters']);
    reading.unread(parameters, `port_pair ${nameOf(pair)}`, ['correlation', 'weight']);
    return [
      {
        name: own.take(nameOf(pair), 'instance'),
        ingress,
        ...(egress === ingress ? {} : { egress }),
        ...(weight === undefined ? {} : { weight }),
      },
    ];
  });
  if (instances.length === 0) reading.wrong(at, `port_pair_group ${nameOf(at)} has no port pairs`);
  const tap = at.key('tap_enabled').value === true;
  const read = ['port_pairs', 'tap_enabled', 'group_id', 'is_active'];
  reading.unread(at, `port_pair_group ${nameOf(at)}`, [...always, ...read]);
  return {
    name: names.take(nameOf(at), 'hop'),
    ...(tap ? { tap } : {}),
    instances: tap ? instances.map(({ name, ingress }) => ({ name, ingress })) : instances,
  };
}

/** Undefined parts and mistakes are said. */
export function fromNetworkingSfc(roots: readonly At[], reading: Reading): ImportedChain[] {
  const found = new Found(roots, reading);
  const chains = new Names();
  if (found.of.port_chain.length === 0 && roots.length > 0) reading.missing(roots[0]!, 'port_chain');
  for (const graph of found.of.service_graph) reading.notes.push(`service_graph ${nameOf(graph)}`);
  return found.of.port_chain.map((at) => {
    const correlations = new Set<string>();
    const [classifierNames, hopNames] = [new Names(), new Names(ownTableNames)];
    const hops = reading.list(at.key('port_pair_groups')).flatMap((reference) => {
      const group = found.find('port_pair_group', reference);
      return group === undefined ? [] : [hopOf(group, hopNames, found, correlations)];
    });
    if (hops.length === 0) reading.wrong(at, `port_chain ${nameOf(at)} has no port pair groups`);
    const classifiers = reading.list(at.key('flow_classifiers')).flatMap((reference) => {
      const classifier = found.find('flow_classifier', reference);
      return classifier === undefined ? [] : [classifierOf(classifier, classifierNames, reading)];
    });
    const parameters = at.key('chain_parameters');
    const asked = reading.text(parameters.key('correlation'));
    // What a hop does not understand is taken off before it, so that a chain's tag is kept by all hops only.
    const tagged = asked === 'mpls' && correlations.size === 1 && correlations.has('mpls');
    if (asked !== undefined && asked !== 'none' && !tagged) reading.notes.push(`correlation ${asked}`);
    reading.unread(at, `port_chain ${nameOf(at)}`, [
      ...always,
      'port_pair_groups',
      'flow_classifiers',
      'chain_parameters',
      'chain_id',
    ]);
    reading.unread(parameters, `port_chain ${nameOf(at)}`, ['correlation', 'symmetric']);
    const notes = reading.notes.splice(0);
    return {
      name: chains.take(nameOf(at), 'chain'),
      classifiers: classifiers.length === 0 ? [{ name: 'all', match: {} }] : classifiers,
      hops,
      symmetric: parameters.key('symmetric').value === true,
      ...(tagged ? { correlation: 'mpls' as const } : {}),
      notes,
    };
  });
}
