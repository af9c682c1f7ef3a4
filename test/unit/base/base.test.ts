import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionFailed, assert, unreachable } from '../../../src/base/assert.js';
import { Backoff } from '../../../src/base/backoff.js';
import type { Clock } from '../../../src/base/clock.js';
import { parseDecimal, quote } from '../../../src/base/decimal.js';
import { createLogger, RateLimitedLog, RateLimitedLogs } from '../../../src/base/logger.js';

describe('assert', () => {
  it('throws AssertionFailed', () => {
    assert(true, 'fine');
    expect(() => assert(false, 'broken')).toThrow(AssertionFailed);
    expect(() => unreachable('x' as never)).toThrow(/"x"/);
  });
});

describe('parseDecimal', () => {
  it('reads what it prints', () => {
    fc.assert(fc.property(fc.nat(1_000_000), (value) => parseDecimal(String(value), 0, 1_000_000) === value));
  });

  it.each(['', ' 1', '1 ', '01', '+1', '-1', '1.0', '1e3', '0x1', '१', '4\0', '9999999999999999', '11'])(
    '%j is none within 0..10',
    (text) => {
      expect(parseDecimal(text, 0, 10)).toBeUndefined();
    },
  );
});

describe('quote', () => {
  it('escapes and cuts', () => {
    expect(quote('a"\n')).toBe('"a\\"\\n"');
    expect(quote('x'.repeat(100))).toHaveLength(43);
  });
});

describe('Backoff', () => {
  it('doubles up to the most, less up to a half', () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0 });
    expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([100, 200, 400, 800, 1000]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(100);
    expect(new Backoff({ firstMs: 100, maxMs: 1000, random: () => 1 }).nextMs()).toBe(50);
  });
});

describe('RateLimitedLogs', () => {
  it('one source does not swallow the lines of another, and the number of sources is bounded', () => {
    const clock: Clock = { nowMs: () => 0, after: () => ({ cancel() {} }) };
    const lines: string[] = [];
    const logger = createLogger({ destination: { write: (line) => lines.push(JSON.parse(line).msg) } });
    const logs = new RateLimitedLogs(logger, { clock });
    for (let i = 0; i < 100; i++) logs.of('loud').warn({}, 'loud');
    logs.of('quiet').info({}, 'quiet');
    expect(lines).toEqual([...new Array(10).fill('loud'), 'quiet']);
    for (let i = 0; i < 5000; i++) logs.of(`source ${i}`);
    logs.of('loud').warn({}, 'forgotten, so it begins anew');
    expect(lines).toHaveLength(12);
  });
});

describe('RateLimitedLog', () => {
  it('lets a burst through, then one per refill, and counts the rest', () => {
    let nowMs = 0;
    const clock: Clock = { nowMs: () => nowMs, after: () => ({ cancel() {} }) };
    const lines: { msg: string; suppressed?: number }[] = [];
    const logger = createLogger({ destination: { write: (line) => lines.push(JSON.parse(line)) } });
    const log = new RateLimitedLog(logger, { burst: 2, refillMs: 1000, clock });
    for (let i = 0; i < 5; i++) log.warn({ i }, `line ${i}`);
    expect(lines.map(({ msg }) => msg)).toEqual(['line 0', 'line 1']);
    nowMs = 1000;
    log.warn({}, 'later');
    log.info({}, 'too much');
    expect(lines.at(-1)).toMatchObject({ msg: 'later', suppressed: 3 });
    nowMs = 100_000;
    for (let i = 0; i < 5; i++) log.info({}, 'burst');
    expect(lines.filter(({ msg }) => msg === 'burst')).toHaveLength(2);
  });
});
