/** Stat triggers of the model (OpenFlow 1.5.1 §7.2.5): thresholds of a flow's statistics, looked at from time to time. */
import { countsOf, type Flow } from './model-flows.js';
import type { InstructionRecord, ThresholdRecord } from './records-action.js';
import { Stat, StatTriggerFlag } from './schema.gen.js';

export interface Watch {
  /** By threshold: the value that is told about when it is reached; undefined: none any more. */
  readonly next: (bigint | undefined)[];
  /** At the last look. */
  idle: bigint;
  done: boolean;
}

type Trigger = InstructionRecord & { readonly kind: 'stat_trigger' };

function triggerOf(flow: Flow): Trigger | undefined {
  return flow.instructions.find((i): i is Trigger => i.kind === 'stat_trigger' && i.thresholds.length > 0);
}

function statistic(flow: Flow, { stat }: ThresholdRecord, nowNs: bigint): bigint {
  const { packets, bytes } = countsOf(flow);
  switch (stat) {
    case Stat.duration:
      return nowNs - flow.createdNs;
    case Stat.idleTime:
      return nowNs - flow.usedNs;
    case Stat.packetCount:
      return packets;
    default:
      return bytes;
  }
}

const multipleAbove = (value: bigint, threshold: bigint): bigint => (value / threshold + 1n) * threshold;

/** What the flow's statistics have passed already is not told. */
export function newWatch(flow: Flow, nowNs: bigint): Watch | undefined {
  const trigger = triggerOf(flow);
  if (trigger === undefined) return undefined;
  const periodic = (trigger.flags & StatTriggerFlag.periodic) !== 0;
  const next = trigger.thresholds.map((threshold) => {
    const value = statistic(flow, threshold, nowNs);
    return value < threshold.value || periodic ? multipleAbove(value, threshold.value) : undefined;
  });
  return { next, idle: nowNs - flow.usedNs, done: false };
}

/** Whether it has passed a threshold since the last look. */
export function passesThreshold(flow: Flow, nowNs: bigint): boolean {
  const { watch } = flow;
  const trigger = triggerOf(flow);
  if (watch === undefined || trigger === undefined || watch.done) return false;
  const [periodic, onlyFirst] = [StatTriggerFlag.periodic, StatTriggerFlag.onlyFirst].map(
    (flag) => (trigger.flags & flag) !== 0,
  );
  let passed = false;
  for (const [i, threshold] of trigger.thresholds.entries()) {
    const value = statistic(flow, threshold, nowNs);
    // A packet came: idling begins anew.
    if (threshold.stat === Stat.idleTime && value < watch.idle) watch.next[i] = threshold.value;
    const next = watch.next[i];
    if (next === undefined || value < next) continue;
    passed = true;
    watch.next[i] = periodic ? multipleAbove(value, threshold.value) : undefined;
  }
  watch.idle = nowNs - flow.usedNs;
  if (passed && onlyFirst) {
    watch.done = !periodic;
    for (const [i, threshold] of trigger.thresholds.entries()) {
      watch.next[i] = statistic(flow, threshold, nowNs) + threshold.value;
    }
  }
  return passed;
}
