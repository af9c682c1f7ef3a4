/** The daemon from its command line to its end. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readVersion } from '../api/version.js';
import { createLogger } from '../base/logger.js';
import { startDaemon } from '../main.js';
import { parseOptions } from './options.js';

/** Without it no ring can be mapped. */
const GNTDEV = '/dev/xen/gntdev';

/** Rejects with what failed, with CommanderError for wrong use, or because `signal` aborted while it started. */
export async function runDaemon(args: readonly string[], signal: AbortSignal): Promise<void> {
  const sources = { env: process.env, uid: process.getuid?.() ?? 0, xen: existsSync(GNTDEV) };
  const { config, logLevel } = parseOptions(args, readVersion(), sources);
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
