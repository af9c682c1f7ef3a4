import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.js';
import { noRates, RateMeter } from '../../../src/bridge/rates.js';

function counters(rxPackets: bigint, txBytes: bigint) {
  return { rxPackets, txPackets: 0n, rxBytes: 0n, txBytes };
}

describe('rates', () => {
  let nowMs = 0;
  const clock: Clock = { nowMs: () => nowMs, after: () => ({ cancel() {} }) };

  it('are differences by time', () => {
    const meter = new RateMeter(clock);
    meter.sample(new Map([[1, counters(100n, 0n)]]));
    expect(meter.of(1)).toEqual(noRates);
    nowMs += 500;
    meter.sample(new Map([[1, counters(150n, 1000n)]]));
    expect(meter.of(1)).toMatchObject({ rxPacketsPerSecond: 100, txBitsPerSecond: 16_000, txPacketsPerSecond: 0 });
  });

  it('a port that is new, came back or is gone has none', () => {
    const meter = new RateMeter(clock);
    meter.sample(new Map([[1, counters(100n, 0n)]]));
    nowMs += 1000;
    meter.sample(
      new Map([
        [1, counters(5n, 0n)],
        [2, counters(7n, 0n)],
      ]),
    );
    expect([meter.of(1), meter.of(2), meter.of(3)]).toEqual([noRates, noRates, noRates]);
  });

  it('samples too close together are merged', () => {
    const meter = new RateMeter(clock);
    meter.sample(new Map([[1, counters(0n, 0n)]]));
    nowMs += 1;
    meter.sample(new Map([[1, counters(1000n, 0n)]]));
    nowMs += 999;
    meter.sample(new Map([[1, counters(2000n, 0n)]]));
    expect(meter.of(1).rxPacketsPerSecond).toBe(2000);
  });
});
