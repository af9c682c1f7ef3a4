/**
 * Hops of service chains, frame by frame, on xvifd and on Open vSwitch: which legs each frame visits, in which order, how
 * often, and with which bytes, beside what the reference datapath, traces and counters say of it. Needs root.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../lab/process.js';
import { ChainBed, type End, frameOf, type Leg, MARK, type Said, stations } from './chains/bed.js';
import { ChainModel, type Part } from './chains/model.js';
import { XvifdPeer } from './chains/peers.js';
import type { Seen } from './chains/player.js';
import { chainOf, chainPeers } from './chains/suites.js';

const TIMEOUT = 300_000;
const COUNT = 20;
const WAIT_MS = 60_000;

const legsOf = (way: readonly Seen[]): string[] => way.map(({ leg }) => leg);
const said = (from: End, count = COUNT): Said[] =>
  Array.from({ length: count }, (_, i) => ({ from, id: `${from}${i}`, port: 2000 + i }));

/** An instance that is played, by its legs. */
type Played = readonly [leg: Leg, to: Leg, as?: 'forward' | 'nsh'];

/** A chain of single instances, and the legs that a frame of each station comes out of, one after the other. */
interface Way {
  readonly name: string;
  readonly spec: string;
  readonly played: readonly Played[];
  readonly x: readonly string[];
  /** Absent: answers are no matter of the chain's. */
  readonly y?: readonly string[];
  /** What of the frame stands at each leg; the frame itself everywhere else. Offsets in bytes, digits in hex. */
  readonly wrapped?: (frame: string, end: End) => Readonly<Record<string, string>>;
}

const hops = (...lines: string[]): string => `  hops:\n${lines.map((line) => `    - ${line}\n`).join('')}`;
const ofA = 'instances: [{name: a, ingress: a0, egress: a1}]';
const ofB = 'instances: [{name: b, ingress: b0, egress: b1}]';
const symmetric = '  return: symmetric\n';
const MACS = 24;
/** A tag or label behind the MAC addresses. */
const vlan = (frame: string, vid: number): string =>
  `${frame.slice(0, MACS)}8100${vid.toString(16).padStart(4, '0')}${frame.slice(MACS)}`;
/** The bottom of the stack, with the packet's TTL. */
const mpls = (frame: string, label: number): string =>
  `${frame.slice(0, MACS)}8847${((label << 12) | 0x140).toString(16).padStart(8, '0')}${frame.slice(MACS + 4)}`;
/** MD type 1 without context, over Ethernet: TTL 63, length 6. */
const nsh = (frame: string, path: number, index: number): string =>
  `${frame.slice(0, MACS)}894f0fc60103${((path << 8) | index).toString(16).padStart(8, '0')}${'0'.repeat(32)}${frame}`;

const ways: readonly Way[] = [
  {
    name: 'two firewalls and a tap between them',
    spec:
      hops(`{name: one, ${ofA}}`, '{name: ids, mode: tap, instances: [{ingress: t0}]}', `{name: two, ${ofB}}`) +
      symmetric,
    played: [
      ['a0', 'a1'],
      ['b0', 'b1'],
    ],
    x: ['a0', 't0', 'b0', 'y'],
    y: ['b1', 't0', 'a1', 'x'],
  },
  {
    name: 'several taps that each get every packet',
    spec:
      hops(
        '{name: ids, mode: tap, behaviour: all, instances: [{name: a, ingress: t0}, {name: b, ingress: t1}]}',
        `{name: one, ${ofA}}`,
      ) + symmetric,
    played: [['a0', 'a1']],
    x: ['t0', 't1', 'a0', 'y'],
    y: ['a1', 't0', 't1', 'x'],
  },
  {
    name: 'instances with one leg',
    spec: hops('{name: one, instances: [{name: a, ingress: a0}]}', '{name: two, instances: [{name: b, ingress: b0}]}'),
    played: [
      ['a0', 'a0'],
      ['b0', 'b0'],
    ],
    x: ['a0', 'b0', 'y'],
    y: ['x'],
  },
  {
    name: 'instances with one leg for both directions, told apart by VLANs',
    spec:
      hops('{name: one, instances: [{name: a, ingress: a0}]}', `{name: two, ${ofB}}`) +
      symmetric +
      '  correlation: {vlan: 3000}\n',
    played: [
      ['a0', 'a0'],
      ['b0', 'b1'],
    ],
    x: ['a0', 'b0', 'y'],
    y: ['b1', 'a0', 'x'],
    wrapped: (frame, end) =>
      end === 'x' ? { a0: vlan(frame, 3000), b0: vlan(frame, 3001) } : { a0: vlan(frame, 3002), b1: vlan(frame, 3003) },
  },
  {
    name: 'the same by labels',
    spec:
      hops('{name: one, instances: [{name: a, ingress: a0}]}', `{name: two, ${ofB}}`) +
      symmetric +
      '  correlation: {mpls: 1000}\n',
    played: [
      ['a0', 'a0'],
      ['b0', 'b1'],
    ],
    x: ['a0', 'b0', 'y'],
    y: ['b1', 'a0', 'x'],
    // IPv4's, each followed by that of IPv6.
    wrapped: (frame, end) =>
      end === 'x' ? { a0: mpls(frame, 1000), b0: mpls(frame, 1002) } : { a0: mpls(frame, 1004), b1: mpls(frame, 1006) },
  },
  {
    name: 'instances that take service headers, and a proxy between them',
    spec:
      hops(
        '{name: one, instances: [{name: a, ingress: a0, nsh: aware}]}',
        `{name: two, ${ofB}}`,
        '{name: three, instances: [{name: c, ingress: c0, egress: c1, nsh: aware}]}',
      ) +
      symmetric +
      '  correlation: {nsh: 100}\n',
    played: [
      ['a0', 'a0', 'nsh'],
      ['b0', 'b1'],
      ['c0', 'c1', 'nsh'],
    ],
    x: ['a0', 'b0', 'c0', 'y'],
    y: ['c1', 'b1', 'a0', 'x'],
    wrapped: (frame, end) =>
      end === 'x'
        ? { a0: nsh(frame, 100, 255), c0: nsh(frame, 100, 253) }
        : { c1: nsh(frame, 101, 255), a0: nsh(frame, 101, 253) },
  },
];

vi.setConfig({ testTimeout: TIMEOUT, hookTimeout: TIMEOUT });

describe.each(chainPeers)('hops on %s', (_, start) => {
  let bed: ChainBed;
  beforeAll(async () => {
    bed = await ChainBed.start(start);
  });
  afterAll(() => bed?.stop());

  const play = async (played: readonly Played[]) => {
    for (const [leg, to, as] of played) await bed.player.forward(leg, to, as);
  };
  const packet = (end: End, port: number): string => {
    const [mine, its] = end === 'x' ? [stations.x, stations.y] : [stations.y, stations.x];
    const ports = end === 'x' ? `tp_src=${port},tp_dst=443` : `tp_src=443,tp_dst=${port}`;
    const macs = `dl_src=${mine.mac},dl_dst=${its.mac}`;
    return `udp,in_port=${end},${macs},nw_src=${mine.ipv4},nw_dst=${its.ipv4},${ports}`;
  };

  describe.each(ways)('$name', ({ name, spec, played, x, y, wrapped }) => {
    const document = chainOf('way', spec);
    const expected = { x, y: y ?? ['x'] } as const;
    const inline = played.length;
    beforeAll(async () => {
      await bed.begin(document);
      await play(played);
    });

    it('are visited in order, once, and get the bytes that the reference datapath says', async () => {
      const parts = new Map<string, Part>(
        played.flatMap(([leg, to, as = 'forward']) => [
          [leg, { to, as }] as const,
          ...(to === leg ? [] : [[to, { to: leg, as }] as const]),
        ]),
      );
      const model = new ChainModel(document, bed.peer.numbers, parts);
      try {
        for (const end of ['x', 'y'] as const) {
          const sent = said(end);
          const found = await bed.exchange(sent);
          await bed.settle();
          const late = await bed.waysOf(sent.map(({ id }) => id));
          for (const one of sent) {
            const way = found.get(one.id)!;
            // A copy need not come before what goes on.
            expect(legsOf(way).toSorted(), `${name}: ${one.id}`).toEqual(expected[end].toSorted());
            const through = expected[end].filter((leg) => !leg.startsWith('t'));
            expect(legsOf(way).filter((leg) => !leg.startsWith('t'))).toEqual(through);
            expect(late.get(one.id)).toEqual([]);
            const frame = frameOf(one).toString('hex');
            const at = Object.fromEntries(way.map((seen) => [seen.leg, seen.frame.toString('hex')]));
            expect(at).toEqual({
              ...Object.fromEntries(expected[end].map((leg) => [leg, frame])),
              ...wrapped?.(frame, end),
            });
            const modelled = model.way(end, frameOf(one));
            expect(Object.fromEntries(modelled.map((seen) => [seen.leg, seen.frame.toString('hex')]))).toEqual(at);
            expect(modelled.length).toBe(way.length);
          }
        }
      } finally {
        model.close();
      }
    });

    it('are counted as they were visited', async () => {
      const counts = await eventually(
        'the counters say so',
        async () => {
          const found = await bed.peer.counts();
          return found.every(({ in: into }) => into === COUNT) && found;
        },
        WAIT_MS,
      );
      const taps = counts.filter(({ out }) => out === undefined);
      expect(taps.length).toBe(x.filter((leg) => leg.startsWith('t')).length * (spec.includes('symmetric') ? 2 : 1));
      const others = counts.filter(({ out }) => out !== undefined);
      expect(others.length).toBe(inline * (spec.includes('symmetric') ? 2 : 1));
      for (const { out, lost } of others) expect({ out, lost }).toEqual({ out: COUNT, lost: 0 });
    });

    it('are those that traces name, with the bytes that leave', async () => {
      // What is not the chain's goes where the switch has learned, which is in no table.
      for (const end of y === undefined ? (['x'] as const) : (['x', 'y'] as const)) {
        const words = packet(end, 3000);
        const { packet: made, outcome } = await bed.peer.trace(words);
        await bed.player.record(Buffer.from(made.frame.slice(0, MACS), 'hex'));
        await bed.player.send([{ leg: end, frame: Buffer.from(made.frame, 'hex') }], { ends: ['x', 'y'] });
        const way = await bed.player.take();
        await bed.player.record(Buffer.from(MARK));
        const legOf = (port: number) => [...bed.peer.numbers].find(([, number]) => number === port)![0];
        // A trace of files floods where the switch, which has learned, does not.
        const first = outcome.delivered.filter(
          ({ port }) => bed.peer instanceof XvifdPeer || expected[end].some((leg) => leg === legOf(port)),
        );
        expect(first).not.toEqual([]);
        for (const { port, frame } of first) {
          const seen = way.find(({ leg }) => leg === legOf(port));
          // What is too short for a wire may be filled up.
          const filled = (seen?.frame.toString('hex') ?? '').slice(frame.length);
          expect(seen?.frame.toString('hex'), `${name}: ${legOf(port)}`).toBe(frame + filled);
          expect(filled).toMatch(/^0*$/);
        }
        if (!(bed.peer instanceof XvifdPeer)) continue;
        const { steps, outputs } = await bed.peer.chainTrace(words);
        const traced = [...steps.map(({ into }) => into), ...outputs];
        if (name.includes('service headers')) expect(traced[0]).toBe(expected[end][0]);
        else expect(traced).toEqual(expected[end]);
        expect(legsOf(way).toSorted()).toEqual(expected[end].toSorted());
      }
    });
  });

  it('send what each of several instances makes of a packet on', async () => {
    const both = '[{name: a, ingress: a0, egress: a1}, {name: b, ingress: b0, egress: b1}]';
    const allowed = '  lint: {allow: [copies]}\n';
    await bed.begin(chainOf('copies', hops(`{name: one, behaviour: all, instances: ${both}}`) + allowed));
    await play([
      ['a0', 'a1'],
      ['b0', 'b1'],
    ]);
    const sent = said('x');
    const found = await bed.exchange(sent, 2);
    for (const { id } of sent) expect(legsOf(found.get(id)!).toSorted()).toEqual(['a0', 'b0', 'y', 'y']);
    const taken = await bed.exchange(said('y'));
    for (const { id } of said('y')) expect(legsOf(taken.get(id)!)).toEqual(['x']);
  });

  describe.each(['open', 'closed'] as const)('that fall back %s', (fallback) => {
    it.each(['balance', 'failover'])('when all instances of a hop are down, with %s', async (behaviour) => {
      const one = `{name: one, behaviour: ${behaviour}, fallback: ${fallback}, instances: [{name: a, ingress: a0, egress: a1}, {name: b, ingress: b0, egress: b1}]}`;
      await bed.begin(
        chainOf('falls', hops(one, '{name: two, instances: [{name: c, ingress: c0, egress: c1}]}') + symmetric),
      );
      await play([
        ['a0', 'a1'],
        ['b0', 'b1'],
        ['c0', 'c1'],
      ]);
      const legs = ['a0', 'a1', 'b0', 'b1'] as const;
      try {
        await bed.links(legs, 'down');
        for (const end of ['x', 'y'] as const) {
          const sent = said(end);
          const found = await bed.exchange(sent, fallback === 'open' ? 1 : 0);
          await bed.settle();
          await bed.settle();
          const late = await bed.waysOf(sent.map(({ id }) => id));
          for (const { id } of sent) {
            const way = legsOf([...found.get(id)!, ...late.get(id)!]);
            // Before a hop that is closed, others are visited.
            const closed = end === 'x' ? [] : ['c1'];
            expect(way).toEqual(fallback === 'closed' ? closed : end === 'x' ? ['c0', 'y'] : ['c1', 'x']);
          }
        }
        await bed.links(legs, 'up');
        await eventually('the hop is visited again', async () => {
          const found = await bed.exchange([{ from: 'x', id: 'again' }], 0);
          for (let i = 0; i < 3; i++) await bed.settle();
          const late = await bed.waysOf(['again']);
          return found.get('again')!.length + late.get('again')!.length === 3;
        });
        const found = await bed.exchange(said('x'));
        for (const { id } of said('x')) {
          const way = legsOf(found.get(id)!);
          expect([
            ['a0', 'c0', 'y'],
            ['b0', 'c0', 'y'],
          ]).toContainEqual(way);
        }
      } finally {
        for (const leg of legs) await bed.link(leg, 'up');
      }
    });
  });
});
