/** Flow statistics, one by one and summed up (OpenFlow 1.3.5 §7.3.5.2, §7.3.5.3). */
import { decodeInstructions, encodeInstructions } from '../../codec/lists.js';
import { decodeMatch, encodeMatch } from '../../codec/match.js';
import type { BodyCodec, Context, MultipartCodec } from '../../codec/protocol.js';
import type { AggregateReply, FlowReply, FlowStats, FlowStatsRequest } from '../../types/multipart.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import { listBody } from './body.js';

function request(type: FlowStatsRequest['type']): BodyCodec<FlowStatsRequest> {
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

function decodeFlow(r: WireReader, ctx: Context): FlowStats {
  const flow = r.sized(0);
  flow.skip(2);
  const tableId = flow.u8();
  flow.skip(1);
  const durationSec = flow.u32();
  const durationNsec = flow.u32();
  const priority = flow.u16();
  const idleTimeout = flow.u16();
  const hardTimeout = flow.u16();
  const flags = flow.u16();
  flow.skip(4);
  return {
    tableId,
    durationSec,
    durationNsec,
    priority,
    idleTimeout,
    hardTimeout,
    flags,
    cookie: flow.u64(),
    packetCount: flow.u64(),
    byteCount: flow.u64(),
    match: decodeMatch(flow, ctx),
    instructions: decodeInstructions(flow, ctx),
  };
}

function encodeFlow(w: WireWriter, flow: FlowStats, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u8(flow.tableId);
  w.zero(1);
  w.u32(flow.durationSec);
  w.u32(flow.durationNsec);
  w.u16(flow.priority);
  w.u16(flow.idleTimeout);
  w.u16(flow.hardTimeout);
  w.u16(flow.flags);
  w.zero(4);
  w.u64(flow.cookie);
  w.u64(flow.packetCount);
  w.u64(flow.byteCount);
  encodeMatch(w, flow.match, ctx);
  encodeInstructions(w, flow.instructions, ctx);
  w.patchLength(start, 0);
}

const aggregateReply: BodyCodec<AggregateReply> = {
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

export const flow: MultipartCodec = {
  code: 1,
  type: 'flow',
  request: request('flow'),
  reply: listBody<FlowReply>('flow', decodeFlow, encodeFlow),
};

export const aggregate: MultipartCodec = {
  code: 2,
  type: 'aggregate',
  request: request('aggregate'),
  reply: aggregateReply,
};
