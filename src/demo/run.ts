/** The demo: builds daemon and controller, plays the steps, takes everything down. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../api/client.js';
import { defaultRunDir } from '../api/run-dir.js';
import { createLogger } from '../base/logger.js';
import { type DaemonConfig, startDaemon } from '../main.js';
import { startController } from './controller.js';
import { BRIDGE } from './guests.js';
import { type DemoOptions, parseOptions } from './options.js';
import { addGuests, awaitController, live, pingAll, type Stage, showFlows, verify } from './steps.js';

/** Somebody may be starting an external controller by hand. */
const CONTROLLER_TIMEOUT_MS = 60_000;
const CONTROLLER_TIMEOUT_ONCE_MS = 10_000;

function daemonConfig(runDir: string, workers: number, controller: string): DaemonConfig {
  const bridge = {
    name: BRIDGE,
    datapathId: undefined,
    failMode: 'secure',
    controllers: [controller],
    listen: [],
    local: 'null',
    ports: [],
  } as const;
  return { runDir, stateDir: join(runDir, 'state'), workers, hypervisor: 'emulated', bridges: [bridge] };
}

async function play(stage: Stage, target: string, once: boolean): Promise<void> {
  await awaitController(stage, target, once ? CONTROLLER_TIMEOUT_ONCE_MS : CONTROLLER_TIMEOUT_MS);
  await addGuests(stage);
  const results = await pingAll(stage);
  await showFlows(stage);
  if (once) await verify(stage, results);
  else await live(stage);
}

/** Builds from the ground up; whatever ends it, what was built comes down in the opposite order. */
async function run(options: DemoOptions, runDir: string, signal: AbortSignal): Promise<void> {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const controller = options.controller === undefined ? await startController(signal) : undefined;
  try {
    const target = controller?.target ?? options.controller!;
    const logger = createLogger({ level: 'warn' });
    const daemon = await startDaemon(daemonConfig(runDir, options.workers, target), { logger, signal });
    try {
      if (!options.once) say(`xvifd runs in ${runDir}: try "npx xvif --run-dir ${runDir} show" in another terminal`);
      const api = new ApiClient(daemon.apiSocket, { signal });
      try {
        await play({ api, say, signal }, target, options.once);
      } finally {
        api.close();
      }
    } finally {
      await daemon.close();
    }
  } finally {
    await controller?.stop();
  }
}

/** A run directory of its own for --once, so that it meets no daemon that runs already. */
async function runInFolder(options: DemoOptions, signal: AbortSignal): Promise<void> {
  if (!options.once || options.runDir !== undefined) {
    const uid = process.getuid?.() ?? 0;
    return run(options, options.runDir ?? defaultRunDir({ env: process.env, uid }), signal);
  }
  const folder = mkdtempSync(join(tmpdir(), 'xvif-demo-'));
  try {
    await run(options, folder, signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rejects with what failed, with CommanderError for wrong use, or because `signal` aborted. */
export async function runDemo(args: readonly string[], signal: AbortSignal): Promise<void> {
  const options = parseOptions(args);
  await runInFolder(options, signal);
  if (options.once) process.stdout.write('demo: ok\n');
}
