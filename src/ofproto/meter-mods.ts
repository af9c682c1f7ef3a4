/** Meter_mods (OpenFlow 1.3.5 §5.7, §7.3.4.4). */
import { type MeterBand, type MeterMod, of13 } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { type BandRecord, encodeQuery, RecordWriter, writeMeterMod } from '../datapath/records.js';
import { MeterBandType, MeterFlag, ModCommand, Query, Status } from '../datapath/schema.gen.js';
import { meterModError, meterModFailed, type OfError } from './of-error.js';

const { OFPM, OFPMMFC } = of13;
const FLAGS_KNOWN = 15;

/** Carries one out; returns why it was refused. */
export function applyMeterMod(datapath: Datapath, mod: MeterMod): OfError | undefined {
  const writer = new RecordWriter();
  return appendMeterMod(writer, mod) ?? meterModOutcome(datapath.apply(writer.view())[0] ?? Status.malformed);
}

/** What the datapath's verdict on its record means; undefined: done. */
export function meterModOutcome(status: number): OfError | undefined {
  return status === Status.ok ? undefined : meterModError(status);
}

export function meterExists(datapath: Datapath, id: number): boolean {
  return datapath.read(encodeQuery({ query: Query.meters, id })).data.length > 0;
}

/** Appends one record, or returns why there is none. */
export function appendMeterMod(writer: RecordWriter, mod: MeterMod): OfError | undefined {
  const wrong = check(mod);
  if (wrong !== undefined) return wrong;
  const bands: BandRecord[] = [];
  for (const band of mod.command === ModCommand.delete ? [] : mod.bands) {
    const record = toRecord(band, mod.flags);
    if ('code' in record) return record;
    bands.push(record);
  }
  writeMeterMod(writer, { command: mod.command, meter: mod.meterId, flags: mod.flags, bands });
  return undefined;
}

function check({ command, meterId, flags }: MeterMod): OfError | undefined {
  if (command > ModCommand.delete) return meterModFailed(OFPMMFC.BAD_COMMAND);
  const one = (meterId > 0 && meterId <= OFPM.MAX) || meterId === OFPM.CONTROLLER || meterId === OFPM.SLOWPATH;
  const legal = one || (command === ModCommand.delete && meterId === OFPM.ALL);
  if (!legal) return meterModFailed(OFPMMFC.INVALID_METER);
  if (command === ModCommand.delete) return undefined;
  // Kilobits unless it says packets; not both (§7.3.4.4).
  const units = MeterFlag.kbps | MeterFlag.pktps;
  const bad = (flags & ~FLAGS_KNOWN) !== 0 || (flags & units) === units;
  return bad ? meterModFailed(OFPMMFC.BAD_FLAGS) : undefined;
}

function toRecord(band: MeterBand, flags: number): BandRecord | OfError {
  if (band.type !== 'drop' && band.type !== 'dscp_remark') return meterModFailed(OFPMMFC.BAD_BAND);
  if (band.rate === 0) return meterModFailed(OFPMMFC.BAD_RATE);
  if ((flags & MeterFlag.burst) !== 0 && band.burstSize === 0) return meterModFailed(OFPMMFC.BAD_BURST);
  const { rate, burstSize: burst } = band;
  if (band.type === 'drop') return { type: MeterBandType.drop, precLevel: 0, rate, burst };
  if (band.precLevel === 0) return meterModFailed(OFPMMFC.BAD_BAND_VALUE);
  return { type: MeterBandType.dscpRemark, precLevel: band.precLevel, rate, burst };
}

/** A band record as OpenFlow. */
export function readBand({ type, rate, burst, precLevel }: BandRecord): MeterBand {
  if (type === MeterBandType.dscpRemark) return { type: 'dscp_remark', rate, burstSize: burst, precLevel };
  return { type: 'drop', rate, burstSize: burst };
}
