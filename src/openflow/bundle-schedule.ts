/**
 * When a scheduled bundle is carried out (OpenFlow 1.5.1 §7.3.9.8, §7.3.5.20). Times are those of the system's clock, in
 * seconds since 1970; a controller sees by the timestamp how far that is from its own.
 */
import {
  type BundleFeaturesReply,
  type BundleFeaturesRequest,
  type ErrorName,
  type OfpTime,
  of15,
} from 'node-openflow';
import { SCHED_ACCURACY_MS, SCHED_FUTURE_MS, SCHED_MS_MAX, SCHED_PAST_MS } from './limits.js';

const { ATOMIC, ORDERED, TIME } = of15.OFPBF;
const { TIMESTAMP, TIME_SET_SCHED } = of15.OFPBF_FEATURES;
const NS_PER_MS = 1_000_000;
const MS_PER_SECOND = 1000;
const NS_PER_SECOND = 1_000_000_000;

function timeOf(ms: number): OfpTime {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  const nanoseconds = Math.min(Math.round((ms - seconds * MS_PER_SECOND) * NS_PER_MS), NS_PER_SECOND - 1);
  return { seconds: BigInt(seconds), nanoseconds };
}

/** Infinity for what no clock will reach. */
function msOf({ seconds, nanoseconds }: OfpTime): number {
  return Number(seconds) * MS_PER_SECOND + nanoseconds / NS_PER_MS;
}

export class BundleSchedule {
  readonly #wallMs: () => number;
  #futureMs = SCHED_FUTURE_MS;
  #pastMs = SCHED_PAST_MS;

  constructor(wallMs: () => number = Date.now) {
    this.#wallMs = wallMs;
  }

  /** Milliseconds until then, or why it cannot be; what is past, but not too long, is at once. */
  delayMs(time: OfpTime): number | ErrorName {
    const delay = msOf(time) - this.#wallMs();
    if (delay > this.#futureMs) return 'OFPBFC_SCHED_FUTURE';
    return delay < -this.#pastMs ? 'OFPBFC_SCHED_PAST' : Math.max(0, delay);
  }

  /** Answers a request for the features, and takes the limits that it sets. */
  features({ featureRequestFlags: flags, properties }: BundleFeaturesRequest): BundleFeaturesReply | ErrorName {
    if ((flags & ~(TIMESTAMP | TIME_SET_SCHED)) !== 0) return 'OFPBPC_BAD_VALUE';
    if (properties.some(({ type }) => type === 'experimenter')) return 'OFPBPC_BAD_EXPERIMENTER';
    const asked = properties.find((property) => property.type === 'time_capability');
    if ((flags & TIME_SET_SCHED) !== 0) {
      if (asked?.type !== 'time_capability') return 'OFPBRC_MULTIPART_BAD_SCHED';
      const [future, past] = [msOf(asked.schedMaxFuture), msOf(asked.schedMaxPast)];
      this.#futureMs = Math.min(future, SCHED_MS_MAX);
      this.#pastMs = Math.min(past, SCHED_MS_MAX);
    }
    const time = {
      type: 'time_capability',
      schedAccuracy: timeOf(SCHED_ACCURACY_MS),
      schedMaxFuture: timeOf(this.#futureMs),
      schedMaxPast: timeOf(this.#pastMs),
      timestamp: timeOf((flags & TIMESTAMP) === 0 ? 0 : this.#wallMs()),
    } as const;
    return {
      type: 'bundle_features',
      capabilities: ATOMIC | ORDERED | TIME,
      properties: flags === 0 ? [] : [time],
    };
  }
}
