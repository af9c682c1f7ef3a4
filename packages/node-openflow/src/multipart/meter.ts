/** Meter statistics, configurations and features (OpenFlow 1.3.5 §7.3.5.12 to §7.3.5.14). */
import { decodeBands, encodeBands } from '../codec/lists.js';
import type { BodyCodec, Context, MultipartCodec } from '../codec/protocol.js';
import type {
  MeterConfig,
  MeterConfigReply,
  MeterFeaturesReply,
  MeterMultipartRequest,
  MeterReply,
  MeterStats,
} from '../types/multipart.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { emptyBody, listBody } from './body.js';
import { decodeCounts, encodeCounts } from './group.js';

function request(type: MeterMultipartRequest['type']): BodyCodec<MeterMultipartRequest> {
  return {
    decode(r) {
      const meterId = r.u32();
      r.skip(4);
      return { type, meterId };
    },
    encode(w, body) {
      w.u32(body.meterId);
      w.zero(4);
    },
  };
}

const statsLengthAt = 4;

function decodeStats(r: WireReader): MeterStats {
  const stats = r.sized(statsLengthAt);
  const meterId = stats.u32();
  stats.skip(8);
  return {
    meterId,
    flowCount: stats.u32(),
    packetInCount: stats.u64(),
    byteInCount: stats.u64(),
    durationSec: stats.u32(),
    durationNsec: stats.u32(),
    bands: decodeCounts(stats),
  };
}

function encodeStats(w: WireWriter, stats: MeterStats): void {
  const start = w.mark();
  w.u32(stats.meterId);
  w.u16(0);
  w.zero(6);
  w.u32(stats.flowCount);
  w.u64(stats.packetInCount);
  w.u64(stats.byteInCount);
  w.u32(stats.durationSec);
  w.u32(stats.durationNsec);
  encodeCounts(w, stats.bands);
  w.patchLength(start, statsLengthAt);
}

function decodeConfig(r: WireReader, ctx: Context): MeterConfig {
  const config = r.sized(0);
  config.skip(2);
  return { flags: config.u16(), meterId: config.u32(), bands: decodeBands(config, ctx) };
}

function encodeConfig(w: WireWriter, config: MeterConfig, ctx: Context): void {
  const start = w.mark();
  w.u16(0);
  w.u16(config.flags);
  w.u32(config.meterId);
  encodeBands(w, config.bands, ctx);
  w.patchLength(start, 0);
}

/** 1.5 has flags behind the rest, and padding. */
const featuresOf = (hasFlags: boolean): BodyCodec<MeterFeaturesReply> => ({
  decode(r) {
    const maxMeter = r.u32();
    const bandTypes = r.u32();
    const capabilities = r.u32();
    const maxBands = r.u8();
    const maxColor = r.u8();
    r.skip(2);
    const body = { type: 'meter_features', maxMeter, bandTypes, capabilities, maxBands, maxColor } as const;
    if (!hasFlags) return body;
    const features = r.u32();
    r.skip(4);
    return { ...body, features };
  },
  encode(w, body) {
    w.u32(body.maxMeter);
    w.u32(body.bandTypes);
    w.u32(body.capabilities);
    w.u8(body.maxBands);
    w.u8(body.maxColor);
    w.zero(2);
    if (!hasFlags) return;
    w.u32(body.features ?? 0);
    w.zero(4);
  },
});

export const meter: MultipartCodec = {
  code: 9,
  type: 'meter',
  request: request('meter'),
  reply: listBody<MeterReply>('meter', decodeStats, encodeStats),
};

export const meterConfig: MultipartCodec = {
  code: 10,
  type: 'meter_config',
  request: request('meter_config'),
  reply: listBody<MeterConfigReply>('meter_config', decodeConfig, encodeConfig),
};

export const meterFeatures: MultipartCodec = {
  code: 11,
  type: 'meter_features',
  request: emptyBody('meter_features'),
  reply: featuresOf(false),
};

export const meterFeatures15: MultipartCodec = { ...meterFeatures, reply: featuresOf(true) };
