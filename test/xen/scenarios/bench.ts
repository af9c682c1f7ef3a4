/** xvifd beside the kernel's backends in one boot, taking turns, timed in instructions: ratios only. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Backend, kernelBridge, kernelOpenVswitch, macOf } from '../dom0/backends.js';
import { Guest } from '../dom0/guest.js';
import { type Run, that } from '../dom0/run.js';
import { sh } from '../dom0/shell.js';
import { deviceCounters, generate, iperf, median, reachable, roundTrips, serveIperf } from '../dom0/traffic.js';
import { results, Xvifd } from '../dom0/xvifd.js';
import type { Scenario } from './scenario.js';

interface Figures {
  /** bit/s */
  readonly tcpThere: number;
  readonly tcpBack: number;
  /** Frames that the receiver's kernel counted, each second. */
  readonly packets: number;
  /** Milliseconds, the middle of many. */
  readonly latency: number;
  /** Seconds of Dom0's processors. */
  readonly cpuPerGbit: number;
  readonly cpuPerMillion: number;
}

interface Column {
  readonly title: string;
  readonly of: keyof Figures;
  readonly scale: number;
  readonly more: 'better' | 'worse';
}

const columns: readonly Column[] = [
  { title: 'TCP there, Mbit/s', of: 'tcpThere', scale: 1e-6, more: 'better' },
  { title: 'TCP back, Mbit/s', of: 'tcpBack', scale: 1e-6, more: 'better' },
  { title: 'UDP 64 bytes, packets/s', of: 'packets', scale: 1, more: 'better' },
  { title: 'ping, ms', of: 'latency', scale: 1, more: 'worse' },
  { title: 'Dom0 CPU s per Gbit', of: 'cpuPerGbit', scale: 1, more: 'worse' },
  { title: 'Dom0 CPU s per 10^6 packets', of: 'cpuPerMillion', scale: 1, more: 'worse' },
];

/** Seconds that Dom0's processors have run, as Xen accounts them: to a tenth. */
async function dom0Seconds(): Promise<number> {
  const line = (await sh('xl', 'list', '0')).trimEnd().split('\n').at(-1)!;
  return Number(line.trim().split(/\s+/).at(-1));
}

async function costing<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly cpu: number }> {
  const before = await dom0Seconds();
  const result = await work();
  return { result, cpu: (await dom0Seconds()) - before };
}

async function measure(a: Guest, b: Guest, seconds: number): Promise<Figures> {
  // Until the interpreter has translated what is used, everything is far slower.
  await iperf(a, '10.0.0.2', { seconds: Math.ceil(seconds / 2) });
  await iperf(a, '10.0.0.2', { seconds: Math.ceil(seconds / 2) }, '-R');
  const target = { mac: macOf(2), ip: '10.0.0.2' };
  await generate(a, target, { seconds: Math.ceil(seconds / 2), bytes: 106 });

  const there = await costing(() => iperf(a, '10.0.0.2', { seconds }));
  const back = await costing(() => iperf(a, '10.0.0.2', { seconds }, '-R'));
  const before = await deviceCounters(b);
  const started = Date.now();
  // 64 bytes of UDP payload: 14 + 20 + 8 around them.
  const flood = await costing(() => generate(a, target, { seconds, bytes: 106 }));
  const took = (Date.now() - started) / 1000;
  const received = (await deviceCounters(b)).rx - before.rx;
  const { times } = await roundTrips(a, '10.0.0.2', 50);
  const bytes = there.result.bytes + back.result.bytes;
  return {
    tcpThere: there.result.bitsPerSecond,
    tcpBack: back.result.bitsPerSecond,
    packets: received / took,
    latency: median(times),
    cpuPerGbit: (there.cpu + back.cpu) / ((bytes * 8) / 1e9),
    cpuPerMillion: flood.cpu / (received / 1e6),
  };
}

async function turn(backend: Backend, seconds: number): Promise<Figures> {
  await backend.start();
  const guests: Guest[] = [];
  try {
    guests.push(...(await Promise.all([1, 2].map((n) => Guest.start(`g${n}`, { vifs: [backend.vif(n)] })))));
    for (const [index, guest] of guests.entries()) await guest.configure(index + 1);
    const [a, b] = guests as [Guest, Guest];
    await serveIperf(b);
    await reachable(a, '10.0.0.2', 300);
    return await measure(a, b, seconds);
  } finally {
    for (const guest of guests) await guest.destroy();
    await backend.stop();
  }
}

function table(figures: ReadonlyMap<Backend, readonly Figures[]>, rounds: number, seconds: number): string {
  const backends = [...figures.keys()];
  const middle = (backend: Backend, column: Column) =>
    median(figures.get(backend)!.map((one) => one[column.of])) * column.scale;
  const own = backends.at(-1)!;
  const lines = columns.map((column) => {
    const values = backends.map((backend) => middle(backend, column));
    const mine = values.at(-1)!;
    const ratios = values.slice(0, -1).map((value) => (column.more === 'better' ? mine / value : value / mine));
    const cells = [...values.map((value) => value.toPrecision(4)), ...ratios.map((ratio) => `${ratio.toFixed(2)} x`)];
    return [column.title, ...cells];
  });
  const head = [
    '',
    ...backends.map(({ title }) => title),
    ...backends.slice(0, -1).map(({ title }) => `over ${title}`),
  ];
  const widths = head.map((_, index) => Math.max(...[head, ...lines].map((line) => line[index]!.length)));
  const text = [head, ...lines].map((line) =>
    line.map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!))).join('  '),
  );
  return [
    `Xen lab, one interpreted processor, 2 ns for each instruction: medians of ${rounds} alternating rounds, ${seconds} s for each figure; "over": how many times better ${own.title} is`,
    ...text,
  ].join('\n');
}

export const bench: Scenario = {
  name: 'bench',
  seconds: 10_800,
  shortSeconds: 0,
  counted: true,
  run: async (run: Run) => {
    const rounds = run.short ? 1 : 3;
    const seconds = 4;
    const backends: readonly Backend[] = [
      kernelBridge,
      kernelOpenVswitch,
      new Xvifd({ args: ['--fail-mode', 'standalone', '--local', 'null'] }),
    ];
    const figures = new Map(backends.map((backend) => [backend, [] as Figures[]]));
    for (let round = 1; round <= rounds; round++) {
      for (const backend of backends) {
        await run.check(`round ${round}: ${backend.title}`, async () => {
          const one = await turn(backend, seconds);
          figures.get(backend)!.push(one);
          appendFileSync(
            join(results, 'bench.jsonl'),
            `${JSON.stringify({ backend: backend.title, round, ...one })}\n`,
          );
          return columns.map(({ title, of, scale }) => `${title} ${(one[of] * scale).toPrecision(4)}`).join(', ');
        });
      }
    }
    await run.check('every backend was measured', async () => {
      for (const [{ title }, all] of figures) that(all.length > 0, `${title} was not`);
      run.table(table(figures, rounds, seconds));
    });
  },
};
