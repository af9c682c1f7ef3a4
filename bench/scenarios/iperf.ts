/** Two namespaces joined by xvifd (TAP guests: kernel stack → ring → switch → ring → kernel stack) and by ovs-vswitchd. */
import { OpenVswitch } from '../../test/lab/open-vswitch.js';
import { eventually } from '../../test/lab/process.js';
import { TestSwitch } from '../../test/lab/switch.js';
import { iperf3, ping } from '../../test/lab/traffic.js';
import { type Figure, median, type Scenario } from '../report.js';

interface Side {
  readonly a: { readonly netns: string; readonly ipv4: string };
  readonly b: { readonly netns: string; readonly ipv4: string };
}

const repetitions = 3;

async function measureBoth(ours: Side, theirs: Side, ...options: string[]): Promise<readonly [number, number]> {
  const rates: [number[], number[]] = [[], []];
  for (let i = 0; i < repetitions; i++) {
    for (const [index, side] of [ours, theirs].entries()) {
      const { bitsPerSecond } = await iperf3(side.a.netns, side.b.netns, side.b.ipv4, '-t', '3', ...options);
      rates[index]!.push(bitsPerSecond / 1e9);
    }
  }
  return [median(rates[0]), median(rates[1])];
}

async function run(): Promise<readonly Figure[]> {
  if (process.getuid?.() !== 0) throw new Error('network namespaces need root');
  const xvif = await TestSwitch.start({ args: ['--fail-mode', 'standalone'] });
  const ovs = await OpenVswitch.start().catch(async (error: unknown) => {
    await xvif.stop();
    throw error;
  });
  try {
    const ours: Side = { a: await xvif.tapGuest(1), b: await xvif.tapGuest(2) };
    const theirs: Side = { a: await ovs.namespace(1), b: await ovs.namespace(2) };
    for (const side of [ours, theirs]) {
      await eventually('the namespaces reach each other', async () => (await ping(side.a.netns, side.b.ipv4, 1)) === 1);
    }
    const figures: Figure[] = [];
    for (const [name, options] of [
      ['TCP', []],
      ['UDP, 1 400-byte datagrams', ['-u', '-b', '0', '-l', '1400']],
    ] as const) {
      const [us, them] = await measureBoth(ours, theirs, ...options);
      figures.push({ name: `${name}: xvifd`, value: us, unit: 'Gbit/s', ratio: us / them });
      figures.push({ name: `${name}: ovs-vswitchd (netdev)`, value: them, unit: 'Gbit/s' });
    }
    return figures;
  } finally {
    await ovs.stop();
    await xvif.stop();
  }
}

export const iperfScenarios: readonly Scenario[] = [
  { name: 'iperf3', about: 'two network namespaces, kernel TCP and UDP, beside Open vSwitch in the same run', run },
];
