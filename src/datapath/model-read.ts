/** Queries to the model and their answers (docs/native-boundary.md). */
import type { Flow, FlowFilter } from './model-flows.js';
import { actionsOf, countsOf, usesMeter } from './model-flows.js';
import type { ModelState } from './model-state.js';
import {
  writeDropAnswer,
  writeGroupAnswer,
  writeMeterAnswer,
  writePortAnswer,
  writeSampleAnswer,
} from './records-answer.js';
import { decodeMatch } from './records-match.js';
import {
  decodeQuery,
  encodeQuery,
  type FlowAnswer,
  GROUP_ALL,
  METER_ALL,
  type QueryRecord,
  writeAggregateAnswer,
  writeFlowAnswer,
  writeTableAnswer,
} from './records-query.js';
import { RecordWriter } from './records-writer.js';
import { Query, ReservedPort, tables } from './schema.gen.js';

export interface Answer {
  readonly data: Uint8Array;
  readonly next: Uint8Array | undefined;
}

const NS_PER_SECOND = 1_000_000_000n;

/** One thing to write, in the order of the answer. */
type Item = (writer: RecordWriter) => void;

export function readModel(state: ModelState, bytes: Uint8Array, limit: number): Answer {
  const query = decodeQuery(bytes);
  if (query === undefined) throw new RangeError('malformed query record');
  const items = itemsOf(state, query);
  const writer = new RecordWriter();
  let at = Number(query.cursor);
  while (at < items.length && (writer.length === 0 || writer.length < limit)) items[at++]!(writer);
  const next = at < items.length ? encodeQuery({ ...query, cursor: BigInt(at) }) : undefined;
  return { data: writer.take(), next };
}

function itemsOf(state: ModelState, query: QueryRecord): Item[] {
  const now = state.nowNs();
  switch (query.query) {
    case Query.flows:
      return selected(state, query)
        .filter((flow) => flow.changed > query.since)
        .map((flow) => (writer) => writeFlowAnswer(writer, flowAnswer(flow, now, query.since)));
    case Query.aggregate: {
      const flows = selected(state, query);
      const sum = (count: (flow: Flow) => bigint) => flows.reduce((total, flow) => total + count(flow), 0n);
      const [packets, total] = [sum((flow) => countsOf(flow).packets), sum((flow) => countsOf(flow).bytes)];
      return [(writer) => writeAggregateAnswer(writer, { packets, bytes: total, flows: flows.length })];
    }
    case Query.tables:
      return Array.from({ length: tables }, (_, i) => (writer) => {
        const { flows, lookups, matched } = state.flows.table(i);
        writeTableAnswer(writer, { active: flows.length, lookups, matched });
      });
    case Query.groups:
      return groupItems(state, query.id, now);
    case Query.meters:
      return meterItems(state, query.id, now);
    case Query.ports:
      return state.ports
        .all()
        .filter(({ number }) => query.id === ReservedPort.any || query.id === number)
        .map((port) => (writer) => writePortAnswer(writer, port.answer(now)));
    case Query.queues:
      return [];
    case Query.drops:
      return state.ports
        .all()
        .filter(({ number }) => query.id === ReservedPort.any || query.id === number)
        .map((port) => (writer) => writeDropAnswer(writer, { port: port.number, rx: port.rxDrops, tx: port.txDrops }));
    case Query.samples:
      return [...state.samples]
        .sort(([a], [b]) => a - b)
        .map(
          ([collectorSet, count]) =>
            (writer) =>
              writeSampleAnswer(writer, { collectorSet, ...count }),
        );
    case Query.runtime:
      return [(writer) => runtimeItem(writer, state)];
    default:
      throw new RangeError(`unknown query ${query.query}`);
  }
}

function selected(state: ModelState, query: QueryRecord): Flow[] {
  const match = decodeMatch(query.match);
  if (match === undefined) throw new RangeError('malformed match in a query');
  const { table, cookie, cookieMask, outPort, outGroup } = query;
  const filter: FlowFilter = { table, match, cookie, cookieMask, outPort, outGroup };
  return state.flows.select(filter);
}

export function flowAnswer(flow: Flow, now: bigint, since = 0n): FlowAnswer {
  const isNew = since !== 0n && flow.born > since;
  const { table, priority, cookie, idle, hard, flags, importance } = flow;
  const { packets, bytes } = countsOf(flow);
  const [match, instructions] = [flow.matchBytes, flow.instructionBytes];
  const unchanged = Math.min(Number((now - flow.changedNs) / NS_PER_SECOND), 0xffff);
  const counts = { packets, bytes, duration: now - flow.createdNs, unused: now - flow.usedNs, unchanged };
  return { table, priority, cookie, ...counts, idle, hard, flags, importance, isNew, match, instructions };
}

/** Uses of a group: flows, and buckets of other groups. */
function groupReferences(state: ModelState, id: number): number {
  const uses = (flow: Flow) => actionsOf(flow.instructions).some((a) => a.kind === 'group' && a.group === id);
  return state.flows.all().filter(uses).length + state.groups.chainedTo(id).length;
}

function groupItems(state: ModelState, id: number, now: bigint): Item[] {
  return state.groups
    .all()
    .filter((group) => id === GROUP_ALL || group.id === id)
    .map((group) => (writer) => {
      const { type, packets, bytes } = group;
      const buckets = group.buckets.map((b) => ({ ...b.record, packets: b.packets, bytes: b.bytes }));
      const references = groupReferences(state, group.id);
      const duration = now - group.createdNs;
      const { selection } = group;
      writeGroupAnswer(writer, { group: group.id, type, references, packets, bytes, duration, selection, buckets });
    });
}

function meterItems(state: ModelState, id: number, now: bigint): Item[] {
  return state.meters
    .all()
    .filter((meter) => id === METER_ALL || meter.id === id)
    .map((meter) => (writer) => {
      const uses = (flow: Flow) => usesMeter(flow, meter.id);
      const { flags, packets, bytes } = meter;
      const bands = meter.bands.map((b) => ({ ...b.record, packets: b.packets, bytes: b.bytes }));
      const [flows, duration] = [state.flows.all().filter(uses).length, now - meter.createdNs];
      writeMeterAnswer(writer, { meter: meter.id, flags, flows, packets, bytes, duration, bands });
    });
}

/** No workers, and nothing that would have a size; the published version is that of the last batch. */
function runtimeItem(writer: RecordWriter, state: ModelState): void {
  const { version, learned, learnsDropped } = state;
  const flows = state.flows.all().length;
  for (const word of [0, version, flows, 0, 0, 0, 0, learned, learnsDropped]) writer.u64(BigInt(word));
}
