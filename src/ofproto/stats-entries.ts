/** Entries of multipart replies out of the datapath's answers (OpenFlow 1.3.5 §7.3.5.2 to §7.3.5.13). */
import {
  type FlowStatistics,
  type GroupDesc,
  type GroupStats,
  type MeterConfig,
  type MeterStats,
  type MultipartReplySource,
  type NxFlowStats,
  of15,
  type PortStats,
} from 'node-openflow';
import {
  decodeFlowAnswers,
  type FlowAnswer,
  type GroupAnswer,
  type MeterAnswer,
  type PortAnswer,
} from '../datapath/records.js';
import { splitNs } from './async-events.js';
import { readBand } from './meter-mods.js';
import { nxmActions, nxmMatch } from './nxm.js';
import { selectionProperty } from './selection-method.js';
import { idleTime } from './stat-triggers.js';
import { readActions } from './translate-actions.js';
import { readInstructions } from './translate-instructions.js';
import { readMatch } from './translate-match.js';
import { hasBucketIds, OF13, OF15 } from './versions.js';

type FlowEntry =
  Extract<MultipartReplySource, { readonly type: 'flow' }>['entries'] extends Iterable<infer E> ? E : never;

function* mapped<From, To>(from: Iterable<From>, map: (item: From) => To): Generator<To> {
  for (const item of from) yield map(item);
}

export function flowEntry(flow: FlowAnswer, version = OF13): FlowEntry {
  return {
    tableId: flow.table,
    ...splitNs(flow.duration),
    priority: flow.priority,
    idleTimeout: flow.idle,
    hardTimeout: flow.hard,
    flags: flow.flags,
    importance: flow.importance,
    cookie: flow.cookie,
    packetCount: flow.packets,
    byteCount: flow.bytes,
    match: readMatch(flow.match),
    instructions: readInstructions(flow.instructions, version),
    ...(version >= OF15 ? idleTime(flow.unused) : {}),
  };
}

/** Flows are made one by one while they are encoded. */
export function flowStats(data: Uint8Array, version: number): MultipartReplySource {
  return { type: 'flow', entries: mapped(decodeFlowAnswers(data), (flow) => flowEntry(flow, version)) };
}

/** 1.5's, without what the flows do (1.5.1 §7.3.5.3). */
export function flowStatistics(data: Uint8Array): MultipartReplySource {
  const entry = (flow: FlowAnswer) => flowStatisticsEntry(flow, of15.OFPFSR.STATS_REQUEST);
  return { type: 'flow_stats', entries: mapped(decodeFlowAnswers(data), entry) };
}

type Counted = Pick<FlowAnswer, 'table' | 'priority' | 'match' | 'duration' | 'unused' | 'packets' | 'bytes'>;

/** `reason`: OFPFSR */
export function flowStatisticsEntry(flow: Counted, reason: number): FlowStatistics {
  return {
    tableId: flow.table,
    reason,
    priority: flow.priority,
    match: readMatch(flow.match),
    ...splitNs(flow.duration),
    packetCount: flow.packets,
    byteCount: flow.bytes,
    ...idleTime(flow.unused),
  };
}

const AGE_MAX = 0xffff;
/** Seconds, and one more: 0 is "not said". */
const ageOf = (seconds: number): number => Math.min(seconds + 1, AGE_MAX);

/** Nicira's, without those whose instructions are no actions. */
export function nxFlowStats(data: Uint8Array): MultipartReplySource {
  function* entries(): Generator<NxFlowStats> {
    for (const flow of decodeFlowAnswers(data)) {
      const { match, instructions, flags: _, importance: _importance, ...entry } = flowEntry(flow);
      const actions = nxmActions(instructions);
      if (actions === undefined) continue;
      const ages = { idleAge: ageOf(splitNs(flow.unused).durationSec), hardAge: ageOf(flow.unchanged) };
      yield { ...entry, ...ages, match: nxmMatch(match), actions };
    }
  }
  return { type: 'nx_flow', entries: entries() };
}

export function groupStats(answers: Iterable<GroupAnswer>): MultipartReplySource {
  const entry = (group: GroupAnswer): GroupStats => ({
    groupId: group.group,
    refCount: group.references,
    packetCount: group.packets,
    byteCount: group.bytes,
    ...splitNs(group.duration),
    buckets: group.buckets.map(({ packets, bytes }) => ({ packetCount: packets, byteCount: bytes })),
  });
  return { type: 'group', entries: mapped(answers, entry) };
}

export function groupDescs(answers: Iterable<GroupAnswer>, version: number): MultipartReplySource {
  const entry = (group: GroupAnswer): GroupDesc => ({
    groupType: group.type,
    groupId: group.group,
    buckets: group.buckets.map(({ id, weight, watchPort, watchGroup, actions }) => {
      const bucket = { weight, watchPort, watchGroup, actions: readActions(actions, version) };
      return hasBucketIds(version) ? { ...bucket, bucketId: id } : bucket;
    }),
    ...(hasBucketIds(version) ? selectionProperty(group.selection) : {}),
  });
  return { type: 'group_desc', entries: mapped(answers, entry) };
}

export function meterStats(answers: Iterable<MeterAnswer>): MultipartReplySource {
  const entry = (meter: MeterAnswer): MeterStats => ({
    meterId: meter.meter,
    flowCount: meter.flows,
    packetInCount: meter.packets,
    byteInCount: meter.bytes,
    ...splitNs(meter.duration),
    bands: meter.bands.map(({ packets, bytes }) => ({ packetCount: packets, byteCount: bytes })),
  });
  return { type: 'meter', entries: mapped(answers, entry) };
}

export function meterConfigs(answers: Iterable<MeterAnswer>): MultipartReplySource {
  const entry = (meter: MeterAnswer): MeterConfig => ({
    flags: meter.flags,
    meterId: meter.meter,
    bands: meter.bands.map(readBand),
  });
  return { type: 'meter_config', entries: mapped(answers, entry) };
}

/** Counters that are not kept are all ones (§7.3.5.6). */
const NOT_KEPT = 0xffffffffffffffffn;

export function portStats(port: PortAnswer): PortStats {
  const { rxPackets, txPackets, rxBytes, txBytes, rxDropped, txDropped, rxErrors, txErrors } = port;
  return {
    portNo: port.port,
    rxPackets,
    txPackets,
    rxBytes,
    txBytes,
    rxDropped,
    txDropped,
    rxErrors,
    txErrors,
    rxFrameErr: NOT_KEPT,
    rxOverErr: NOT_KEPT,
    rxCrcErr: NOT_KEPT,
    collisions: NOT_KEPT,
    ...splitNs(port.duration),
  };
}
