#!/usr/bin/env node
/** The `xvif` command. Exit code 0: done, 1: failed, 2: wrong use. */
import { CommanderError } from 'commander';
import { ApiClient } from '../api/client.js';
import { apiSocketPath, defaultRunDir } from '../api/run-dir.js';
import { readVersion } from '../api/version.js';
import { messageOf } from '../base/error.js';
import { CommandFailed } from './context.js';
import { createProgram, type RunCommand } from './program.js';

function untilInterrupted(): AbortSignal {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  process.once('SIGTERM', () => abort.abort());
  return abort.signal;
}

const runCommand: RunCommand = async ({ socket, runDir, json }, command) => {
  const folder = runDir ?? defaultRunDir({ env: process.env, uid: process.getuid?.() ?? 0 });
  const api = new ApiClient(socket ?? apiSocketPath(folder));
  try {
    await command({ api, json, print: (text) => process.stdout.write(`${text}\n`), untilInterrupted });
  } finally {
    api.close();
  }
};

/** The outermost boundary: each error becomes a line and an exit code. */
async function main(): Promise<number> {
  try {
    await createProgram(readVersion(), runCommand).parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`xvif: ${messageOf(error)}\n`);
    return error instanceof CommandFailed ? error.exitCode : 1;
  }
}

// Who reads the output has seen enough, as `head` does: no more is wanted, and nothing went wrong.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`xvif: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
process.exitCode = await main();
