/** Flow monitors (OpenFlow 1.4.1 §7.3.5.18), and ONF extension 187, which brings them to 1.3 in another layout. */
import { decodeInstructions, encodeInstructions } from '../codec/lists.js';
import { decodeMatch, encodeMatch } from '../codec/match.js';
import type { Context, Extension, MultipartCodec } from '../codec/protocol.js';
import { ONF } from '../errors/older.js';
import { OFPG } from '../of13/constants.js';
import { OFPBRC, OFPET } from '../of13/errors.js';
import { refuseOther } from '../structures/expressible.js';
import type { FlowMonitor, FlowMonitorReply, FlowMonitorRequest, FlowUpdate } from '../types/multipart.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { listBody } from './body.js';

type Event = FlowUpdate['event'];
type Full = Extract<FlowUpdate, { readonly match: unknown }>;

/** By number. */
const events14: readonly Event[] = ['initial', 'added', 'removed', 'modified', 'abbrev', 'paused', 'resumed'];
const eventsOnf: readonly Event[] = ['added', 'removed', 'modified', 'abbrev'];

function decodeRequest(r: WireReader, ctx: Context): FlowMonitor {
  const [monitorId, outPort, outGroup] = [r.u32(), r.u32(), r.u32()];
  const [flags, tableId, command] = [r.u16(), r.u8(), r.u8()];
  return { monitorId, outPort, outGroup, flags, tableId, command, match: decodeMatch(r, ctx) };
}

function encodeRequest(w: WireWriter, monitor: FlowMonitor, ctx: Context): void {
  w.u32(monitor.monitorId);
  w.u32(monitor.outPort);
  w.u32(monitor.outGroup);
  w.u16(monitor.flags);
  w.u8(monitor.tableId);
  w.u8(monitor.command);
  encodeMatch(w, monitor.match, ctx);
}

/** The parts in which the two layouts differ: what a full update has before its match. */
interface Layout {
  readonly events: readonly Event[];
  decodeHead(r: WireReader): Omit<Full, 'event' | 'match' | 'instructions'>;
  /** Answers with the place for the match's length, where there is one. */
  encodeHead(w: WireWriter, update: Full): number | undefined;
}

const layout14: Layout = {
  events: events14,
  decodeHead(r) {
    const [tableId, reason, idleTimeout, hardTimeout, priority] = [r.u8(), r.u8(), r.u16(), r.u16(), r.u16()];
    r.skip(4);
    return { tableId, reason, idleTimeout, hardTimeout, priority, cookie: r.u64() };
  },
  encodeHead(w, update) {
    w.u8(update.tableId);
    w.u8(update.reason);
    w.u16(update.idleTimeout);
    w.u16(update.hardTimeout);
    w.u16(update.priority);
    w.zero(4);
    w.u64(update.cookie);
    return undefined;
  },
};

const layoutOnf: Layout = {
  events: eventsOnf,
  decodeHead(r) {
    const [reason, priority, idleTimeout, hardTimeout] = [r.u16(), r.u16(), r.u16(), r.u16()];
    r.skip(2);
    const tableId = r.u8();
    r.skip(1);
    return { tableId, reason, idleTimeout, hardTimeout, priority, cookie: r.u64() };
  },
  encodeHead(w, update) {
    w.u16(update.reason);
    w.u16(update.priority);
    w.u16(update.idleTimeout);
    w.u16(update.hardTimeout);
    const matchLengthAt = w.mark();
    w.zero(2);
    w.u8(update.tableId);
    w.zero(1);
    w.u64(update.cookie);
    return matchLengthAt;
  },
};

/** ofp_match says its own length behind its type; the extension repeats it. */
function encodeSizedMatch(w: WireWriter, match: Full['match'], lengthAt: number | undefined, ctx: Context): void {
  const start = w.mark();
  encodeMatch(w, match, ctx);
  if (lengthAt !== undefined) w.copyU16(start + 2, lengthAt);
}

function decodeUpdate(whole: WireReader, ctx: Context, layout: Layout): FlowUpdate {
  const r = whole.sized(0);
  r.skip(2);
  const number = r.u16();
  const event = layout.events[number];
  if (event === undefined) throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_TYPE, `flow monitor event ${number}`);
  let update: FlowUpdate;
  if (event === 'abbrev') {
    update = { event, xid: r.u32() };
  } else if (event === 'paused' || event === 'resumed') {
    r.skip(4);
    update = { event };
  } else {
    update = { event, ...layout.decodeHead(r), match: decodeMatch(r, ctx), instructions: decodeInstructions(r, ctx) };
  }
  r.expectEnd();
  return update;
}

function encodeUpdate(w: WireWriter, update: FlowUpdate, ctx: Context, layout: Layout): void {
  const start = w.mark();
  w.u16(0);
  // Without the event 'initial' what is there already is told of as added.
  const event = update.event === 'initial' && !layout.events.includes('initial') ? 'added' : update.event;
  const number = layout.events.indexOf(event);
  if (number < 0) throw new EncodeError(`a flow monitor of ONF's extension has no event ${event}`);
  w.u16(number);
  if (update.event === 'abbrev') {
    w.u32(update.xid);
  } else if (!('match' in update)) {
    w.zero(4);
  } else {
    const matchLengthAt = layout.encodeHead(w, update);
    encodeSizedMatch(w, update.match, matchLengthAt, ctx);
    encodeInstructions(w, update.instructions, ctx);
  }
  w.patchLength(start, 0);
}

const replyOf = (layout: Layout) =>
  listBody<FlowMonitorReply>(
    'flow_monitor',
    (r, ctx) => decodeUpdate(r, ctx, layout),
    (w, update, ctx) => encodeUpdate(w, update, ctx, layout),
  );

export const flowMonitor: MultipartCodec = {
  code: 16,
  type: 'flow_monitor',
  request: listBody<FlowMonitorRequest>('flow_monitor', decodeRequest, encodeRequest),
  reply: replyOf(layout14),
};

function decodeOnf(r: WireReader, ctx: Context): FlowMonitor {
  const [monitorId, flags] = [r.u32(), r.u16()];
  r.skip(2);
  const [outPort, tableId] = [r.u32(), r.u8()];
  r.skip(3);
  return { monitorId, outPort, outGroup: OFPG.ANY, flags, tableId, command: 0, match: decodeMatch(r, ctx) };
}

function encodeOnf(w: WireWriter, monitor: FlowMonitor, ctx: Context): void {
  refuseOther(monitor.outGroup, OFPG.ANY, 'flow monitor of a group', ctx);
  refuseOther(monitor.command, 0, 'command of flow monitors', ctx);
  w.u32(monitor.monitorId);
  w.u16(monitor.flags);
  const matchLengthAt = w.mark();
  w.zero(2);
  w.u32(monitor.outPort);
  w.u8(monitor.tableId);
  w.zero(3);
  encodeSizedMatch(w, monitor.match, matchLengthAt, ctx);
}

export const onfMultiparts: readonly Extension<MultipartCodec>[] = [
  {
    experimenter: ONF,
    expType: 1870,
    codec: {
      code: 0xffff,
      type: 'flow_monitor',
      request: listBody<FlowMonitorRequest>('flow_monitor', decodeOnf, encodeOnf),
      reply: replyOf(layoutOnf),
    },
  },
];
