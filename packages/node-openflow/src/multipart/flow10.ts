/** Flow statistics of 1.0 (OpenFlow 1.0.2 §5.3.5): one table of actions, no instructions, groups or cookie masks. */
import { decodeMatch, encodeMatch } from '../codec/match.js';
import { ports16 } from '../codec/port-numbers.js';
import type { BodyCodec, Context, MultipartCodec } from '../codec/protocol.js';
import { OFPG } from '../of13/constants.js';
import { refuseOther } from '../structures/expressible.js';
import { decodeInstructions10, encodeInstructions10 } from '../structures/legacy-flows.js';
import type { FlowReply, FlowStats, FlowStatsRequest } from '../types/multipart.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { listBody } from './body.js';
import { aggregateReply } from './flow.js';

function request(type: FlowStatsRequest['type']): BodyCodec<FlowStatsRequest> {
  return {
    decode(r, ctx) {
      const match = decodeMatch(r, ctx);
      const tableId = r.u8();
      r.skip(1);
      const outPort = ports16.decode(r);
      r.expectEnd();
      return { type, tableId, outPort, outGroup: OFPG.ANY, cookie: 0n, cookieMask: 0n, match };
    },
    encode(w, body, ctx) {
      refuseOther(body.outGroup, OFPG.ANY, 'groups', ctx);
      refuseOther(body.cookieMask, 0n, 'cookie mask', ctx);
      encodeMatch(w, body.match, ctx);
      w.u8(body.tableId);
      w.zero(1);
      ports16.encode(w, body.outPort);
    },
  };
}

function decodeFlow(r: WireReader, ctx: Context): FlowStats {
  const flow = r.sized(0);
  flow.skip(2);
  const tableId = flow.u8();
  flow.skip(1);
  const match = decodeMatch(flow, ctx);
  const [durationSec, durationNsec] = [flow.u32(), flow.u32()];
  const [priority, idleTimeout, hardTimeout] = [flow.u16(), flow.u16(), flow.u16()];
  flow.skip(6);
  const [cookie, packetCount, byteCount] = [flow.u64(), flow.u64(), flow.u64()];
  const instructions = decodeInstructions10(flow, match, ctx);
  const times = { durationSec, durationNsec, priority, idleTimeout, hardTimeout };
  return { tableId, ...times, flags: 0, cookie, packetCount, byteCount, match, instructions };
}

function encodeFlow(w: WireWriter, flow: FlowStats, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u8(flow.tableId);
  w.zero(1);
  encodeMatch(w, flow.match, ctx);
  w.u32(flow.durationSec);
  w.u32(flow.durationNsec);
  w.u16(flow.priority);
  w.u16(flow.idleTimeout);
  w.u16(flow.hardTimeout);
  w.zero(6);
  w.u64(flow.cookie);
  w.u64(flow.packetCount);
  w.u64(flow.byteCount);
  encodeInstructions10(w, flow.instructions, ctx);
  w.patchLength(start, 0);
}

export const flow10: MultipartCodec = {
  code: 1,
  type: 'flow',
  request: request('flow'),
  reply: listBody<FlowReply>('flow', decodeFlow, encodeFlow),
};

export const aggregate10: MultipartCodec = {
  code: 2,
  type: 'aggregate',
  request: request('aggregate'),
  reply: aggregateReply,
};
