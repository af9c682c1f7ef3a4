#!/usr/bin/env node
/** The `xvifd` command. Exit code 0: ended by SIGINT or SIGTERM, 1: could not start, 2: wrong use. */
import { once } from 'node:events';
import { readVersion } from '../api/version.js';
import { createLogger } from '../base/logger.js';
import { runUntilSignal } from '../cli/until-signal.js';
import { startDaemon } from '../main.js';
import { parseOptions } from './options.js';

async function run(signal: AbortSignal): Promise<void> {
  const sources = { env: process.env, uid: process.getuid?.() ?? 0 };
  const { config, logLevel } = parseOptions(process.argv.slice(2), readVersion(), sources);
  const logger = createLogger({ level: logLevel });
  const daemon = await startDaemon(config, { logger, signal });
  try {
    logger.info({ socket: daemon.apiSocket }, 'ready');
    if (!signal.aborted) await once(signal, 'abort');
    logger.info({}, 'ending');
  } finally {
    await daemon.close();
  }
}

process.exitCode = await runUntilSignal('xvifd', run);
