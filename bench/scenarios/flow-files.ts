/** Flow files of many rules: checking, compiling, comparing with a switch, and changing it in one bundle. */

import type { Program } from '../../src/compiler/index.js';
import { compile, Diagnostics, lint, ofctlText, PlaceholderPorts, SourceFile } from '../../src/compiler/index.js';
import { applyPlan, connectTo, makePlan, RemoteSwitch } from '../../src/reconcile/index.js';
import { TestSwitch } from '../../test/lab/switch.js';
import type { Figure, Scenario } from '../report.js';

const RULES = 100_000;
const RULES_PER_TABLE = 5000;
const PORTS = 48;

/** A rule for a service at an address, from a port to another. */
function rule(n: number): string {
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  const match = `{in_port: ${1 + (n % PORTS)}, dst_ip: ${address}, tcp_dst: ${1 + (n % 60_000)}}`;
  return `{name: r${n}, match: ${match}, do: [{set: {reg0: ${n % 7}}}, {output: ${1 + ((n + 1) % PORTS)}}]}`;
}

function table(index: number, last: boolean): string {
  const rules = Array.from({ length: RULES_PER_TABLE }, (_, i) => `        - ${rule(index * RULES_PER_TABLE + i)}`);
  return [`    - name: t${index}`, `      miss: ${last ? 'drop' : 'continue'}`, '      rules:', ...rules].join('\n');
}

function fileText(): string {
  const count = RULES / RULES_PER_TABLE;
  const tables = Array.from({ length: count }, (_, i) => table(i, i === count - 1));
  const head = 'apiVersion: xvif.dev/v1alpha1\nkind: FlowSet\nmetadata: {name: large}\nspec:\n  tables:';
  return `${head}\n${tables.join('\n')}\n`;
}

/** Seconds on the clock, and of this process's processor time. */
async function timed<T>(name: string, figures: Figure[], what: () => T | Promise<T>): Promise<T> {
  const [clock, cpu] = [process.hrtime.bigint(), process.cpuUsage()];
  const result = await what();
  const { user, system } = process.cpuUsage(cpu);
  figures.push({ name, value: Number(process.hrtime.bigint() - clock) / 1e9, unit: 's' });
  figures.push({ name: `${name}: processor of xvif`, value: (user + system) / 1e6, unit: 's' });
  return result;
}

function compiled(text: string, checked: boolean): Program {
  const diagnostics = new Diagnostics();
  const program = compile([new SourceFile('large.yaml', text)], new PlaceholderPorts(), diagnostics);
  if (checked) lint(program, diagnostics);
  if (diagnostics.errors > 0) throw new Error(`${diagnostics.errors} errors`);
  return program;
}

async function withSwitch(program: Program, figures: Figure[]): Promise<void> {
  const daemon = await TestSwitch.start();
  const remote = await RemoteSwitch.open(await connectTo(daemon.target));
  const planned = async () => makePlan(program, await remote.state(), { prune: false });
  try {
    const first = await timed('plan, the switch is empty', figures, planned);
    const atomic = await timed('apply, one bundle', figures, () => applyPlan(remote, first));
    if (!atomic) throw new Error('it was no bundle');
    const { changes, unchanged } = await timed('plan, nothing differs', figures, planned);
    if (changes.length > 0 || unchanged < RULES) throw new Error(`${changes.length} changes, ${unchanged} unchanged`);
  } finally {
    await remote.close();
    await daemon.stop();
  }
}

async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const text = fileText();
  const program = await timed('check', figures, () => compiled(text, true));
  await timed('compile', figures, () => ofctlText(compiled(text, false), 'bundle').length);
  await withSwitch(program, figures);
  return figures;
}

export const flowFileScenarios: readonly Scenario[] = [
  { name: 'flow-files', about: '100 000 rules of a FlowSet in YAML, and an xvifd that gets and has them', run },
];
