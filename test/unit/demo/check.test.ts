import { describe, expect, it } from 'vitest';
import type { Flow } from '../../../src/api/messages.js';
import { problems } from '../../../src/demo/check.js';
import { formatPair, formatRound, guests, type PairResult, pairs } from '../../../src/demo/guests.js';

function flow(priority: number, packets: bigint): Flow {
  const rest = {
    table: 0,
    cookie: 0n,
    bytes: 0n,
    durationMs: 0n,
    idleTimeout: 0,
    hardTimeout: 0,
    owner: '',
    rule: '',
    file: '',
    line: 0,
  };
  const text = `priority=${priority} actions=${priority === 0 ? 'CONTROLLER:65535' : 'output:1'}`;
  return { bridge: 'br0', priority, packets, text, ...rest };
}

function result(received: number): PairResult {
  return { ...pairs[0]!, sent: 4, received, bestUs: received === 0 ? undefined : 100 };
}

describe('what the demo checks', () => {
  it('every pair, both ways', () => {
    expect(pairs).toHaveLength(guests.length * (guests.length - 1));
  });

  it('all is well', () => expect(problems([result(4), result(3)], [flow(0, 9n), flow(10, 7n)])).toEqual([]));

  it('a guest that was not reached', () =>
    expect(problems([result(0)], [flow(10, 7n)])).toEqual(['alice got 0 of 4 answers from bob']));

  it('the table-miss entry alone is no flow that counts', () =>
    expect(problems([result(4)], [flow(0, 100n), flow(10, 0n)])).toEqual([
      'no flow of the controller has counted a packet',
    ]));

  it('flows that counted too little', () =>
    expect(problems([result(4), result(4)], [flow(10, 7n)])).toEqual([
      'flows counted 7 packets, though 8 pings were answered',
    ]));

  it('says what happened', () => {
    expect(formatPair(result(4))).toBe('alice (10.0.0.1) → bob (10.0.0.2): 4 of 4 answered, best 0.100 ms');
    expect(formatRound([result(4), result(0)])).toBe('every guest pings every other: 4 of 8 answered, best 0.100 ms\n');
    expect(formatRound([result(0)])).toBe('every guest pings every other: 0 of 4 answered\n');
    expect(formatPair(result(0))).toBe('alice (10.0.0.1) → bob (10.0.0.2): 0 of 4 answered');
  });
});
