/** What Prometheus collects: service chains. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Bridges } from '../bridge/bridges.js';
import type { AllDocuments } from '../documents/documents.js';
import type { ChainLine } from '../health/bridge-health.js';

type Line = ChainLine & { readonly bridge: string };

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** Undefined: nothing to tell of this line. */
  readonly value: (line: Line) => number | bigint | undefined;
}

const up = { unknown: undefined, up: 1, down: 0 } as const;

/** Of an instance, whatever the direction. */
const ofInstances: readonly Metric[] = [
  {
    name: 'xvif_chain_instance_up',
    help: 'Whether an instance works; none while it is unknown.',
    type: 'gauge',
    value: ({ state }) => state && up[state],
  },
  {
    name: 'xvif_chain_instance_probes_total',
    help: 'Checks of an instance that were decided.',
    type: 'counter',
    value: ({ checks }) => checks?.probes,
  },
  {
    name: 'xvif_chain_instance_failures_total',
    help: 'Checks of an instance that failed.',
    type: 'counter',
    value: ({ checks }) => checks?.failures,
  },
  {
    name: 'xvif_chain_instance_transitions_total',
    help: 'Changes of the state of an instance by its checks.',
    type: 'counter',
    value: ({ checks }) => checks?.transitions,
  },
];

/** Of an instance, or those that skip the hop, in one direction. */
const ofDirections: readonly Metric[] = [
  {
    name: 'xvif_chain_packets_in_total',
    help: 'Packets that went to an instance of a hop.',
    type: 'counter',
    value: ({ packetsIn }) => packetsIn,
  },
  {
    name: 'xvif_chain_packets_out_total',
    help: 'Packets that came back from an instance of a hop.',
    type: 'counter',
    value: ({ packetsOut }) => packetsOut,
  },
  {
    name: 'xvif_chain_packets_lost',
    help: 'Packets in minus packets out, those under way among them.',
    type: 'gauge',
    value: ({ lost }) => lost,
  },
];

/** Adds a metric of those lines that have a value of it, if there are any. */
function add(registry: Registry, metric: Metric, lines: readonly Line[], labelNames: readonly (keyof Line)[]): void {
  const { name, help, type, value } = metric;
  const samples = lines.flatMap((line) => {
    const found = value(line);
    const labels = Object.fromEntries(labelNames.map((label) => [label, String(line[label])]));
    return found === undefined ? [] : [{ labels, found: Number(found) }];
  });
  if (samples.length === 0) return;
  const options = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (type === 'gauge') {
    const gauge = new Gauge(options);
    for (const { labels, found } of samples) gauge.set(labels, found);
  } else {
    const counter = new Counter(options);
    for (const { labels, found } of samples) counter.inc(labels, found);
  }
}

/** All that is exported. */
export function metricsText(lines: readonly Line[]): Promise<string> {
  const registry = new Registry();
  const instances = lines.filter(({ direction }) => direction === 'forward');
  for (const metric of ofInstances) add(registry, metric, instances, ['bridge', 'chain', 'hop', 'instance']);
  for (const metric of ofDirections) add(registry, metric, lines, ['bridge', 'chain', 'hop', 'direction', 'instance']);
  return registry.metrics();
}

export async function readMetrics(documents: AllDocuments, bridges: Bridges): Promise<string> {
  const lists = bridges.all.map(async ({ name: bridge }) => {
    const lines = (await documents.health(bridge)?.lines()) ?? [];
    return lines.map((line): Line => ({ ...line, bridge }));
  });
  return metricsText((await Promise.all(lists)).flat());
}
