/** What checks in a row decide, and the times of the last ones. */
import { expect, it } from 'vitest';
import { Latencies } from '../../../src/health/latencies.js';
import { LATENCIES_KEPT } from '../../../src/health/limits.js';
import { Tally } from '../../../src/health/tally.js';

const works = { works: true } as const;
const fails = { works: false, reason: 'no answer' } as const;

it('goes up and down after so many in a row', () => {
  const tally = new Tally({ up: 2, down: 3 });
  const states = [works, fails, works, works, fails, fails, works, fails, fails, fails, works, works].map((verdict) => {
    const changed = tally.count(verdict);
    return `${tally.state}${changed ? '!' : ''}`;
  });
  expect(states).toEqual('unknown unknown unknown up! up up up up up down! down up!'.split(' '));
  expect(tally.reason).toBe('no answer');
});

it('begins anew with another chance', () => {
  const tally = new Tally({ up: 1, down: 2 });
  tally.count(fails);
  tally.count(fails);
  expect(tally.state).toBe('down');
  tally.forget();
  expect(tally.state).toBe('unknown');
  expect(tally.count(fails)).toBe(false);
  expect(tally.count(fails)).toBe(true);
});

it('remembers the last times only', () => {
  const latencies = new Latencies();
  expect(latencies.latency).toBeUndefined();
  latencies.add(1);
  for (let i = 0; i < LATENCIES_KEPT; i++) latencies.add(i % 2 === 0 ? 4 : 8);
  expect(latencies.latency).toEqual({ minMs: 4, averageMs: 6, samples: LATENCIES_KEPT });
});
