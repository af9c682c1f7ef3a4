/** Meters of the model: one token bucket per band (OpenFlow 1.3.5 §5.7). */
import type { BandRecord, MeterModRecord } from './records-apply.js';
import { MeterBandType, MeterFlag, meterController, Status } from './schema.gen.js';

/** kMetersMax and kBandsMax of native/base/limits.h. */
const METERS_MAX = 65536;
const BANDS_MAX = 16;
/** OFPM_MAX. */
const METER_MAX = 0xffff0000;
/** OFPM_SLOWPATH: nothing passes it, as there is no slow path. */
const METER_SLOWPATH = 0xfffffffd;
const NS_PER_SECOND = 1_000_000_000n;

export interface Band {
  readonly record: BandRecord;
  packets: bigint;
  bytes: bigint;
  /** Tokens are bits, or packets, times 10⁹, so that a nanosecond's share is a whole number. */
  tokens: bigint;
  readonly full: bigint;
}

export interface Meter {
  readonly id: number;
  readonly flags: number;
  readonly bands: readonly Band[];
  readonly createdNs: bigint;
  refilledNs: bigint;
  packets: bigint;
  bytes: bigint;
}

/** Units of tokens in one unit of a rate: kilobits are 1000 bits. */
function unit(flags: number): bigint {
  return (flags & MeterFlag.pktps) !== 0 ? 1n : 1000n;
}

/** Without a burst size a band holds one second of its rate. */
function bandOf(record: BandRecord, flags: number): Band {
  const size = (flags & MeterFlag.burst) !== 0 ? record.burst : record.rate;
  const full = BigInt(size) * unit(flags) * NS_PER_SECOND;
  return { record, packets: 0n, bytes: 0n, tokens: full, full };
}

export class Meters {
  #meters: ReadonlyMap<number, Meter> = new Map();

  /** Remembers what there is; the returned function brings it back. */
  snapshot(): () => void {
    const kept = this.#meters;
    return () => {
      this.#meters = kept;
    };
  }

  get(id: number): Meter | undefined {
    return this.#meters.get(id);
  }
  /** In ascending order. */
  all(): Meter[] {
    return [...this.#meters.values()].sort((a, b) => a.id - b.id);
  }

  put(mod: MeterModRecord, nowNs: bigint, exists: boolean): number {
    if (mod.meter === 0 || (mod.meter > METER_MAX && mod.meter !== meterController && mod.meter !== METER_SLOWPATH))
      return Status.badMeter;
    if (exists !== this.#meters.has(mod.meter)) return exists ? Status.unknownMeter : Status.meterExists;
    if (!exists && this.#meters.size >= METERS_MAX) return Status.outOfMeters;
    if (mod.bands.length > BANDS_MAX) return Status.meterFull;
    const known: readonly number[] = Object.values(MeterBandType);
    if (mod.bands.some(({ type }) => !known.includes(type))) return Status.badMeter;
    const bands = mod.bands.map((record) => bandOf(record, mod.flags));
    // The counts of a meter go on when it is modified, those of its bands begin anew (§6.6).
    const old = this.#meters.get(mod.meter) ?? { createdNs: nowNs, packets: 0n, bytes: 0n };
    const { createdNs, packets, bytes } = old;
    const meter = { id: mod.meter, flags: mod.flags, bands, createdNs, refilledNs: nowNs, packets, bytes };
    this.#meters = new Map(this.#meters).set(mod.meter, meter);
    return Status.ok;
  }

  delete(id: number): void {
    this.#meters = new Map([...this.#meters].filter(([other]) => other !== id));
  }

  /**
   * Passes a packet through a meter; returns the band that applies to it, if one does: of those whose rate is exceeded
   * the one with the highest rate (§5.7.1).
   */
  pass(meter: Meter, frameBytes: number, nowNs: bigint): Band | undefined {
    meter.packets++;
    meter.bytes += BigInt(frameBytes);
    const cost = (meter.flags & MeterFlag.pktps) !== 0 ? 1n : BigInt(frameBytes * 8);
    const elapsed = nowNs - meter.refilledNs;
    meter.refilledNs = nowNs;
    let applied: Band | undefined;
    for (const band of meter.bands) {
      const grown = band.tokens + elapsed * BigInt(band.record.rate) * unit(meter.flags);
      band.tokens = grown < band.full ? grown : band.full;
      if (band.tokens >= cost * NS_PER_SECOND) band.tokens -= cost * NS_PER_SECOND;
      else if (applied === undefined || band.record.rate > applied.record.rate) applied = band;
    }
    if (applied !== undefined) {
      applied.packets++;
      applied.bytes += BigInt(frameBytes);
    }
    return applied;
  }
}
