/** A daemon whose connection to xenstored breaks ends, so that whoever watches over it starts it anew. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LogFields, type Logger, silentLogger } from '../../../src/base/logger.js';
import { startDaemon } from '../../../src/main.js';
import { EmulatedXenstore, XenstoreClient } from '../../../src/xenstore/index.js';
import { runDaemon } from '../../../src/xvifd/run.js';

let runDir: string;
let xenstore: EmulatedXenstore;
let errors: string[];
/** Ends by itself that it told of. */
let endings: number;

beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), 'xvif-lost-'));
  xenstore = new EmulatedXenstore();
  errors = [];
  endings = 0;
});
afterEach(async () => {
  await xenstore.close();
  rmSync(runDir, { recursive: true, force: true });
});

const logger: Logger = {
  ...silentLogger,
  error: (_fields: LogFields, message: string) => void errors.push(message),
  child: () => logger,
};
const openStore = async () => new XenstoreClient(xenstore.connect(0));
const args = () => ['--run-dir', runDir, '--hypervisor', 'emulated', '--local', 'null', '--log-level', 'silent'];

/** The command as it is, but for where its xenstore is and what it logs. */
const start: typeof startDaemon = (config, options) => startDaemon(config, { ...options, logger, openStore });

it('by itself, with the reason', async () => {
  const running = runDaemon(
    args(),
    new AbortController().signal,
    () => endings++,
    async (config, options) => {
      const daemon = await start(config, options);
      setImmediate(() => void xenstore.close());
      return daemon;
    },
  );
  await expect(running).rejects.toThrow('connection to xenstored lost');
  expect(errors).toEqual(['connection to xenstored lost']);
  expect(endings).toBe(1);
});

it('an orderly end is no loss', async () => {
  const abort = new AbortController();
  const running = runDaemon(
    args(),
    abort.signal,
    () => endings++,
    async (config, options) => {
      const daemon = await start(config, options);
      setImmediate(() => abort.abort());
      return daemon;
    },
  );
  await running;
  expect(errors).toEqual([]);
  expect(endings).toBe(0);
});
