/** Nicira's multipart bodies: NXST_FLOW, NXST_AGGREGATE, NXST_FLOW_MONITOR, NXST_IPFIX_*, NXST_GROUP*. */
import { decodeActions, encodeActions } from '../codec/lists.js';
import type { BodyCodec, Context, Extension, MultipartCodec } from '../codec/protocol.js';
import { listBody } from '../multipart/body.js';
import { group, groupDesc15, groupFeatures } from '../multipart/group.js';
import type { MultipartRequestBody } from '../types/multipart.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { NX_VENDOR_ID, NXFME } from './constants.js';
import type {
  NiciraReplyBody,
  NiciraRequestBody,
  NxAggregateReply,
  NxFlowMonitorReply,
  NxFlowMonitorRequest,
  NxFlowReply,
  NxFlowStats,
  NxFlowStatsRequest,
  NxFlowUpdate,
  NxIpfixReply,
  NxIpfixRequest,
  NxIpfixStats,
} from './message-types.js';
import { decodeNxMatch, encodeNxMatch } from './nx-match.js';

interface NiciraMultipart {
  readonly subtype: number;
  readonly type: MultipartRequestBody['type'];
  /** Last version byte of OpenFlow that has it. */
  readonly until: number;
  readonly request: BodyCodec<NiciraRequestBody>;
  readonly reply: BodyCodec<NiciraReplyBody>;
}

const flowRequest = (type: NxFlowStatsRequest['type']): BodyCodec<NxFlowStatsRequest> => ({
  decode(r, ctx) {
    const [outPort, length, tableId] = [r.u16(), r.u16(), r.u8()];
    r.skip(3);
    return { type, outPort, tableId, match: decodeNxMatch(r, length, ctx) };
  },
  encode(w, body, ctx) {
    w.u16(body.outPort);
    const lengthAt = w.mark();
    w.u16(0);
    w.u8(body.tableId);
    w.zero(3);
    encodeNxMatch(w, body.match, lengthAt, ctx);
  },
});

function decodeFlow(r: WireReader, ctx: Context): NxFlowStats {
  const flow = r.sized(0);
  flow.skip(2);
  const tableId = flow.u8();
  flow.skip(1);
  const [durationSec, durationNsec, priority] = [flow.u32(), flow.u32(), flow.u16()];
  const [idleTimeout, hardTimeout, length] = [flow.u16(), flow.u16(), flow.u16()];
  const [idleAge, hardAge] = [flow.u16(), flow.u16()];
  const [cookie, packetCount, byteCount] = [flow.u64(), flow.u64(), flow.u64()];
  const match = decodeNxMatch(flow, length, ctx);
  const times = { durationSec, durationNsec, priority, idleTimeout, hardTimeout, idleAge, hardAge };
  return { tableId, ...times, cookie, packetCount, byteCount, match, actions: decodeActions(flow, ctx) };
}

function encodeFlow(w: WireWriter, flow: NxFlowStats, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u8(flow.tableId);
  w.zero(1);
  w.u32(flow.durationSec);
  w.u32(flow.durationNsec);
  w.u16(flow.priority);
  w.u16(flow.idleTimeout);
  w.u16(flow.hardTimeout);
  const lengthAt = w.mark();
  w.u16(0);
  w.u16(flow.idleAge);
  w.u16(flow.hardAge);
  w.u64(flow.cookie);
  w.u64(flow.packetCount);
  w.u64(flow.byteCount);
  encodeNxMatch(w, flow.match, lengthAt, ctx);
  encodeActions(w, flow.actions, ctx);
  w.patchLength(start, 0);
}

const flowReply = listBody<NxFlowReply>('nx_flow', decodeFlow, encodeFlow);

const aggregateReply: BodyCodec<NxAggregateReply> = {
  decode(r) {
    const [packetCount, byteCount, flowCount] = [r.u64(), r.u64(), r.u32()];
    r.skip(4);
    return { type: 'nx_aggregate', packetCount, byteCount, flowCount };
  },
  encode(w, body) {
    w.u64(body.packetCount);
    w.u64(body.byteCount);
    w.u32(body.flowCount);
    w.zero(4);
  },
};

const monitorRequest: BodyCodec<NxFlowMonitorRequest> = {
  decode(r, ctx) {
    const monitors: NxFlowMonitorRequest['monitors'][number][] = [];
    while (r.remaining > 0) {
      const id = r.u32();
      const [flags, outPort, length, tableId] = [r.u16(), r.u16(), r.u16(), r.u8()];
      r.skip(5);
      monitors.push({ id, flags, outPort, tableId, match: decodeNxMatch(r, length, ctx) });
    }
    return { type: 'nx_flow_monitor', monitors };
  },
  encode(w, body, ctx) {
    for (const monitor of body.monitors) {
      w.u32(monitor.id);
      w.u16(monitor.flags);
      w.u16(monitor.outPort);
      const lengthAt = w.mark();
      w.u16(0);
      w.u8(monitor.tableId);
      w.zero(5);
      encodeNxMatch(w, monitor.match, lengthAt, ctx);
    }
  },
};

function decodeUpdate(r: WireReader, ctx: Context): NxFlowUpdate {
  const update = r.sized(0);
  update.skip(2);
  const event = update.u16();
  if (event === NXFME.ABBREV) {
    const xid = update.u32();
    update.expectEnd();
    return { type: 'abbrev', xid };
  }
  const [reason, priority, idleTimeout, hardTimeout] = [update.u16(), update.u16(), update.u16(), update.u16()];
  const [length, tableId] = [update.u16(), update.u8()];
  update.skip(1);
  const cookie = update.u64();
  const match = decodeNxMatch(update, length, ctx);
  const head = { type: 'full' as const, event, reason, priority, idleTimeout, hardTimeout, tableId, cookie };
  return { ...head, match, actions: decodeActions(update, ctx) };
}

function encodeUpdate(w: WireWriter, update: NxFlowUpdate, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u16(update.type === 'abbrev' ? NXFME.ABBREV : update.event);
  if (update.type === 'abbrev') {
    w.u32(update.xid);
  } else {
    w.u16(update.reason);
    w.u16(update.priority);
    w.u16(update.idleTimeout);
    w.u16(update.hardTimeout);
    const lengthAt = w.mark();
    w.u16(0);
    w.u8(update.tableId);
    w.zero(1);
    w.u64(update.cookie);
    encodeNxMatch(w, update.match, lengthAt, ctx);
    encodeActions(w, update.actions, ctx);
  }
  w.patchLength(start, 0);
}

const monitorReply: BodyCodec<NxFlowMonitorReply> = {
  decode(r, ctx) {
    const entries: NxFlowUpdate[] = [];
    while (r.remaining > 0) entries.push(decodeUpdate(r, ctx));
    return { type: 'nx_flow_monitor', entries };
  },
  encode(w, body, ctx) {
    for (const update of body.entries) encodeUpdate(w, update, ctx);
  },
  encodeEntry: (w, entry, ctx) => encodeUpdate(w, entry as NxFlowUpdate, ctx),
};

const counters = [
  'totalFlows',
  'currentFlows',
  'packets',
  'ipv4Packets',
  'ipv6Packets',
  'errorPackets',
  'ipv4ErrorPackets',
  'ipv6ErrorPackets',
  'txPackets',
  'txErrors',
] as const;

const ipfixRequest = (type: NxIpfixRequest['type']): BodyCodec<NxIpfixRequest> => ({
  decode: () => ({ type }),
  encode() {},
});

const ipfixReply = (type: NxIpfixReply['type']): BodyCodec<NxIpfixReply> => ({
  decode(r) {
    const entries: NxIpfixStats[] = [];
    while (r.remaining > 0) {
      const counted = Object.fromEntries(counters.map((name) => [name, r.u64()])) as Record<
        (typeof counters)[number],
        bigint
      >;
      entries.push({ ...counted, collectorSetId: r.u32() });
      r.skip(4);
    }
    return { type, entries };
  },
  encode(w, body) {
    for (const stats of body.entries) {
      for (const name of counters) w.u64(stats[name]);
      w.u32(stats.collectorSetId);
      w.zero(4);
    }
  },
});

const all = [
  { subtype: 0, type: 'nx_flow', until: 1, request: flowRequest('nx_flow'), reply: flowReply },
  { subtype: 1, type: 'nx_aggregate', until: 1, request: flowRequest('nx_aggregate'), reply: aggregateReply },
  { subtype: 2, type: 'nx_flow_monitor', until: 3, request: monitorRequest, reply: monitorReply },
  {
    subtype: 3,
    type: 'nx_ipfix_bridge',
    until: 0xff,
    request: ipfixRequest('nx_ipfix_bridge'),
    reply: ipfixReply('nx_ipfix_bridge'),
  },
  {
    subtype: 4,
    type: 'nx_ipfix_flow',
    until: 0xff,
    request: ipfixRequest('nx_ipfix_flow'),
    reply: ipfixReply('nx_ipfix_flow'),
  },
  // Groups as later versions ask for them.
  { subtype: 7, type: 'group', until: 1, request: group.request, reply: group.reply },
  { subtype: 8, type: 'group_desc', until: 1, request: groupDesc15.request, reply: groupDesc15.reply },
  { subtype: 9, type: 'group_features', until: 2, request: groupFeatures.request, reply: groupFeatures.reply },
] as unknown as readonly NiciraMultipart[];

/** OFPMP_EXPERIMENTER, in OpenFlow 1.0 OFPST_VENDOR. */
const experimenterCode = 0xffff;

/** In OpenFlow 1.0 four bytes follow the subtype, so that what is behind them is aligned (nicira10_stats_msg). */
function padded<Body>(body: BodyCodec<Body>): BodyCodec<Body> {
  return {
    ...body,
    beginEntries: (w) => w.zero(4),
    decode(r, ctx) {
      r.skip(4);
      return body.decode(r, ctx);
    },
    encode(w, value, ctx) {
      w.zero(4);
      body.encode(w, value, ctx);
    },
    ...(body.encodeEntry === undefined ? {} : { encodeEntry: body.encodeEntry }),
  };
}

/** Nicira's multipart bodies of a version: what follows the vendor id and the subtype. */
export function niciraMultiparts(version: number): readonly Extension<MultipartCodec>[] {
  return all
    .filter(({ until }) => version <= until)
    .map(({ subtype, type, request, reply }) => {
      const bodies = version === 1 ? { request: padded(request), reply: padded(reply) } : { request, reply };
      const codec = { code: experimenterCode, type, ...bodies } as MultipartCodec;
      return { experimenter: NX_VENDOR_ID, expType: subtype, codec };
    });
}
