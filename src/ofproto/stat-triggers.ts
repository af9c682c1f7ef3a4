/** Stat triggers between OpenFlow and records, and statistics as OXS (OpenFlow 1.5.1 §7.2.4, §7.2.5). */
import type { OxsStats, OxsTlv, StatTriggerInstruction } from 'node-openflow';
import { of13 } from 'node-openflow';
import type { InstructionRecord, ThresholdRecord } from '../datapath/records.js';
import { Stat, StatTriggerFlag } from '../datapath/schema.gen.js';
import { splitNs } from './async-events.js';
import { badInstruction, type OfError } from './of-error.js';

const NS_PER_SECOND = 1_000_000_000n;
const FLAGS_KNOWN = StatTriggerFlag.periodic | StatTriggerFlag.onlyFirst;

type TriggerRecord = InstructionRecord & { readonly kind: 'stat_trigger' };

const nanoseconds = (sec: number, nsec: number): bigint => BigInt(sec) * NS_PER_SECOND + BigInt(nsec);

/** Undefined: a single flow has no such statistic. */
function toThreshold(tlv: OxsTlv): ThresholdRecord | undefined {
  switch (tlv.field) {
    case 'duration':
      return { stat: Stat.duration, value: nanoseconds(tlv.sec, tlv.nsec) };
    case 'idle_time':
      return { stat: Stat.idleTime, value: nanoseconds(tlv.sec, tlv.nsec) };
    case 'packet_count':
      return { stat: Stat.packetCount, value: tlv.count };
    case 'byte_count':
      return { stat: Stat.byteCount, value: tlv.count };
    default:
      return undefined;
  }
}

/** The record of an instruction, or that it is one of those that are not supported. */
export function triggerRecord({ flags, thresholds }: StatTriggerInstruction): TriggerRecord | OfError {
  const records = thresholds.flatMap((tlv) => toThreshold(tlv) ?? []);
  const once = new Set(records.map(({ stat }) => stat)).size === thresholds.length;
  const right = once && records.every(({ value }) => value > 0n) && (flags & ~FLAGS_KNOWN) === 0;
  if (!right) return badInstruction(of13.OFPBIC.UNSUP_INST);
  return { kind: 'stat_trigger', flags, thresholds: records };
}

function fromNs(field: 'duration' | 'idle_time', value: bigint): OxsTlv {
  const { durationSec: sec, durationNsec: nsec } = splitNs(value);
  return { field, sec, nsec };
}

/** A record as an instruction. */
export function readTrigger({ flags, thresholds }: TriggerRecord): StatTriggerInstruction {
  const tlvs = thresholds.map(({ stat, value }): OxsTlv => {
    switch (stat) {
      case Stat.duration:
        return fromNs('duration', value);
      case Stat.idleTime:
        return fromNs('idle_time', value);
      case Stat.packetCount:
        return { field: 'packet_count', count: value };
      default:
        return { field: 'byte_count', count: value };
    }
  });
  return { type: 'stat_trigger', flags, thresholds: tlvs };
}

/** What 1.5 says of a flow beside duration and counts. */
export const idleTime = (unused: bigint): { readonly stats: OxsStats } => ({ stats: [fromNs('idle_time', unused)] });
