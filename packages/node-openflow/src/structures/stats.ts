/** ofp_stats and OXS (OpenFlow 1.5.1 §7.2.4): statistics of flows as TLVs. */
import type { Context } from '../codec/protocol.js';
import { OFPBRC, OFPET } from '../of13/errors.js';
import type { OxsStats, OxsTlv } from '../types/oxs.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

/** ofp_oxs_class */
export const OFPXSC = { OPENFLOW_BASIC: 0x8002, EXPERIMENTER: 0xffff } as const;

/** oxs_ofb_stat_fields, and how many bytes each has. */
const fields = [
  { number: 0, name: 'duration', bytes: 8 },
  { number: 1, name: 'idle_time', bytes: 8 },
  { number: 3, name: 'flow_count', bytes: 4 },
  { number: 4, name: 'packet_count', bytes: 8 },
  { number: 5, name: 'byte_count', bytes: 8 },
] as const;

const headerLength = 4;
const unknownTime = 0xffffffff;
const unknownCount = 0xffff_ffff_ffff_ffffn;

function decodeTlv(r: WireReader, ctx: Context): OxsTlv {
  const oxsClass = r.u16();
  const oxsField = r.u8() >> 1;
  const body = r.sub(r.u8());
  if (oxsClass === OFPXSC.EXPERIMENTER) {
    return { field: 'experimenter', experimenter: body.u32(), oxsField, data: body.rest() };
  }
  const known = oxsClass === OFPXSC.OPENFLOW_BASIC ? fields.find(({ number }) => number === oxsField) : undefined;
  if (known === undefined) {
    if (oxsClass === OFPXSC.OPENFLOW_BASIC && !ctx.keepUnknown) {
      throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_TYPE, `unknown OXS field ${oxsField}`);
    }
    return { field: 'raw', oxsClass, oxsField, data: body.rest() };
  }
  if (body.remaining !== known.bytes) throw body.lengthError(`${known.name} with ${body.remaining} bytes`);
  switch (known.name) {
    case 'duration':
    case 'idle_time':
      return { field: known.name, sec: body.u32(), nsec: body.u32() };
    case 'flow_count':
      return { field: 'flow_count', count: body.u32() };
    default:
      return { field: known.name, count: body.u64() };
  }
}

export function decodeStats(r: WireReader, ctx: Context): OxsStats {
  const header = r.sub(headerLength);
  header.skip(2);
  const length = header.u16();
  const body = r.sub(length - headerLength);
  const stats: OxsTlv[] = [];
  while (body.remaining > 0) stats.push(decodeTlv(body, ctx));
  r.sub(-length & 7);
  return stats;
}

function writeHeader(w: WireWriter, oxsClass: number, oxsField: number, length: number): void {
  if (oxsField > 0x7f) throw new EncodeError(`${oxsField} is no 7-bit OXS field`);
  w.u16(oxsClass);
  w.u8(oxsField << 1);
  w.u8(length);
}

function encodeTlv(w: WireWriter, tlv: OxsTlv): void {
  if (tlv.field === 'experimenter') {
    writeHeader(w, OFPXSC.EXPERIMENTER, tlv.oxsField, 4 + tlv.data.length);
    w.u32(tlv.experimenter);
    w.bytes(tlv.data);
    return;
  }
  if (tlv.field === 'raw') {
    writeHeader(w, tlv.oxsClass, tlv.oxsField, tlv.data.length);
    w.bytes(tlv.data);
    return;
  }
  const { number, bytes } = fields.find(({ name }) => name === tlv.field)!;
  writeHeader(w, OFPXSC.OPENFLOW_BASIC, number, bytes);
  if (tlv.field === 'duration' || tlv.field === 'idle_time') {
    w.u32(tlv.sec);
    w.u32(tlv.nsec);
  } else if (tlv.field === 'flow_count') {
    w.u32(tlv.count);
  } else {
    w.u64(tlv.count);
  }
}

export function encodeStats(w: WireWriter, stats: OxsStats, _ctx: Context): void {
  const start = w.mark();
  w.zero(4);
  for (const tlv of stats) encodeTlv(w, tlv);
  w.patchLength(start, 2);
  w.padTo8(start);
}

interface FlowCounters {
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly stats?: OxsStats;
}

function first<F extends OxsTlv['field']>(
  stats: OxsStats,
  field: F,
): Extract<OxsTlv, { readonly field: F }> | undefined {
  return stats.find((tlv): tlv is Extract<OxsTlv, { readonly field: F }> => tlv.field === field);
}

/** The list without the first of each of these, for a value that has it only where it is not empty. */
function without(stats: OxsStats, taken: readonly (OxsTlv | undefined)[]): { readonly stats?: OxsStats } {
  const rest = stats.filter((tlv) => !taken.includes(tlv));
  return rest.length === 0 ? {} : { stats: rest };
}

/** Statistics in the fields that older versions have for them; what is not there is all ones. */
export function decodeFlowCounters(r: WireReader, ctx: Context): FlowCounters {
  const stats = decodeStats(r, ctx);
  const duration = first(stats, 'duration');
  const packets = first(stats, 'packet_count');
  const bytes = first(stats, 'byte_count');
  return {
    durationSec: duration?.sec ?? unknownTime,
    durationNsec: duration?.nsec ?? unknownTime,
    packetCount: packets?.count ?? unknownCount,
    byteCount: bytes?.count ?? unknownCount,
    ...without(stats, [duration, packets, bytes]),
  };
}

export function encodeFlowCounters(w: WireWriter, counters: FlowCounters, ctx: Context): void {
  const { durationSec: sec, durationNsec: nsec, packetCount, byteCount } = counters;
  const known: OxsTlv[] = [];
  if (sec !== unknownTime) known.push({ field: 'duration', sec, nsec });
  if (packetCount !== unknownCount) known.push({ field: 'packet_count', count: packetCount });
  if (byteCount !== unknownCount) known.push({ field: 'byte_count', count: byteCount });
  encodeStats(w, [...known, ...(counters.stats ?? [])], ctx);
}

interface AggregateCounters {
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
  readonly stats?: OxsStats;
}

export function decodeAggregateCounters(r: WireReader, ctx: Context): AggregateCounters {
  const stats = decodeStats(r, ctx);
  const packets = first(stats, 'packet_count');
  const bytes = first(stats, 'byte_count');
  const flows = first(stats, 'flow_count');
  return {
    packetCount: packets?.count ?? unknownCount,
    byteCount: bytes?.count ?? unknownCount,
    flowCount: flows?.count ?? unknownTime,
    ...without(stats, [packets, bytes, flows]),
  };
}

export function encodeAggregateCounters(w: WireWriter, counters: AggregateCounters, ctx: Context): void {
  const { packetCount, byteCount, flowCount } = counters;
  const known: OxsTlv[] = [];
  if (packetCount !== unknownCount) known.push({ field: 'packet_count', count: packetCount });
  if (byteCount !== unknownCount) known.push({ field: 'byte_count', count: byteCount });
  if (flowCount !== unknownTime) known.push({ field: 'flow_count', count: flowCount });
  encodeStats(w, [...known, ...(counters.stats ?? [])], ctx);
}
