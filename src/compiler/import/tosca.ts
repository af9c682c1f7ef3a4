/** TOSCA NFV, as Tacker had it: forwarding paths, `tosca.nodes.nfv.FP` (OASIS TOSCA Simple Profile for NFV 1.0, §10). */
import type { At } from '../at.js';
import { ownTableNames } from '../service-chain/tables.js';
import { type ClassifierParts, matchOf } from './classifier-match.js';
import { type ImportedChain, type ImportedClassifier, type ImportedHop, Names, nameFrom } from './imported.js';
import type { Reading } from './reading.js';

/** Node templates of the documents, by name. */
export function nodeTemplates(roots: readonly At[], reading: Reading): (readonly [string, At])[] {
  return roots.flatMap((root) => {
    if (!reading.map(root)) return [];
    const topology = root.key('topology_template');
    if (topology.value === undefined) reading.missing(root, 'topology_template');
    else if (reading.map(topology))
      return reading.entries(topology.key('node_templates')).filter(([, at]) => reading.map(at));
    return [];
  });
}

export const typeOf = (at: At): string => String(at.key('type').value ?? '');

/** Criteria: each `{name, classifier: {…}}`, or the classifier alone. */
function classifierOf(at: At, index: number, names: Names, reading: Reading): ImportedClassifier {
  const inside = at.key('classifier').value === undefined ? at : at.key('classifier');
  const name = names.take(reading.text(at.key('name')) ?? '', `criterion-${index + 1}`);
  if (!reading.map(inside)) return { name, match: {} };
  const parts: Record<string, keyof ClassifierParts> = {
    ip_proto: 'protocol',
    ip_src_prefix: 'source',
    ip_dst_prefix: 'destination',
    source_port_range: 'sourcePort',
    destination_port_range: 'destinationPort',
    eth_type: 'family',
    eth_src: 'sourceMac',
    eth_dst: 'destinationMac',
    ip_dscp: 'dscp',
    vlan_id: 'vlan',
  };
  const present = Object.entries(parts).filter(([key]) => inside.key(key).value !== undefined);
  const match = matchOf(Object.fromEntries(present.map(([key, part]) => [part, inside.key(key)])), reading);
  const [from, to] = ['network_src_port_id', 'network_dst_port_id'].map((key) => reading.text(inside.key(key)));
  reading.unread(inside, `classifier ${name}`, [
    ...Object.keys(parts),
    'name',
    'network_src_port_id',
    'network_dst_port_id',
  ]);
  return { name, ...(from === undefined ? {} : { from: [from] }), ...(to === undefined ? {} : { to: [to] }), match };
}

/** Two entries of one forwarder in a row are its way in and its way out. */
function hopsOf(path: At, reading: Reading): ImportedHop[] {
  const names = new Names(ownTableNames);
  const hops: { forwarder: string; ports: string[] }[] = [];
  for (const at of reading.list(path)) {
    const forwarder = reading.map(at) ? reading.needed(at, 'forwarder') : undefined;
    const capability = forwarder === undefined ? undefined : reading.needed(at, 'capability');
    if (forwarder === undefined || capability === undefined) continue;
    reading.unread(at, `path of ${forwarder}`, ['forwarder', 'capability']);
    const last = hops.at(-1);
    if (last?.forwarder === forwarder && last.ports.length === 1) last.ports.push(capability);
    else hops.push({ forwarder, ports: [capability] });
  }
  return hops.map(({ forwarder, ports: [ingress, egress] }) => ({
    name: names.take(forwarder, 'hop'),
    instances: [
      {
        name: nameFrom(forwarder, 'instance'),
        ingress: ingress!,
        ...(egress === undefined || egress === ingress ? {} : { egress }),
      },
    ],
  }));
}

export function fromTosca(roots: readonly At[], reading: Reading): ImportedChain[] {
  const nodes = nodeTemplates(roots, reading);
  const chains = new Names();
  const paths = nodes.filter(([, at]) => typeOf(at).startsWith('tosca.nodes.nfv.FP'));
  if (paths.length === 0 && roots.length > 0 && reading.diagnostics.errors === 0)
    reading.wrong(roots[0]!, 'there is no forwarding path (tosca.nodes.nfv.FP) among the node_templates');
  for (const [name, at] of nodes) {
    if (!typeOf(at).startsWith('tosca.nodes.nfv.FP')) reading.notes.push(`node template ${name}: ${typeOf(at)}`);
  }
  for (const root of roots) {
    for (const [name, at] of reading.entries(root.key('topology_template').key('groups')))
      reading.notes.push(`group ${name}: ${typeOf(at)}`);
  }
  return paths.map(([name, at]) => {
    const properties = at.key('properties');
    const policy = properties.key('policy');
    const names = new Names();
    if (properties.value === undefined) reading.missing(at, 'properties');
    const classifiers = reading
      .list(policy.key('criteria'))
      .filter((one) => reading.map(one))
      .map((one, index) => classifierOf(one, index, names, reading));
    const hops = hopsOf(properties.key('path'), reading);
    if (hops.length === 0)
      reading.wrong(properties.key('path').value === undefined ? at : properties.key('path'), `${name} has no path`);
    const type = reading.text(policy.key('type'));
    if (type !== undefined && type.toLowerCase() !== 'acl') reading.notes.push(`policy of type ${type}`);
    reading.unread(properties, name, ['id', 'policy', 'path', 'symmetrical', 'description']);
    return {
      name: chains.take(name, 'chain'),
      classifiers: classifiers.length === 0 ? [{ name: 'all', match: {} }] : classifiers,
      hops,
      symmetric: properties.key('symmetrical').value === true,
      notes: reading.notes.splice(0),
    };
  });
}
