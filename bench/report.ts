/** What a benchmark prints and keeps: figures with the machine and the commit they belong to. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Of a figure measured beside a peer: ours divided by the peer's. */
  readonly ratio?: number;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  run(): Promise<readonly Figure[]>;
}

/** Cycles of the time stamp counter per second. */
export function cyclesPerSecond(): number {
  const mhz = /^cpu MHz\s*:\s*([\d.]+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  return Number(mhz ?? Number.NaN) * 1e6;
}

export function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+changes');
  } catch {
    return 'unknown';
  }
}

export function heading(): string {
  const [cpu] = cpus();
  return `commit ${commit()}, ${cpus().length} x ${cpu?.model ?? 'cpu'} at ${(cyclesPerSecond() / 1e9).toFixed(2)} GHz, Node ${process.versions.node}`;
}

export function print(scenario: Scenario, figures: readonly Figure[]): void {
  console.log(`\n${scenario.name}: ${scenario.about}`);
  for (const { name, value, unit, ratio } of figures) {
    const digits = value >= 1000 ? 0 : value >= 10 ? 1 : 2;
    const beside = ratio === undefined ? '' : `   ${ratio.toFixed(2)} x the peer`;
    console.log(`  ${name.padEnd(44)} ${value.toFixed(digits).padStart(12)} ${unit}${beside}`);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
