/**
 * Instances that stop working while their ports stay up, under a stream of numbered packets: what is lost, what is not, and
 * that it is put right again; and what metrics say of it. Needs root.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually, freePort } from '../lab/process.js';
import { ChainBed, idOf, MARK, PORT, type Said, stations, TEXT_BYTES } from './chains/bed.js';
import { XvifdPeer } from './chains/peers.js';
import type { Seen } from './chains/player.js';
import { chainOf } from './chains/suites.js';
import { udpFrame } from './chains/udp-frame.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const WAIT_MS = 120_000;
const INTERVAL_S = 1;
const DOWN = 2;
/** A daemon that is held up asks up to three times more before it calls an answer missing. */
const PROBES_MAX = DOWN * 4 + 1;
const PAUSE_MS = 5;
const PROBER = Buffer.from([169, 254, 88, 1]);
/** Of a stream's frames, which are numbered. */
const STREAM = 'stream';

const health = `health: {type: icmp, interval: ${INTERVAL_S}, timeout: ${INTERVAL_S}, down: ${DOWN}}`;
const instances = (...names: readonly string[]): string =>
  names.map((name) => `{name: ${name}, ingress: ${name}0, egress: ${name}1}`).join(', ');
const numberIn = (frame: Buffer): number => frame.readUInt32BE(frame.length - 4);

describe('instances that die', () => {
  let bed: ChainBed;
  let peer: XvifdPeer;
  let metricsPort: number;

  beforeAll(async () => {
    metricsPort = await freePort();
    bed = await ChainBed.start(async (devices) => {
      peer = await XvifdPeer.start(devices, ['--metrics', `127.0.0.1:${metricsPort}`]);
      return peer;
    });
  });
  afterAll(() => bed?.stop());

  const becomes = (instance: string, state: string) =>
    eventually(
      `${instance} is ${state}`,
      async () => (await peer.counts()).some((one) => one.instance === instance && one.state === state),
      WAIT_MS,
    );
  const begin = async (hop: string, ...names: readonly string[]) => {
    await bed.begin(
      chainOf(
        'guarded',
        `  hops: [{name: fw, ${hop}, ${health}, instances: [${instances(...names)}]}]\n  return: symmetric\n`,
      ),
    );
    for (const name of names) await bed.player.forward(`${name}0`, `${name}1`);
    for (const name of names) await becomes(name, 'up');
  };
  const metric = async (name: string, instance: string): Promise<number> => {
    // A connection that was kept could be closed in this moment.
    const headers = { connection: 'close' };
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers })).text();
    const words = `${name}{bridge="${peer.daemon.bridge}",chain="guarded",hop="fw",instance="${instance}"} `;
    const line = text.split('\n').find((one) => one.startsWith(words));
    return Number(line?.slice(words.length));
  };

  it('lose a stream no more than the checks that find it out take, and get it back', async () => {
    await begin('behaviour: failover, fallback: open', 'a', 'b');
    const seen: Seen[] = [];
    /** Waits until so many more of the stream came to a leg. */
    const more = async (leg: string, count: number) => {
      const before = seen.length;
      await eventually(
        `${count} packets at ${leg}`,
        async () => {
          seen.push(...(await bed.player.take()));
          return seen.slice(before).filter((one) => one.leg === leg && isStream(one)).length >= count;
        },
        WAIT_MS,
      );
    };
    const isProbe = ({ frame }: Seen) => frame.includes(PROBER);
    const isStream = (one: Seen) => !isProbe(one) && idOf(one.frame) === STREAM;
    // Without a checksum, for its last bytes change.
    const frame = udpFrame(
      {
        from: stations.x,
        to: stations.y,
        sourcePort: 5000,
        destinationPort: PORT,
        text: `${`${MARK}${STREAM}>`.padEnd(TEXT_BYTES)}0000`,
      },
      false,
    );
    await bed.player.record(Buffer.from(MARK), PROBER);
    try {
      await bed.player.stream({ leg: 'x', frame }, PAUSE_MS);
      await more('y', 100);
      await bed.player.rest('a0', 'a1');
      const died = seen.length;
      await more('b0', 100);
      await becomes('a', 'down');
      expect(await metric('xvif_chain_instance_up', 'a')).toBe(0);
      await bed.player.forward('a0', 'a1');
      await becomes('a', 'up');
      const back = seen.length;
      await more('a0', 100);
      const sent = await bed.player.halt();
      await bed.settle();
      await eventually('the last one is there', async () => {
        seen.push(...(await bed.player.take()));
        return seen.some((one) => one.leg === 'y' && isStream(one) && numberIn(one.frame) === sent - 1);
      });
      const numbers = (leg: string) =>
        seen.filter((one) => one.leg === leg && isStream(one)).map((one) => numberIn(one.frame));
      const arrived = numbers('y');
      expect(new Set(arrived).size).toBe(arrived.length);
      // What the dead instance got, and nothing else, is lost.
      const lost = Array.from({ length: sent }, (_, i) => i).filter((i) => !arrived.includes(i));
      const visits = new Set(numbers('a0'));
      expect(lost.filter((i) => !visits.has(i))).toEqual([]);
      expect(lost.length).toBeGreaterThan(0);
      expect(lost.at(-1)! - lost[0]! + 1).toBe(lost.length);
      const first = seen.findIndex((one) => one.leg === 'a0' && isStream(one) && numberIn(one.frame) === lost[0]);
      const other = seen.findIndex((one, i) => i > first && one.leg === 'b0' && isStream(one));
      const probes = seen.slice(first, other).filter((one) => one.leg === 'a0' && isProbe(one)).length;
      console.log(`${lost.length} of ${sent} packets lost, one every ${PAUSE_MS} ms; found out by ${probes} probes`);
      expect(probes).toBeLessThanOrEqual(PROBES_MAX);
      expect(died).toBeLessThan(back);
      // None visited both.
      expect(numbers('b0').filter((i) => visits.has(i))).toEqual([]);
      // Who asks twice in a second gets the same answer.
      await eventually('the metric says so', async () => (await metric('xvif_chain_instance_up', 'a')) === 1);
      // Unknown, up, down, up.
      expect(await metric('xvif_chain_instance_transitions_total', 'a')).toBeGreaterThanOrEqual(3);
      const failures = await metric('xvif_chain_instance_failures_total', 'a');
      expect(failures).toBeGreaterThanOrEqual(DOWN);
      expect(await metric('xvif_chain_instance_probes_total', 'a')).toBeGreaterThan(failures);
    } finally {
      await bed.player.record(Buffer.from(MARK));
    }
  });

  it('are passed by where the hop is open, once all of them have', async () => {
    await begin('behaviour: failover, fallback: open', 'a', 'b');
    await bed.player.rest('a0', 'a1', 'b0', 'b1');
    for (const name of ['a', 'b']) await becomes(name, 'down');
    const way = (await bed.exchange([{ from: 'x', id: 'past' }])).get('past')!;
    expect(way.map(({ leg }) => leg)).toEqual(['y']);
  });

  it('keep nobody from getting through where it is closed, but those who would visit them', async () => {
    await begin('behaviour: failover, fallback: closed', 'a', 'b');
    await bed.player.rest('a0', 'a1', 'b0', 'b1');
    for (const name of ['a', 'b']) await becomes(name, 'down');
    const found = await bed.exchange([{ from: 'x', id: 'stopped' }], 0);
    await bed.settle();
    expect([...found.get('stopped')!, ...(await bed.waysOf(['stopped'])).get('stopped')!]).toEqual([]);
  });

  it('take no session of others along', async () => {
    const COUNT = 120;
    await begin('behaviour: balance', 'a', 'b', 'c');
    const sessions = (pass: string): Said[] =>
      Array.from({ length: COUNT }, (_, i) => ({ from: i % 2 === 0 ? 'x' : 'y', id: `${i} ${pass}`, port: 7000 + i }));
    const by = async (
      pass: string,
      those: (index: number) => boolean = () => true,
    ): Promise<(string | undefined)[]> => {
      const said = sessions(pass);
      const ways = await bed.exchange(said.filter((_, i) => those(i)));
      return said.map(({ id }) => {
        const way = ways.get(id);
        if (way === undefined) return undefined;
        expect(way.length, id).toBe(2);
        return way[0]!.leg[0];
      });
    };
    const before = await by('before');
    const healthy = (index: number) => before[index] !== 'b';
    for (const name of ['a', 'b', 'c']) expect(before).toContain(name);
    await bed.player.rest('b0', 'b1');
    // It is not known yet, and once it is.
    const expected = before.map((one) => (one === 'b' ? undefined : one));
    expect(await by('dying', healthy)).toEqual(expected);
    await becomes('b', 'down');
    const dead = await by('dead');
    expect(dead.map((one, i) => (healthy(i) ? one : undefined))).toEqual(expected);
    for (const [i, one] of dead.entries()) if (!healthy(i)) expect(['a', 'c']).toContain(one);
    await bed.player.forward('b0', 'b1');
    await becomes('b', 'up');
    expect(await by('after')).toEqual(before);
  });
});
