/** The outermost boundary of a program that runs until it is told to end. */
import { CommanderError } from 'commander';
import { messageOf } from '../base/error.js';

/** An end that takes longer than this is cut short. */
const END_TIMEOUT_MS = 15_000;

/**
 * Ends the process at once. exit() would wait for the threads of libuv's pool, and the read of /dev/xen/xenbus that one
 * of them is in may never return.
 */
function cutShort(name: string, reason: string): void {
  process.stderr.write(`${name}: ${reason}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** From now on the end may take so long. */
function cutShortWhenOverdue(name: string, endTimeoutMs: number): void {
  const overdue = setTimeout(() => cutShort(name, `did not end in ${endTimeoutMs / 1000} s, cut short`), endTimeoutMs);
  // What keeps the process alive then is what did not end.
  overdue.unref();
}

/**
 * Runs `body` and returns the exit code. SIGINT and SIGTERM abort the signal, at any moment and any number of times
 * (npm passes on what the terminal has sent already); `body` then undoes what it did and may reject with anything. A
 * body that ends by itself calls `ending` first if that can take long.
 * An end that takes too long, and an error that nobody caught, are logged and end the process with SIGKILL.
 */
export async function runUntilSignal(
  name: string,
  body: (signal: AbortSignal, ending: () => void) => Promise<void>,
  endTimeoutMs = END_TIMEOUT_MS,
): Promise<number> {
  const abort = new AbortController();
  const { signal } = abort;
  const ending = () => cutShortWhenOverdue(name, endTimeoutMs);
  for (const event of ['SIGINT', 'SIGTERM'] as const) process.on(event, () => abort.abort());
  // Rejections that nobody handled come here too.
  process.on('uncaughtException', (error) => {
    cutShort(name, `uncaught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  });
  signal.addEventListener('abort', ending);
  try {
    await body(signal, ending);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (signal.aborted) return 0;
    process.stderr.write(`${name}: ${messageOf(error)}\n`);
    return 1;
  } finally {
    // Something may be left that ends by itself, or never.
    ending();
  }
}
