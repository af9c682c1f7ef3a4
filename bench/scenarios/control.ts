/** What a controller sees of xvifd and of ovs-vswitchd, measured by the same client, one after the other in each task. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OpenVswitch } from '../../test/lab/open-vswitch.js';
import { root } from '../../test/lab/process.js';
import { TestSwitch } from '../../test/lab/switch.js';
import { type Figure, median, type Scenario } from '../report.js';

const execute = promisify(execFile);
/** A million flows on a busy machine. */
const CLIENT_MS = 600_000;

interface Peer {
  readonly name: string;
  readonly target: string;
  readonly pid: number;
}

interface Measure {
  readonly task: string;
  readonly count: number;
  readonly times: number;
  /** How often it is done before, unmeasured; absent: once, when it is measured several times. */
  readonly warmUp?: number;
  readonly figures: readonly { readonly key: string; readonly name: string; readonly unit: string }[];
  /** Done before each time, unmeasured. */
  readonly before?: readonly (readonly [task: string, count: number])[];
}

const times = (name: string): Measure['figures'] => [
  { key: 'p50', name: `${name}, p50`, unit: 'us' },
  { key: 'p99', name: `${name}, p99`, unit: 'us' },
  { key: 'cpu', name: `${name}, processor time each`, unit: 'us' },
];
/** A rate, and what each costs: on a busy machine only the latter says much. */
const rate = (name: string, unit: string): Measure['figures'] => [
  { key: 'rate', name, unit },
  { key: 'cpu', name: `${name}, processor time each`, unit: 'us' },
];

function measures(flows: number): readonly Measure[] {
  const clear = [['clear', 0]] as const;
  const shown = flows.toLocaleString('en').replaceAll(',', ' ');
  return [
    { task: 'add', count: flows, times: 3, before: clear, figures: rate(`flow_mods, ${shown} and a barrier`, '/s') },
    { task: 'dump', count: flows, times: 3, figures: rate(`dump of ${shown} flows`, 'flows/s') },
    { task: 'clear', count: 0, times: 1, figures: [{ key: 'seconds', name: `delete all of ${shown}`, unit: 's' }] },
    { task: 'bundle', count: flows, times: 3, before: clear, figures: rate(`flow_mods, ${shown} in one bundle`, '/s') },
  ];
}

/** Code is compiled as it gets hot, and where the kernel puts client and switch differs from run to run. */
const rounds = { count: 3000, times: 21, warmUp: 4 };
const small: readonly Measure[] = [
  { task: 'roundTrips', ...rounds, before: [['clear', 0]], figures: times('flow_mod + barrier') },
  { task: 'packetIns', count: 50_000, times: 3, figures: rate('packet-ins', '/s') },
  { task: 'latency', ...rounds, figures: times('packet_out to TABLE → packet-in') },
  { task: 'reactive', ...rounds, figures: times('packet-in → flow_mod + packet_out → done') },
];

async function client(peer: Peer, task: string, count: number): Promise<Readonly<Record<string, number>>> {
  const program = join(root, 'dist/bench/control/client.js');
  const options = ['--max-old-space-size=4096', program, peer.target, task, `${count}`];
  const { stdout } = await execute(process.execPath, options, { timeout: CLIENT_MS });
  return JSON.parse(stdout);
}

/** Bytes that the process has in memory. */
function resident({ pid }: Peer): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!;
  return Number(kib) * 1024;
}

/** That all threads of the process have used. */
function processorSeconds({ pid }: Peer): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  const [user, system] = [fields[11], fields[12]].map(Number) as [number, number];
  return (user + system) / TICKS_PER_SECOND;
}
const TICKS_PER_SECOND = 100;

const isTime = (unit: string): boolean => unit === 'us' || unit === 's';

async function measure(peers: readonly [Peer, Peer], each: Measure): Promise<Figure[]> {
  const results: [Record<string, number>[], Record<string, number>[]] = [[], []];
  const { warmUp = each.times > 1 ? 1 : 0 } = each;
  for (let i = -warmUp; i < each.times; i++) {
    for (const [index, peer] of peers.entries()) {
      for (const [task, count] of each.before ?? []) await client(peer, task, count);
      const before = processorSeconds(peer);
      const figures = await client(peer, each.task, each.count);
      const cpu = ((processorSeconds(peer) - before) / (figures.rounds ?? each.count)) * 1e6;
      if (i >= 0) results[index]!.push({ ...figures, cpu });
    }
  }
  return each.figures.flatMap(({ key, name, unit }) => {
    const [ours, theirs] = results.map((list) => median(list.map((one) => one[key]!))) as [number, number];
    // More than 1: ahead of the peer.
    return both(peers, name, unit, ours, theirs, isTime(unit) ? theirs / ours : ours / theirs);
  });
}

function both([ours, theirs]: readonly [Peer, Peer], name: string, unit: string, a: number, b: number, ratio: number) {
  return [
    { name: `${name}: ${ours.name}`, value: a, unit, ratio },
    { name: `${name}: ${theirs.name}`, value: b, unit },
  ];
}

async function memory(peers: readonly [Peer, Peer], flows: number): Promise<Figure[]> {
  const bytes: number[] = [];
  for (const peer of peers) {
    await client(peer, 'clear', 0);
    const before = resident(peer);
    await client(peer, 'add', flows);
    bytes.push((resident(peer) - before) / flows);
  }
  return both(peers, `memory per flow, ${flows}`, 'bytes', bytes[0]!, bytes[1]!, bytes[1]! / bytes[0]!);
}

async function run(flows: number): Promise<readonly Figure[]> {
  if (process.getuid?.() !== 0) throw new Error('ovs-vswitchd needs root');
  const xvif = await TestSwitch.start({ args: ['--port', 'p1=null', '--port', 'p2=null', '--hypervisor', 'emulated'] });
  const ovs = await OpenVswitch.start('dummy', [1, 2]).catch(async (error: unknown) => {
    await xvif.stop();
    throw error;
  });
  try {
    await ovs.protocols('OpenFlow13');
    const peers = [
      { name: 'xvifd', target: xvif.target, pid: xvif.daemon.pid },
      { name: 'ovs-vswitchd', target: ovs.target, pid: ovs.pid },
    ] as const;
    // Memory first: what was let go once is taken again without growth.
    const figures = await memory(peers, flows);
    for (const { name, value } of figures) console.error(`  ${name}: ${value.toFixed(2)}`);
    for (const each of [...measures(flows), ...(flows <= 100_000 ? small : [])]) {
      const measured = await measure(peers, each);
      for (const { name, value } of measured) console.error(`  ${name}: ${value.toFixed(2)}`);
      figures.push(...measured);
    }
    return figures;
  } finally {
    await ovs.stop();
    await xvif.stop();
  }
}

export const controlScenarios: readonly Scenario[] = [100_000, 1_000_000].map((flows) => ({
  name: `control-${flows / 1000}k`,
  about: `OpenFlow 1.3 over a unix socket, ${flows} flows, beside ovs-vswitchd (userspace datapath) in the same run; latencies when both are warm`,
  run: () => run(flows),
}));
