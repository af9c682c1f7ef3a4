/** Running flows → a FlowSet that makes them again. */
import { type FlowStats, type GroupDesc, type MeterConfig, of13 } from 'node-openflow';
import { formatActions, formatFlow, type NamesOf } from 'node-openflow/text';
import { stringify } from 'yaml';
import { isOurs, type KnownPort, ownerOf, PortList, portLabel, wordsOf } from '../compiler/index.js';
import { API_VERSION } from '../compiler/schema/index.js';
import type { SwitchState } from './switch.js';

const { OFPG, OFPMF, OFPP } = of13;

export interface ExportOptions {
  /** Name of the document. */
  readonly name: string;
  /** Only flows of this owner's number; absent: all. */
  readonly ownerId?: number;
  /** Ports that are called by what is known of them; others by their numbers. */
  readonly ports?: readonly KnownPort[];
}

type PortName = NonNullable<NamesOf['port']>;

/** In the text of ovs-ofctl these are never the name of a port. */
const RESERVED = /^(in_port|table|normal|flood|all|controller|local|any|unset|none)$/i;

/** Others would have to be quoted, which the text of flows knows nothing of. */
const PLAIN = /^[\w.-]+(\/\d+)?$/;

/** The VM and its device, else the port's own name, where that leads back to the port. */
function portNames(ports: readonly KnownPort[]): PortName {
  const list = new PortList(ports);
  const names = new Map<number, string>();
  for (const { number, vm, device, name } of ports) {
    const labels = [...(vm === undefined ? [] : [portLabel({ vm, device })]), ...(name === undefined ? [] : [name])];
    const label = labels.find(
      (one) => PLAIN.test(one) && !RESERVED.test(one) && list.find(wordsOf(one))?.number === number,
    );
    if (label !== undefined) names.set(number, label);
  }
  return (port) => names.get(port);
}

/** YAML; what it cannot say is a comment in front. */
export function exportFlowSet(state: SwitchState, { name, ownerId, ports = [] }: ExportOptions): string {
  const port = portNames(ports);
  const flows = state.flows.filter(
    ({ cookie }) => ownerId === undefined || (isOurs(cookie) && ownerOf(cookie) === ownerId),
  );
  const left = state.meters.filter(({ bands }) => meterWords(bands) === undefined);
  const meters = state.meters.filter((meter) => !left.includes(meter));
  const document = {
    apiVersion: API_VERSION,
    kind: 'FlowSet',
    metadata: { name },
    spec: {
      tables: tablesOf(flows, port),
      ...(state.groups.length === 0 ? {} : { groups: state.groups.map((group) => groupOf(group, port)) }),
      ...(meters.length === 0 ? {} : { meters: meters.map(meterOf) }),
    },
  };
  const comments = left.map(({ meterId }) => `# meter ${meterId} has bands that a FlowSet has no words for\n`);
  return `${comments.join('')}${stringify(document, { lineWidth: 0 })}`;
}

function tablesOf(flows: readonly FlowStats[], port: PortName) {
  const byTable = new Map<number, string[]>([[0, []]]);
  const texts = flows.map((flow) => ({
    flow,
    text: formatFlow({ ...flow, tableId: 0, cookie: 0n }, { port }),
  }));
  // Of one priority by their text: the same tables make the same document.
  texts.sort((a, b) => b.flow.priority - a.flow.priority || (a.text < b.text ? -1 : 1));
  for (const { flow, text } of texts) {
    const lines = byTable.get(flow.tableId) ?? [];
    byTable.set(flow.tableId, lines);
    lines.push(text);
  }
  return [...byTable]
    .sort(([a], [b]) => a - b)
    .map(([id, lines]) => ({
      name: `table-${id}`,
      id,
      ...(lines.length === 0 ? {} : { flows: `${lines.join('\n')}\n` }),
    }));
}

const groupTypes = ['all', 'select', 'indirect', 'ff'];

function groupOf({ groupId, groupType, buckets }: GroupDesc, port: PortName) {
  return {
    name: `group-${groupId}`,
    id: groupId,
    type: groupTypes[groupType] ?? 'all',
    buckets: buckets.map(({ weight, watchPort, watchGroup, actions }) => ({
      ...(weight === 0 ? {} : { weight }),
      ...(watchPort === OFPP.ANY ? {} : { watch_port: port(watchPort) ?? watchPort }),
      ...(watchGroup === OFPG.ANY ? {} : { watch_group: watchGroup }),
      do: formatActions(actions, { port }),
    })),
  };
}

/** Undefined: no words for it. */
function meterWords(bands: MeterConfig['bands']): { rate: number; burstSize: number; remark?: number } | undefined {
  const [band, second] = bands;
  if (band === undefined || second !== undefined) return undefined;
  if (band.type === 'drop') return { rate: band.rate, burstSize: band.burstSize };
  if (band.type !== 'dscp_remark') return undefined;
  return { rate: band.rate, burstSize: band.burstSize, remark: band.precLevel };
}

function meterOf({ meterId, flags, bands }: MeterConfig) {
  const { rate, burstSize, remark } = meterWords(bands)!;
  return {
    name: `meter-${meterId}`,
    id: meterId,
    ...((flags & OFPMF.PKTPS) === 0 ? { kbps: rate } : { pktps: rate }),
    ...((flags & OFPMF.BURST) === 0 || burstSize === 0 ? {} : { burst: burstSize }),
    ...(remark === undefined ? {} : { dscp_remark: remark }),
  };
}
