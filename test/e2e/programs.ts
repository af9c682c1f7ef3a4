/** Runs the programs as a user would: child processes, exit codes, what they print. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const programs = {
  controller: `${root}/dist/examples/learning-controller/main.js`,
  demo: `${root}/dist/src/demo/demo.js`,
  xvif: `${root}/dist/bin/xvif.js`,
  xvifd: `${root}/dist/bin/xvifd.js`,
} as const;

export interface Running {
  readonly child: ChildProcess;
  /** Standard output and standard error so far, in the order they came. */
  readonly output: () => string;
  /** Resolves once the output matches; rejects when the program ends before. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export function start(program: keyof typeof programs, ...args: readonly string[]): Running {
  const child = spawn(process.execPath, [programs[program], ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer) => {
    output += chunk.toString();
    for (const listener of [...listeners]) listener();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal!));
  });
  const says = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(output);
        if (match === null) return;
        listeners.delete(check);
        resolve(match);
      };
      listeners.add(check);
      void ended.then((code) => reject(new Error(`ended with ${code} before it said ${pattern}:\n${output}`)));
      check();
    });
  return { child, output: () => output, says, ended };
}

export async function run(
  program: keyof typeof programs,
  ...args: readonly string[]
): Promise<{ readonly code: number | string; readonly output: string }> {
  const running = start(program, ...args);
  return { code: await running.ended, output: running.output() };
}

/** Processes whose command line contains `text`; for leak checks. */
export function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(text) ? [`${pid} ${line}`] : [];
      } catch {
        return [];
      }
    });
}
