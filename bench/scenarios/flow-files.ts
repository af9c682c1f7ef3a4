/**
 * Flow files of many rules: the commands as people run them, on an xvifd, beside what ovs-ofctl and ovs-vswitchd take for the
 * same flows in the same run.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { OpenVswitch } from '../../test/lab/open-vswitch.js';
import { root, sh } from '../../test/lab/process.js';
import { TestSwitch } from '../../test/lab/switch.js';
import type { Figure, Scenario } from '../report.js';

const RULES_PER_TABLE = 5000;
const PORTS = 48;

/** A rule for a service at an address, from a port to another. */
function rule(n: number): string {
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  const match = `{in_port: ${1 + (n % PORTS)}, dst_ip: ${address}, tcp_dst: ${1 + (n % 60_000)}}`;
  return `{name: r${n}, match: ${match}, do: [{set: {reg0: ${n % 7}}}, {output: ${1 + ((n + 1) % PORTS)}}]}`;
}

function fileText(rules: number): string {
  const count = Math.ceil(rules / RULES_PER_TABLE);
  const tables = Array.from({ length: count }, (_, index) => {
    const from = index * RULES_PER_TABLE;
    const lines = Array.from(
      { length: Math.min(RULES_PER_TABLE, rules - from) },
      (_, i) => `        - ${rule(from + i)}`,
    );
    const miss = index === count - 1 ? 'drop' : 'continue';
    return [`    - name: t${index}`, `      miss: ${miss}`, '      rules:', ...lines].join('\n');
  });
  const head = 'apiVersion: xvif.dev/v1alpha1\nkind: FlowSet\nmetadata: {name: large}\nspec:\n  tables:';
  return `${head}\n${tables.join('\n')}\n`;
}

interface Cost {
  readonly seconds: number;
  /** Of the processor, of the command alone. */
  readonly processor: number;
}

/** A command with its output in a file. */
async function cost(output: string, command: readonly string[]): Promise<Cost> {
  const start = process.hrtime.bigint();
  const times = await sh('sh', '-c', 'out="$1"; shift; "$@" > "$out" && times', 'sh', output, ...command);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const [user, system] = times.trim().split('\n').at(-1)!.split(' ').map(secondsOf);
  return { seconds, processor: user! + system! };
}

/** `0m1.250s`, as sh writes it. */
function secondsOf(text: string): number {
  const [, minutes, seconds] = /^(\d+)m([\d.]+)s$/.exec(text)!;
  return 60 * Number(minutes) + Number(seconds);
}

class Bench {
  readonly figures: Figure[] = [];
  readonly dir = mkdtempSync(join(tmpdir(), 'xvif-flow-files-'));
  readonly output = this.file('output');

  constructor(readonly xvifd: TestSwitch) {}

  file(name: string): string {
    return join(this.dir, name);
  }

  async xvif(name: string, command: readonly string[], output = this.output, peer?: Cost): Promise<void> {
    const program = [process.execPath, join(root, 'dist/bin/xvif.js'), '--run-dir', this.xvifd.runDir];
    const measured = await cost(output, [...program, ...command]);
    this.#keep(name, measured, peer);
  }

  async peer(name: string, command: readonly string[]): Promise<Cost> {
    const measured = await cost(this.output, command);
    this.#keep(name, measured);
    return measured;
  }

  #keep(name: string, { seconds, processor }: Cost, peer?: Cost): void {
    console.error(`  ${name}: ${seconds.toFixed(2)} s, ${processor.toFixed(2)} s of a processor`);
    // More than 1: ahead of the peer.
    const ratio = peer === undefined ? {} : { ratio: peer.seconds / seconds };
    this.figures.push({ name, value: seconds, unit: 's', ...ratio });
    this.figures.push({ name: `${name}: processor time`, value: processor, unit: 's' });
  }
}

async function measured(bench: Bench, ovs: OpenVswitch, rules: number): Promise<void> {
  const [yaml, json, flows] = [bench.file('large.yaml'), bench.file('large.json'), bench.file('flows.txt')];
  const text = fileText(rules);
  writeFileSync(yaml, text);
  writeFileSync(json, JSON.stringify(parse(text)));
  const ports = Array.from({ length: PORTS }, (_, n) => ['--port', `p${n + 1}=${n + 1}`]).flat();
  const there = ['--switch', bench.xvifd.target];
  await bench.xvif('check, YAML', ['check', ...ports, yaml]);
  await bench.xvif('check, JSON', ['check', ...ports, json]);
  await bench.xvif('compile', ['compile', '--as', 'flows', yaml], flows);
  await bench.peer('ovs-ofctl parse-flows of what it printed', ['ovs-ofctl', 'parse-flows', flows]);
  await bench.xvif('plan, the switch is empty', ['plan', ...there, yaml]);
  const added = await bench.peer('ovs-ofctl add-flows --bundle, ovs-vswitchd', [
    ...['ovs-ofctl', '-O', 'OpenFlow14', '--bundle', 'add-flows', ovs.target, flows],
  ]);
  await bench.xvif('apply --switch, one bundle', ['apply', ...there, yaml], bench.output, added);
  await bench.xvif('plan, nothing differs', ['plan', ...there, yaml]);
  await sh('ovs-ofctl', '-O', 'OpenFlow13', 'del-flows', bench.xvifd.target);
  await bench.xvif('apply, kept by xvifd', ['apply', yaml], bench.output, added);
}

async function run(rules: number): Promise<readonly Figure[]> {
  if (process.getuid?.() !== 0) throw new Error('ovs-vswitchd needs root');
  const bench = new Bench(await TestSwitch.start({ args: ['--hypervisor', 'emulated'] }));
  try {
    const ovs = await OpenVswitch.start('dummy', [1, 2]);
    try {
      await ovs.protocols('OpenFlow13,OpenFlow14');
      await measured(bench, ovs, rules);
    } finally {
      await ovs.stop();
    }
  } finally {
    await bench.xvifd.stop();
    rmSync(bench.dir, { recursive: true });
  }
  return bench.figures;
}

export const flowFileScenarios: readonly Scenario[] = [1000, 20_000, 100_000].map((rules) => ({
  name: `flow-files-${rules / 1000}k`,
  about: `${rules.toLocaleString('en').replaceAll(',', ' ')} rules of a FlowSet, and an xvifd that gets and has them`,
  run: () => run(rules),
}));
