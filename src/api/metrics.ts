/** What Prometheus collects: service chains, as text of its exposition format 0.0.4. */
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

const labels = (names: Readonly<Record<string, string>>): string =>
  Object.entries(names)
    .map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',');

function textOf({ name, help, type, value }: Metric, lines: readonly Line[], byDirection: boolean): string[] {
  const samples = lines.flatMap((line) => {
    const found = value(line);
    const { bridge, chain, hop, direction, instance } = line;
    const names = { bridge, chain, hop, ...(byDirection ? { direction } : {}), instance };
    return found === undefined ? [] : [`${name}{${labels(names)}} ${found}`];
  });
  return samples.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}

/** All that is exported, ended by a line feed; empty where there are no chains. */
export function metricsText(lines: readonly Line[]): string {
  const instances = lines.filter(({ direction }) => direction === 'forward');
  const all = [
    ...ofInstances.flatMap((metric) => textOf(metric, instances, false)),
    ...ofDirections.flatMap((metric) => textOf(metric, lines, true)),
  ];
  return all.map((line) => `${line}\n`).join('');
}

export async function readMetrics(documents: AllDocuments, bridges: Bridges): Promise<string> {
  const lists = bridges.all.map(async ({ name: bridge }) => {
    const lines = (await documents.health(bridge)?.lines()) ?? [];
    return lines.map((line): Line => ({ ...line, bridge }));
  });
  return metricsText((await Promise.all(lists)).flat());
}
