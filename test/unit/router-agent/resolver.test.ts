/** Next hops that are asked for: whose packets have how many, and who is remembered. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { RouterSubnet } from '../../../src/compiler/index.js';
import {
  ASKED_MAX,
  ASKED_PER_PORT,
  LONG_FRAMES_BYTES,
  PARKED_PER_HOP,
  QUESTION_INTERVAL_MS,
  QUESTIONS,
  REACHABLE_MS,
} from '../../../src/router-agent/limits.js';
import { Resolver } from '../../../src/router-agent/resolver.js';
import type { Hop } from '../../../src/router-agent/route-table.js';
import { HandClock } from '../../lab/hand-clock.js';

const subnet = { number: 1 } as RouterSubnet;
const hop = (value: number): Hop => ({ subnet, address: { family: 4, value: BigInt(value) } });
const place = { mac: '02:00:00:00:00:01', port: 7 };
const frame = Uint8Array.of(1);

describe('next hops', () => {
  let clock: HandClock;
  let resolver: Resolver;
  let asked: bigint[];
  let found: unknown[];
  beforeEach(() => {
    clock = new HandClock();
    [asked, found] = [[], []];
    resolver = new Resolver(clock, {
      ask: ({ address }) => asked.push(address.value),
      found: (_, ...what) => found.push(what),
      lost: () => {},
    });
  });
  const want = (value: number, port: number) => resolver.want(hop(value), port, { frame, port });

  it('of a port that asks for many make room for those of others', () => {
    const greedy = ASKED_MAX / ASKED_PER_PORT;
    for (let port = 1; port <= greedy; port++) for (let i = 0; i < ASKED_PER_PORT; i++) want(port * 1000 + i, port);
    expect(asked).toHaveLength(ASKED_MAX);
    want(1, 99);
    expect(asked.at(-1)).toBe(1n);
    resolver.told(hop(1), place);
    expect(found).toHaveLength(1);
    // It was the oldest of a greedy port that went.
    resolver.told(hop(1000), place);
    expect(found).toHaveLength(1);
    resolver.told(hop(1001), place);
    expect(found).toHaveLength(2);
  });

  it('share what there is evenly, and no further', () => {
    const ports = ASKED_MAX / 4;
    for (let round = 0; round < 4; round++) for (let port = 1; port <= ports; port++) want(port * 1000 + round, port);
    expect(asked).toHaveLength(ASKED_MAX);
    want(1000 + 4, 1);
    expect(asked).toHaveLength(ASKED_MAX);
  });

  it('that have answered are not asked for with every packet', () => {
    want(1, 1);
    resolver.told(hop(1), place);
    for (let i = 0; i < 5; i++) want(1, 1);
    expect(asked).toEqual([1n]);
    expect(found).toEqual(Array.from({ length: 6 }, () => [place, { frame, port: 1 }]));
    clock.advance(REACHABLE_MS);
    want(1, 1);
    expect(asked).toEqual([1n, 1n]);
    expect(found).toHaveLength(6);
  });

  it('are where they say when they are asked, and are asked when they say something else', () => {
    resolver.told(hop(1), place);
    want(1, 1);
    expect(asked).toEqual([1n]);
    resolver.told(hop(1), place);
    resolver.told(hop(1), { mac: '02:00:00:00:00:02', port: 8 });
    want(1, 1);
    expect(asked).toEqual([1n, 1n]);
  });

  it('are asked for on behalf of what cannot wait', () => {
    resolver.want(hop(1), 1, undefined);
    expect(asked).toEqual([1n]);
    resolver.told(hop(1), place);
    expect(found).toEqual([]);
  });

  it('have long frames wait for them, as many bytes of each port and of all', () => {
    const long = new Uint8Array(64 * 1024);
    const wantLong = (value: number, port: number) => resolver.want(hop(value), port, { frame: long, port });
    const perPort = Math.floor(LONG_FRAMES_BYTES.port / long.length);
    for (let value = 1; value <= perPort + 1; value++) wantLong(value, 1);
    const ports = LONG_FRAMES_BYTES.all / long.length;
    for (let port = 2; port <= ports + 2; port++) wantLong(port * 100, port);
    resolver.told(hop(perPort + 1), place);
    resolver.told(hop((ports + 2) * 100), place);
    expect(found).toEqual([]);
    resolver.told(hop(1), place);
    expect(found).toHaveLength(1);
    // What went has made room; so does what is not answered, and what is pushed out.
    for (let i = 0; i < QUESTIONS; i++) clock.advance(QUESTION_INTERVAL_MS);
    for (let i = 0; i < PARKED_PER_HOP + perPort; i++) wantLong(7, 1);
    resolver.told(hop(7), place);
    expect(found).toHaveLength(1 + Math.min(PARKED_PER_HOP, perPort));
  });
});
