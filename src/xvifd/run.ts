/** The daemon from its command line to its end. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readVersion } from '../api/version.js';
import { createLogger } from '../base/logger.js';
import { startDaemon } from '../main.js';
import { parseOptions } from './options.js';

/** Without it no ring can be mapped. */
const GNTDEV = '/dev/xen/gntdev';

/**
 * Rejects with what failed, with CommanderError for wrong use, because `signal` aborted while it started, or because
 * the daemon lost what it cannot be without. `ending` is called before an end that no
 * signal asked for; `start` is for tests.
 */
export async function runDaemon(
  args: readonly string[],
  signal: AbortSignal,
  ending: () => void,
  start = startDaemon,
): Promise<void> {
  const sources = { env: process.env, uid: process.getuid?.() ?? 0, xen: existsSync(GNTDEV) };
  const { config, logLevel } = parseOptions(args, readVersion(), sources);
  const logger = createLogger({ level: logLevel });
  const daemon = await start(config, { logger, signal });
  try {
    logger.info({ socket: daemon.apiSocket }, 'ready');
    const lost = signal.aborted ? undefined : await Promise.race([once(signal, 'abort').then(() => {}), daemon.lost]);
    logger.info({}, 'ending');
    if (lost !== undefined) {
      ending();
      throw new Error(lost);
    }
  } finally {
    await daemon.close();
  }
}
