#!/usr/bin/env node
/** The `xvifd` command. Exit code 0: ended by SIGINT or SIGTERM, 1: could not start or lost xenstored, 2: wrong use. */
import { runUntilSignal } from '../cli/until-signal.js';

process.exitCode = await runUntilSignal('xvifd', async (signal, ending) => {
  // Loaded once signals are handled, for loading takes its time.
  const { runDaemon } = await import('./run.js');
  await runDaemon(process.argv.slice(2), signal, ending);
});
