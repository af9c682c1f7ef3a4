/** Children, waiting and free ports, for tests and benchmarks with real programs. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The checkout, seen from the sources as well as from their compiled form. */
export const root = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package-lock.json'))) folder = dirname(folder);
  return folder;
})();

/** Runs a program to its end; rejects with its output when it fails. */
export async function sh(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { timeout: 60_000, maxBuffer: 64 << 20, encoding: 'utf8' });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${(error as Error).message}\n${stdout ?? ''}${stderr ?? ''}`);
  }
}

/** Waits until `condition` gives something, or fails with `what` and the last error. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  ms = 15_000,
): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A TCP port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A child process whose output is kept for the failure report. */
export class Child {
  output = '';
  readonly #process: ChildProcess;

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk) => {
        this.output = (this.output + chunk).slice(-256_000);
      });
    }
    this.#process.on('error', (error) => {
      this.output += error.message;
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Waits for its end; its exit code, null when a signal ended it. */
  async ended(): Promise<number | null> {
    if (this.running) await once(this.#process, 'exit');
    return this.#process.exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.running) {
      const exit = once(this.#process, 'exit');
      this.#process.kill(signal);
      const late = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
      await exit;
      clearTimeout(late);
    }
    return this.#process.exitCode;
  }
}
