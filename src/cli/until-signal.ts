/** The outermost boundary of a program that runs until it is told to end. */
import { CommanderError } from 'commander';
import { messageOf } from '../base/error.js';

/** A signal asks for an orderly end; one that takes longer than this is cut short with exit code 1. */
const END_TIMEOUT_MS = 15_000;

/** From now on the end may take so long. */
export function cutShortWhenOverdue(name: string): void {
  const overdue = setTimeout(() => {
    process.stderr.write(`${name}: did not end in ${END_TIMEOUT_MS / 1000} s, cut short\n`);
    process.exit(1);
  }, END_TIMEOUT_MS);
  overdue.unref();
}

/**
 * Runs `body` and returns the exit code. SIGINT and SIGTERM abort the signal, at any moment and any number of times
 * (npm passes on what the terminal has sent already); `body` then undoes what it did and may reject with anything.
 */
export async function runUntilSignal(name: string, body: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const abort = new AbortController();
  const { signal } = abort;
  for (const event of ['SIGINT', 'SIGTERM'] as const) process.on(event, () => abort.abort());
  signal.addEventListener('abort', () => cutShortWhenOverdue(name));
  try {
    await body(signal);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (signal.aborted) return 0;
    process.stderr.write(`${name}: ${messageOf(error)}\n`);
    return 1;
  }
}
