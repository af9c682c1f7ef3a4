/** Programs of Dom0. Everything is slow in an interpreted machine: limits of time are generous. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program to its end; rejects with its output when it fails or takes more than `seconds`. */
export async function sh(program: string, ...args: readonly string[]): Promise<string> {
  return within(300, program, ...args);
}

export async function within(seconds: number, program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { timeout: seconds * 1000, maxBuffer: 64 << 20 });
    return stdout;
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${message.split('\n')[0]}\n${stdout ?? ''}${stderr ?? ''}`.trim());
  }
}

/** Whether the program ends with status 0. */
export async function succeeds(program: string, ...args: readonly string[]): Promise<boolean> {
  return sh(program, ...args).then(
    () => true,
    () => false,
  );
}

/** A shell command whose output goes to a file; for servers. Gives what ends it. */
export function background(command: string, log: string): () => Promise<void> {
  const child = spawn('bash', ['-c', `exec ${command} >>'${log}' 2>&1`], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `condition` gives something; rejects with `what` and the last error. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  seconds = 240,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`, { cause: last });
    await sleep(200);
  }
}
