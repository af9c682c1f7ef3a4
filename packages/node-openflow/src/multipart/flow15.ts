/** Flow descriptions, flow statistics and their sums of 1.5 (OpenFlow 1.5.1 §7.3.5.2 to §7.3.5.4), counted by OXS. */
import { decodeInstructions, encodeInstructions } from '../codec/lists.js';
import { decodeMatch, encodeMatch } from '../codec/match.js';
import type { BodyCodec, Context, MultipartCodec } from '../codec/protocol.js';
import {
  decodeAggregateCounters,
  decodeFlowCounters,
  encodeAggregateCounters,
  encodeFlowCounters,
} from '../structures/stats.js';
import type { AggregateReply, FlowReply, FlowStatistics, FlowStats, FlowStatsReply } from '../types/multipart.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { listBody } from './body.js';
import { flowRequest } from './flow.js';

function decodeDesc(r: WireReader, ctx: Context): FlowStats {
  const flow = r.sized(0);
  flow.skip(4);
  const tableId = flow.u8();
  flow.skip(1);
  const [priority, idleTimeout, hardTimeout] = [flow.u16(), flow.u16(), flow.u16()];
  const [flags, importance, cookie] = [flow.u16(), flow.u16(), flow.u64()];
  const match = decodeMatch(flow, ctx);
  const counters = decodeFlowCounters(flow, ctx);
  const instructions = decodeInstructions(flow, ctx);
  const times = { priority, idleTimeout, hardTimeout };
  return { tableId, ...times, flags, importance, cookie, match, ...counters, instructions };
}

function encodeDesc(w: WireWriter, flow: FlowStats, ctx: Context): void {
  const start = w.mark();
  w.zero(4);
  w.u8(flow.tableId);
  w.zero(1);
  w.u16(flow.priority);
  w.u16(flow.idleTimeout);
  w.u16(flow.hardTimeout);
  w.u16(flow.flags);
  w.u16(flow.importance ?? 0);
  w.u64(flow.cookie);
  encodeMatch(w, flow.match, ctx);
  encodeFlowCounters(w, flow, ctx);
  encodeInstructions(w, flow.instructions, ctx);
  w.patchLength(start, 0);
}

function decodeStatistics(r: WireReader, ctx: Context): FlowStatistics {
  const flow = r.sized(0);
  flow.skip(4);
  const [tableId, reason, priority] = [flow.u8(), flow.u8(), flow.u16()];
  const match = decodeMatch(flow, ctx);
  const counters = decodeFlowCounters(flow, ctx);
  flow.expectEnd();
  return { tableId, reason, priority, match, ...counters };
}

function encodeStatistics(w: WireWriter, flow: FlowStatistics, ctx: Context): void {
  const start = w.mark();
  w.zero(4);
  w.u8(flow.tableId);
  w.u8(flow.reason);
  w.u16(flow.priority);
  encodeMatch(w, flow.match, ctx);
  encodeFlowCounters(w, flow, ctx);
  w.patchLength(start, 0);
}

const aggregateReply: BodyCodec<AggregateReply> = {
  decode: (r, ctx) => ({ type: 'aggregate', ...decodeAggregateCounters(r, ctx) }),
  encode: (w, body, ctx) => encodeAggregateCounters(w, body, ctx),
};

/** OFPMP_FLOW_DESC, the number that was OFPMP_FLOW. */
export const flow15: MultipartCodec = {
  code: 1,
  type: 'flow',
  request: flowRequest('flow'),
  reply: listBody<FlowReply>('flow', decodeDesc, encodeDesc),
};

export const aggregate15: MultipartCodec = {
  code: 2,
  type: 'aggregate',
  request: flowRequest('aggregate'),
  reply: aggregateReply,
};

export const flowStats15: MultipartCodec = {
  code: 17,
  type: 'flow_stats',
  request: flowRequest('flow_stats'),
  reply: listBody<FlowStatsReply>('flow_stats', decodeStatistics, encodeStatistics),
};
