/** ETSI NFV-SOL 006: the vnffgd of a network service descriptor, as OSM has it (ietf YANG module etsi-nfv-nsd). */
import type { At } from '../at.js';
import { ownTableNames } from '../service-chain/tables.js';
import { matchOf } from './classifier-match.js';
import {
  type ImportedChain,
  type ImportedClassifier,
  type ImportedHop,
  type ImportedInstance,
  Names,
} from './imported.js';
import type { Reading } from './reading.js';

/** `nsd: {nsd: [...]}`, `nsd: [...]` or one descriptor. */
function descriptors(root: At, reading: Reading): At[] {
  if (!reading.map(root)) return [];
  const outer = ['nsd', 'etsi-nfv-nsd:nfv'].map((key) => root.key(key)).find(({ value }) => value !== undefined);
  if (outer === undefined) {
    if (root.key('vnffgd').value === undefined) reading.missing(root, 'nsd');
    return [root];
  }
  const inner = Array.isArray(outer.value) ? outer : outer.key('nsd').value === undefined ? outer : outer.key('nsd');
  return (Array.isArray(inner.value) ? inner.each() : [inner]).filter((one) => reading.map(one));
}

const parts = {
  'ip-proto': 'protocol',
  'source-ip-address': 'source',
  'destination-ip-address': 'destination',
  'source-port': 'sourcePort',
  'destination-port': 'destinationPort',
} as const;

function classifierOf(at: At, names: Names, reading: Reading): ImportedClassifier {
  // A port of 0 is what OSM writes for none.
  const present = Object.entries(parts).filter(([key]) => {
    const { value } = at.key(key);
    return value !== undefined && value !== null && !(key.endsWith('-port') && Number(value) === 0);
  });
  const match = matchOf(Object.fromEntries(present.map(([key, part]) => [part, at.key(key)])), reading);
  const [element, point] = ['constituent-base-element-id', 'constituent-cpd-id'].map((key) =>
    reading.text(at.key(key)),
  );
  const name = names.take(reading.text(at.key('id')) ?? '', 'match');
  reading.unread(at, `match ${name}`, [
    'id',
    ...Object.keys(parts),
    'constituent-base-element-id',
    'constituent-cpd-id',
  ]);
  return { name, ...(element === undefined || point === undefined ? {} : { from: [`${element}.${point}`] }), match };
}

/** Elements of one order are instances of one hop. */
function hopsOf(position: At, names: Names, reading: Reading): ImportedHop[] {
  const byOrder = new Map<number, { element: string; instance: ImportedInstance }[]>();
  for (const profile of reading.list(position.key('cp-profile-id'))) {
    if (!reading.map(profile)) continue;
    for (const at of reading.list(profile.key('constituent-profile-elements'))) {
      if (!reading.map(at)) continue;
      const order =
        at.key('order').value === undefined ? reading.missing(at, 'order') : reading.number(at.key('order'), 0, 255);
      const element = reading.needed(at, 'constituent-base-element-id');
      const ingress = reading.needed(at, 'ingress-constituent-cpd-id');
      const egress = reading.text(at.key('egress-constituent-cpd-id')) ?? ingress;
      if (order === undefined || element === undefined || ingress === undefined) continue;
      reading.unread(at, element, [
        'id',
        'order',
        'constituent-base-element-id',
        'ingress-constituent-cpd-id',
        'egress-constituent-cpd-id',
      ]);
      const instance = {
        name: element,
        ingress: `${element}.${ingress}`,
        ...(egress === ingress ? {} : { egress: `${element}.${egress}` }),
      };
      byOrder.set(order, [...(byOrder.get(order) ?? []), { element, instance }]);
    }
  }
  return [...byOrder]
    .sort(([a], [b]) => a - b)
    .map(([, found]) => {
      const own = new Names();
      const instances = found.map(({ element, instance }) => ({ ...instance, name: own.take(element, 'instance') }));
      return { name: names.take(found[0]!.element, 'hop'), instances };
    });
}

export function fromSol006(roots: readonly At[], reading: Reading): ImportedChain[] {
  const chains = new Names();
  const found = roots.flatMap((root) =>
    descriptors(root, reading).flatMap((descriptor) =>
      reading.list(descriptor.key('vnffgd')).flatMap((graph) => {
        if (!reading.map(graph)) return [];
        return reading.list(graph.key('nfpd')).flatMap((path): ImportedChain[] => {
          if (!reading.map(path)) return [];
          const name = reading.needed(path, 'id') ?? '';
          const [hopNames, names] = [new Names(ownTableNames), new Names()];
          const positions = reading.list(path.key('position-desc-id')).filter((one) => reading.map(one));
          const hops = positions.flatMap((position) => hopsOf(position, hopNames, reading));
          if (hops.length === 0) reading.wrong(path, `nfpd ${name} has no constituent-profile-elements`);
          const classifiers = positions.flatMap((position) =>
            reading
              .list(position.key('match-attributes'))
              .filter((one) => reading.map(one))
              .map((one) => classifierOf(one, names, reading)),
          );
          for (const position of positions)
            reading.unread(position, name, ['id', 'cp-profile-id', 'match-attributes', 'nfp-position-element-id']);
          reading.unread(path, name, ['id', 'position-desc-id']);
          const chain = { name: chains.take(name, 'chain'), hops, notes: reading.notes.splice(0) };
          return [{ ...chain, classifiers: classifiers.length === 0 ? [{ name: 'all', match: {} }] : classifiers }];
        });
      }),
    ),
  );
  if (found.length === 0 && roots.length > 0 && reading.diagnostics.errors === 0)
    reading.wrong(roots[0]!, 'there is no nfpd in a vnffgd of the descriptor');
  return found;
}
