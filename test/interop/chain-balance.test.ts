/**
 * Several instances of a hop share connections, on xvifd and on Open vSwitch: by their weights, each connection at one of
 * them, in both directions with symmetric return, and also while others come and go. Needs root.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Child, eventually, root, sh } from '../lab/process.js';
import { ChainBed, type Leg, MARK, PORT, type Said } from './chains/bed.js';
import type { Seen } from './chains/player.js';
import { chainOf, chainPeers } from './chains/suites.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const program = join(root, 'test/interop/connections.py');
const FIRST_PORT = 10_000;
const TCP = 6;
/** Of all connections; more than three times the standard deviation of the fewest that are sent. */
const POINTS = 0.06;

const instances = (weights: Readonly<Record<string, number>>): string =>
  Object.entries(weights)
    .map(([name, weight]) => `{name: ${name}, ingress: ${name}0, egress: ${name}1, weight: ${weight}}`)
    .join(', ');
const balanced = (weights: Readonly<Record<string, number>>, more = ''): string =>
  chainOf('shares', `  hops: [{name: one, behaviour: balance, instances: [${instances(weights)}]}]\n${more}`);

const connections = (count: number, from: 'x' | 'y', pass: string): Said[] =>
  Array.from({ length: count }, (_, i) => ({ from, id: `${i}${from}${pass}`, port: FIRST_PORT + i }));

/** The instance that each frame went through, of ways with one. */
const visited = (ways: ReadonlyMap<string, readonly Seen[]>): string[] =>
  [...ways.values()].map((way) => {
    const [into, out] = way;
    expect(way.length).toBe(2);
    expect(['x', 'y']).toContain(out!.leg);
    return into!.leg[0]!;
  });

function expectShares(found: readonly string[], weights: Readonly<Record<string, number>>, name: string): void {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const shares = Object.keys(weights).map((one) => [one, found.filter((it) => it === one).length] as const);
  console.log(`${name}: ${shares.map(([one, count]) => `${one} ${count}`).join(', ')} of ${found.length}`);
  for (const [one, count] of shares) {
    expect(count / found.length, one).toBeGreaterThan(weights[one]! / total - POINTS);
    expect(count / found.length, one).toBeLessThan(weights[one]! / total + POINTS);
  }
}

describe.each(chainPeers)('balance on %s', (name, start) => {
  let bed: ChainBed;
  beforeAll(async () => {
    bed = await ChainBed.start(start);
  });
  afterAll(() => bed?.stop());

  const begin = async (document: string, ...names: readonly string[]) => {
    await bed.begin(document);
    for (const one of names) await bed.player.forward(`${one}0`, `${one}1`);
  };

  it('keeps to weights and to the instance of a connection', async () => {
    const weights = { a: 3, b: 1 };
    await begin(balanced(weights), 'a', 'b');
    // Open vSwitch's select groups look at the addresses of UDP, and not at its ports.
    const clients = (pass: string) => connections(1000, 'x', pass).map((one, client) => ({ ...one, client }));
    const first = visited(await bed.exchange(clients('first')));
    expectShares(first, weights, name);
    const again = visited(await bed.exchange(clients('again').toReversed()));
    expect(again.toReversed()).toEqual(first);
  });

  describe('with symmetric return', () => {
    const COUNT = 600;
    const weights = { a: 2, b: 1, c: 1 };
    let before: string[];
    const both = async (pass: string): Promise<string[]> => {
      const forward = visited(await bed.exchange(connections(COUNT, 'x', pass)));
      const back = visited(await bed.exchange(connections(COUNT, 'y', pass)));
      expect(back).toEqual(forward);
      return forward;
    };
    beforeAll(async () => {
      await begin(balanced(weights, '  return: symmetric\n'), 'a', 'b', 'c');
    });

    it('takes both directions to the same instance', async () => {
      before = await both('first');
      expectShares(before, weights, `${name}, symmetric`);
    });

    it('moves the connections of an instance whose port goes down, and no others, and back', async () => {
      const legs: readonly Leg[] = ['b0', 'b1'];
      try {
        await bed.links(legs, 'down');
        const meanwhile = await both('meanwhile');
        for (const [i, one] of meanwhile.entries())
          if (before[i] === 'b') expect(['a', 'c']).toContain(one);
          else expect(one).toBe(before[i]);
      } finally {
        await bed.links(legs, 'up');
      }
      expect(await both('after')).toEqual(before);
    });

    it("does so with kernels' connections", async () => {
      const COUNT = 40;
      const client = await bed.peer.machine('client', 101);
      const server = await bed.peer.machine('server', 102);
      const inside = (netns: string, ...words: string[]) => ['netns', 'exec', netns, 'python3', program, ...words];
      const echo = new Child('ip', inside(server, 'echo', String(PORT)));
      try {
        await eventually('it listens', async () => echo.output.includes('ready'), 60_000);
        await bed.player.take();
        await bed.player.record(Buffer.from([10, 0, 0, 102]));
        const talked = await sh('ip', ...inside(client, 'talk', '10.0.0.102', String(PORT), String(COUNT)));
        expect(talked.trim()).toBe(`${COUNT} echoed`);
        const legs = new Map<number, Set<string>>();
        for (const { leg, frame } of await bed.player.take()) {
          if (frame.readUInt16BE(12) !== 0x0800 || frame[23] !== TCP) continue;
          const ports = [frame.readUInt16BE(34), frame.readUInt16BE(36)];
          const port = ports.find((one) => one !== PORT)!;
          legs.set(port, (legs.get(port) ?? new Set()).add(leg));
        }
        expect(legs.size).toBe(COUNT);
        // In by one leg and back by the other, both of one instance.
        const pairs = [...legs.values()].map((set) => [...set].toSorted().join(' '));
        for (const pair of pairs) expect(['a0 a1', 'b0 b1', 'c0 c1']).toContain(pair);
        expect(new Set(pairs).size).toBeGreaterThan(1);
      } finally {
        await bed.player.record(Buffer.from(MARK));
        await echo.stop();
      }
    });
  });
});
