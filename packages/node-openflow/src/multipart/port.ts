/** Port statistics and port descriptions (OpenFlow 1.0.2 §5.3.5, 1.3.5 §7.3.5.6 and on, 1.4.1 §7.3.5.6, 1.5.1 §7.3.5.7). */
import type { BodyCodec, Codec, Context, MultipartCodec } from '../codec/protocol.js';
import { OFPP } from '../of13/constants.js';
import { refuseOther } from '../structures/expressible.js';
import { experimenterProperty, present, propertyList } from '../structures/properties.js';
import type {
  PortDescReply,
  PortDescRequest,
  PortStats,
  PortStatsReply,
  PortStatsRequest,
} from '../types/multipart.js';
import type { OpticalPortStats, PortStatsProperty } from '../types/property.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { listBody } from './body.js';

const request: BodyCodec<PortStatsRequest> = {
  decode(r, ctx) {
    const portNo = ctx.protocol.portNumbers.decode(r);
    r.skip(ctx.protocol.portNumbers.padding);
    return { type: 'port_stats', portNo };
  },
  encode(w, body, ctx) {
    ctx.protocol.portNumbers.encode(w, body.portNo);
    w.zero(ctx.protocol.portNumbers.padding);
  },
};

const counters = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxDropped',
  'txDropped',
  'rxErrors',
  'txErrors',
] as const;
const ethernetCounters = ['rxFrameErr', 'rxOverErr', 'rxCrcErr', 'collisions'] as const;
type Counters<Name extends keyof PortStats> = { readonly [N in Name]: bigint };

function readCounters<Name extends keyof PortStats>(r: WireReader, names: readonly Name[]): Counters<Name> {
  return Object.fromEntries(names.map((name) => [name, r.u64()])) as Counters<Name>;
}

const unknownTime = { durationSec: 0xffffffff, durationNsec: 0xffffffff };

/** Until 1.2 without a duration. */
function statsOf(hasDuration: boolean): MultipartCodec {
  const decode = (r: WireReader, ctx: Context): PortStats => {
    const portNo = ctx.protocol.portNumbers.decode(r);
    r.skip(ctx.protocol.portNumbers.padding);
    const counts = { ...readCounters(r, counters), ...readCounters(r, ethernetCounters) };
    const duration = hasDuration ? { durationSec: r.u32(), durationNsec: r.u32() } : unknownTime;
    return { portNo, ...counts, ...duration };
  };
  const encode = (w: WireWriter, port: PortStats, ctx: Context): void => {
    ctx.protocol.portNumbers.encode(w, port.portNo);
    w.zero(ctx.protocol.portNumbers.padding);
    for (const name of [...counters, ...ethernetCounters]) w.u64(port[name]);
    if (!hasDuration) return;
    w.u32(port.durationSec);
    w.u32(port.durationNsec);
  };
  return { code: 4, type: 'port_stats', request, reply: listBody<PortStatsReply>('port_stats', decode, encode) };
}

export const portStats10 = statsOf(false);
export const portStats = statsOf(true);

type Ethernet = { readonly type: 'ethernet' } & Counters<(typeof ethernetCounters)[number]>;

const ethernet: Codec<Ethernet> = {
  code: 0,
  type: 'ethernet',
  decode(r) {
    r.skip(4);
    return { type: 'ethernet', ...readCounters(r, ethernetCounters) };
  },
  encode(w, property) {
    w.zero(4);
    for (const name of ethernetCounters) w.u64(property[name]);
  },
};

const opticalWords = [...['flags', 'txFreqLmda', 'txOffset', 'txGridSpan', 'rxFreqLmda', 'rxOffset', 'rxGridSpan']] as (
  | 'flags'
  | 'txFreqLmda'
  | 'txOffset'
  | 'txGridSpan'
  | 'rxFreqLmda'
  | 'rxOffset'
  | 'rxGridSpan'
)[];
const opticalHalves = ['txPwr', 'rxPwr', 'biasCurrent', 'temperature'] as const;

const optical: Codec<OpticalPortStats> = {
  code: 1,
  type: 'optical',
  decode(r) {
    r.skip(4);
    const words = opticalWords.map((name) => [name, r.u32()]);
    const halves = opticalHalves.map((name) => [name, r.u16()]);
    return { type: 'optical', ...Object.fromEntries([...words, ...halves]) } as OpticalPortStats;
  },
  encode(w, property) {
    w.zero(4);
    for (const name of opticalWords) w.u32(property[name]);
    for (const name of opticalHalves) w.u16(property[name]);
  },
};

type WireProperty = Ethernet | PortStatsProperty;
const properties = propertyList<WireProperty>('port statistics', [
  ethernet,
  optical,
  experimenterProperty,
] as Codec<WireProperty>[]);
const notKept = 0xffff_ffff_ffff_ffffn;
const noEthernet = { rxFrameErr: notKept, rxOverErr: notKept, rxCrcErr: notKept, collisions: notKept };

function decode14(whole: WireReader, ctx: Context): PortStats {
  const r = whole.sized(0);
  r.skip(4);
  const portNo = r.u32();
  const duration = { durationSec: r.u32(), durationNsec: r.u32() };
  const counts = readCounters(r, counters);
  const list = properties.decode(r, ctx);
  const own = list.find((property): property is Ethernet => property.type === 'ethernet');
  const { type: _, ...errors } = own ?? { type: 'ethernet', ...noEthernet };
  const rest = list.filter((property): property is PortStatsProperty => property.type !== 'ethernet');
  return { portNo, ...duration, ...counts, ...errors, ...present(rest) };
}

function encode14(w: WireWriter, port: PortStats, ctx: Context): void {
  const start = w.mark();
  w.zero(4);
  w.u32(port.portNo);
  w.u32(port.durationSec);
  w.u32(port.durationNsec);
  for (const name of counters) w.u64(port[name]);
  const kept = ethernetCounters.some((name) => port[name] !== notKept);
  const own: WireProperty[] = kept ? [{ ...port, type: 'ethernet' }] : [];
  properties.encode(w, [...own, ...(port.properties ?? [])], ctx);
  w.patchLength(start, 0);
}

export const portStats14: MultipartCodec = {
  code: 4,
  type: 'port_stats',
  request,
  reply: listBody<PortStatsReply>('port_stats', decode14, encode14),
};

const descReply = listBody<PortDescReply>(
  'port_desc',
  (r, ctx) => ctx.protocol.port.decode(r, ctx),
  (w, port, ctx) => ctx.protocol.port.encode(w, port, ctx),
);

export const portDesc: MultipartCodec = {
  code: 13,
  type: 'port_desc',
  request: {
    decode: () => ({ type: 'port_desc' }),
    encode: (_, body, ctx) => refuseOther((body as PortDescRequest).portNo, OFPP.ANY, 'request for one port', ctx),
  },
  reply: descReply,
};

const descRequest15: BodyCodec<PortDescRequest> = {
  decode(r) {
    const portNo = r.u32();
    r.skip(4);
    return { type: 'port_desc', portNo };
  },
  encode(w, body) {
    w.u32(body.portNo ?? OFPP.ANY);
    w.zero(4);
  },
};

export const portDesc15: MultipartCodec = { code: 13, type: 'port_desc', request: descRequest15, reply: descReply };
