/** Flow statistics, one by one and summed up, since 1.1 (OpenFlow 1.1.0 §A.3.6, 1.3.5 §7.3.5.2, §7.3.5.3). */
import { decodeInstructions, encodeInstructions } from '../codec/lists.js';
import { decodeMatch, encodeMatch } from '../codec/match.js';
import type { BodyCodec, Context, MultipartCodec } from '../codec/protocol.js';
import type { AggregateReply, FlowReply, FlowStats, FlowStatsRequest } from '../types/multipart.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { listBody } from './body.js';

export function flowRequest(type: FlowStatsRequest['type']): BodyCodec<FlowStatsRequest> {
  return {
    decode(r, ctx) {
      const tableId = r.u8();
      r.skip(3);
      const outPort = r.u32();
      const outGroup = r.u32();
      r.skip(4);
      const cookie = r.u64();
      const cookieMask = r.u64();
      const match = decodeMatch(r, ctx);
      r.expectEnd();
      return { type, tableId, outPort, outGroup, cookie, cookieMask, match };
    },
    encode(w, body, ctx) {
      w.u8(body.tableId);
      w.zero(3);
      w.u32(body.outPort);
      w.u32(body.outGroup);
      w.zero(4);
      w.u64(body.cookie);
      w.u64(body.cookieMask);
      encodeMatch(w, body.match, ctx);
    },
  };
}

/** 1.1 and 1.2 have padding for the flags, all before 1.4 for the importance. */
interface Has {
  readonly flags: boolean;
  readonly importance: boolean;
}

function decodeFlow(r: WireReader, ctx: Context, has: Has): FlowStats {
  const flow = r.sized(0);
  flow.skip(2);
  const tableId = flow.u8();
  flow.skip(1);
  const [durationSec, durationNsec] = [flow.u32(), flow.u32()];
  const [priority, idleTimeout, hardTimeout] = [flow.u16(), flow.u16(), flow.u16()];
  const flags = flow.u16();
  const importance = flow.u16();
  flow.skip(2);
  const [cookie, packetCount, byteCount] = [flow.u64(), flow.u64(), flow.u64()];
  const match = decodeMatch(flow, ctx);
  const instructions = decodeInstructions(flow, ctx);
  return {
    tableId,
    durationSec,
    durationNsec,
    priority,
    idleTimeout,
    hardTimeout,
    flags: has.flags ? flags : 0,
    cookie,
    packetCount,
    byteCount,
    match,
    instructions: ctx.protocol.resolve?.(match, instructions) ?? instructions,
    ...(has.importance ? { importance } : {}),
  };
}

function encodeFlow(w: WireWriter, flow: FlowStats, ctx: Context, has: Has): void {
  const start = w.mark();
  w.u16(0);
  w.u8(flow.tableId);
  w.zero(1);
  w.u32(flow.durationSec);
  w.u32(flow.durationNsec);
  w.u16(flow.priority);
  w.u16(flow.idleTimeout);
  w.u16(flow.hardTimeout);
  w.u16(has.flags ? flow.flags : 0);
  w.u16(has.importance ? (flow.importance ?? 0) : 0);
  w.zero(2);
  w.u64(flow.cookie);
  w.u64(flow.packetCount);
  w.u64(flow.byteCount);
  encodeMatch(w, flow.match, ctx);
  encodeInstructions(w, flow.instructions, ctx);
  w.patchLength(start, 0);
}

function flowOf(has: Has): MultipartCodec {
  return {
    code: 1,
    type: 'flow',
    request: flowRequest('flow'),
    reply: listBody<FlowReply>(
      'flow',
      (r, ctx) => decodeFlow(r, ctx, has),
      (w, flow, ctx) => encodeFlow(w, flow, ctx, has),
    ),
  };
}

export const aggregateReply: BodyCodec<AggregateReply> = {
  decode(r) {
    const packetCount = r.u64();
    const byteCount = r.u64();
    const flowCount = r.u32();
    r.skip(4);
    return { type: 'aggregate', packetCount, byteCount, flowCount };
  },
  encode(w, body) {
    w.u64(body.packetCount);
    w.u64(body.byteCount);
    w.u32(body.flowCount);
    w.zero(4);
  },
};

export const flow11 = flowOf({ flags: false, importance: false });
export const flow = flowOf({ flags: true, importance: false });
export const flow14 = flowOf({ flags: true, importance: true });

export const aggregate: MultipartCodec = {
  code: 2,
  type: 'aggregate',
  request: flowRequest('aggregate'),
  reply: aggregateReply,
};
